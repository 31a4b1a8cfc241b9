// SPDX-License-Identifier: MIT
#include "config/pi_config.hpp"

#include "base/files.hpp"
#include "config/yaml_map.hpp"

#include <algorithm>

namespace longcord {

static constexpr std::size_t max_file = 1024 * 1024;

Result<> PiConfig::check() const {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (std::find(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(i), nodes[i]) !=
            nodes.begin() + static_cast<std::ptrdiff_t>(i))
            return fail(ErrorKind::invalid, "node {} stands here twice", nodes[i].to_string());
    return {};
}

/// A node is "host", "host:port" or { host: ..., port: ... }.
static void read_nodes(YamlProblems& problems, YamlMap& top, PiConfig& config) {
    for (const YAML::Node& node : top.nodes("nodes")) {
        std::string host;
        std::uint16_t port = PiConfig::ssh_port;
        if (node.IsScalar()) {
            host = node.Scalar();
        } else {
            YamlMap map(problems, node, "nodes");
            map.read("host", host);
            map.read("port", port, 1, 65535);
            map.finish();
            if (!map.has("host")) {
                problems.add(node, "each entry of 'nodes' needs a 'host'");
                continue;
            }
        }
        const auto address = Address::parse(host, port);
        if (address)
            config.nodes.push_back(*address);
        else
            problems.add(node, address.error().message);
    }
}

static std::vector<UsbId> read_ids(YamlProblems& problems, YamlMap& map, const std::string& key) {
    std::vector<UsbId> out;
    for (const YamlText& entry : map.list(key)) {
        const auto id = UsbId::parse(entry.text);
        if (id)
            out.push_back(*id);
        else
            problems.add(entry.node, id.error().message);
    }
    return out;
}

static std::vector<Place> read_places(
    YamlProblems& problems, YamlMap& map, const std::string& key) {
    std::vector<Place> out;
    for (const YamlText& entry : map.list(key)) {
        const auto place = Place::parse(entry.text);
        if (!place)
            problems.add(entry.node, place.error().message);
        else if (!place->is_local())
            problems.add(
                entry.node,
                fmt::format("'{}': a place of this machine has no Pi's name", entry.text));
        else
            out.push_back(*place);
    }
    return out;
}

static void read_exports(YamlProblems& problems, YamlMap& top, ExportConfig& config) {
    YamlMap map = top.map("export");
    bool given = false;
    const auto drivers = map.list("drivers", &given);
    if (given)
        config.drivers.clear();
    for (const YamlText& driver : drivers)
        config.drivers.push_back(driver.text);
    config.ids = read_ids(problems, map, "ids");
    config.places = read_places(problems, map, "places");
    YamlMap never = map.map("never");
    config.never.ids = read_ids(problems, never, "ids");
    config.never.places = read_places(problems, never, "places");
    never.finish();
    map.finish();
}

Result<PiConfig> parse_pi_config(std::string_view text, const std::string& file) {
    YamlProblems problems{file, {}};
    YamlMap top(problems, load_yaml(text, problems), "");
    PiConfig config;
    std::string identity = config.identity;
    std::string known_hosts = config.known_hosts;
    top.read_choice("log_level", config.log_level, {"trace", "debug", "info", "warn", "error"});
    top.read("name", config.name);
    read_nodes(problems, top, config);
    top.read_path("identity", identity);
    top.read_path("known_hosts", known_hosts);
    config.identity = identity;
    config.known_hosts = known_hosts;
    top.read("usbip_port", config.usbip_port, 1, 65535);
    read_exports(problems, top, config.exports);
    top.finish();
    if (!problems.lines.empty())
        return problems.error();
    const Result<> checked = config.check();
    if (!checked)
        return fail(checked.error().kind, "{}: {}", file, checked.error().message);
    return config;
}

Result<PiConfig> load_pi_config(const std::filesystem::path& file) {
    const auto text = read_file(file, max_file);
    if (!text && text.error().kind == ErrorKind::not_found)
        return PiConfig{};
    if (!text)
        return text.error();
    return parse_pi_config(*text, file.string());
}

} // namespace longcord
