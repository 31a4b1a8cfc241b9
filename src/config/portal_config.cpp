// SPDX-License-Identifier: MIT
#include "config/portal_config.hpp"

#include "base/files.hpp"
#include "config/yaml_map.hpp"
#include "serial/allow_list.hpp"

namespace longcord {

std::vector<Address> PortalConfig::addresses() const {
    if (role == Role::pi || listen_given)
        return listen;
    return {{"127.0.0.1", standard_port}, {"::1", standard_port}};
}

static bool is_loopback(const Address& address) {
    const auto loopback4 = Network::parse("127.0.0.0/8");
    const auto loopback6 = Network::parse("::1");
    const auto one = Network::parse(address.host);
    return one && (loopback4->covers(*one) || loopback6->covers(*one));
}

Result<> PortalConfig::check_role() const {
    for (const Address& address : addresses())
        if (role == Role::host && !is_loopback(address))
            return fail(
                ErrorKind::invalid,
                "'listen' has {}: the portal of a node is for that machine only; take 127.0.0.1, "
                "and reach it by \"ssh -L {}:127.0.0.1:{} NODE\"",
                address.host, address.port, address.port);
    return {};
}

static void read_names(YamlProblems& problems, YamlMap& top, PortalConfig& config) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789.-";
    for (const YamlText& entry : top.list("names")) {
        if (entry.text.empty() || entry.text.find_first_not_of(allowed) != std::string::npos)
            problems.add(
                entry.node, fmt::format("'{}' is no name such as pi.example.org", entry.text));
        else
            config.names.push_back(entry.text);
    }
}

static void read_listen(YamlProblems& problems, YamlMap& top, PortalConfig& config) {
    const auto listen = top.list("listen", &config.listen_given);
    if (config.listen_given)
        config.listen.clear();
    for (const YamlText& entry : listen) {
        const auto address = Address::parse(entry.text, PortalConfig::standard_port);
        if (!address)
            problems.add(entry.node, address.error().message);
        else if (!Network::parse(address->host) || address->host.find('/') != std::string::npos)
            problems.add(entry.node, fmt::format("'{}' is no address of this machine", entry.text));
        else
            config.listen.push_back(*address);
    }
    if (config.listen_given && config.listen.empty() && problems.lines.empty())
        problems.add(top.node(), "'listen' is empty: the portal would be nowhere");
}

Result<PortalConfig> parse_portal_config(std::string_view text, const std::string& file) {
    YamlProblems problems{file, {}};
    YamlMap top(problems, load_yaml(text, problems), "");
    PortalConfig config;
    top.read_choice("log_level", config.log_level, {"trace", "debug", "info", "warn", "error"});
    std::string role = "pi";
    top.read_choice("role", role, {"pi", "host"});
    config.role = role == "host" ? PortalConfig::Role::host : PortalConfig::Role::pi;
    read_listen(problems, top, config);
    read_names(problems, top, config);
    YamlMap tls = top.map("tls");
    std::string certificate;
    std::string key;
    tls.read_path("certificate", certificate);
    tls.read_path("key", key);
    config.tls.certificate = certificate;
    config.tls.key = key;
    if (certificate.empty() != key.empty())
        problems.add(tls.node(), "'tls' needs both 'certificate' and 'key'");
    tls.finish();
    top.finish();
    if (!problems.lines.empty())
        return problems.error();
    return config;
}

Result<PortalConfig> load_portal_config(const std::filesystem::path& file) {
    const auto text = read_file(file, max_settings);
    if (!text && text.error().kind == ErrorKind::not_found)
        return PortalConfig{};
    if (!text)
        return text.error();
    return parse_portal_config(*text, file.string());
}

} // namespace longcord
