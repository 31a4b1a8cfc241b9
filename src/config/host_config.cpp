// SPDX-License-Identifier: MIT
#include "config/host_config.hpp"

#include "base/files.hpp"
#include "config/yaml_map.hpp"
#include "usb/place.hpp"

namespace longcord {

static constexpr std::size_t max_file = 1024 * 1024;

milliseconds HostConfig::dead_after_of(const std::string& pi) const {
    const auto settings = pis.find(pi);
    if (settings != pis.end() && settings->second.dead_after)
        return *settings->second.dead_after;
    return dead_after;
}

Result<> HostConfig::check() const {
    for (const auto& [name, address] : usbip_servers)
        if (pis.contains(name))
            return fail(
                ErrorKind::invalid,
                "'{}' stands under both pis and usbip_servers: a place can mean only one", name);
    for (std::size_t i = 0; i < virtual_machines.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (virtual_machines[i].socket == virtual_machines[j].socket)
                return fail(
                    ErrorKind::invalid,
                    "line {}: virtual machines '{}' and '{}' have the same socket {}",
                    virtual_machines[i].line, virtual_machines[j].name, virtual_machines[i].name,
                    virtual_machines[i].socket.string());
    return {};
}

static bool check_pi_name(YamlProblems& problems, const YamlText& name) {
    if (is_pi_name(name.text))
        return true;
    problems.add(
        name.node, fmt::format(
                       "'{}' is no name for a Pi: small letters, digits and '-', "
                       "a letter first, at most 31, not pci-... or platform-...",
                       name.text));
    return false;
}

static void read_pis(YamlProblems& problems, YamlMap& top, HostConfig& config) {
    for (const auto& [name, node] : top.entries("pis")) {
        YamlMap map(problems, node, "pis." + name.text);
        std::string address;
        milliseconds dead_after{0};
        map.read("address", address);
        map.read("dead_after", dead_after, HostConfig::min_dead_after, HostConfig::max_dead_after);
        map.finish();
        if (!check_pi_name(problems, name))
            continue;
        PiSettings settings;
        if (!address.empty()) {
            const auto parsed = Address::parse(address, config.usbip_port);
            if (parsed)
                settings.address = address;
            else
                problems.add(node, parsed.error().message);
        }
        if (dead_after.count() > 0)
            settings.dead_after = dead_after;
        config.pis.emplace(name.text, settings);
    }
}

static void read_servers(YamlProblems& problems, YamlMap& top, HostConfig& config) {
    for (const auto& [name, node] : top.entries("usbip_servers")) {
        YamlMap map(problems, node, "usbip_servers." + name.text);
        std::string address;
        map.read("address", address);
        map.finish();
        if (!check_pi_name(problems, name))
            continue;
        if (!map.has("address")) {
            problems.add(name.node, fmt::format("'{}' needs an 'address'", name.text));
            continue;
        }
        const auto parsed = Address::parse(address, HostConfig::standard_usbip_port);
        if (parsed)
            config.usbip_servers.emplace(name.text, *parsed);
        else
            problems.add(node, parsed.error().message);
    }
}

static void read_machines(YamlProblems& problems, YamlMap& top, HostConfig& config) {
    for (const auto& [name, node] : top.entries("virtual_machines")) {
        YamlMap map(problems, node, "virtual_machines." + name.text);
        MachineConfig machine;
        machine.name = name.text;
        machine.line = name.line;
        std::string socket;
        map.read_path("socket", socket);
        for (YamlText& port : map.list("ports"))
            machine.ports.push_back({std::move(port.text), port.line});
        for (YamlText& hub : map.list("hubs"))
            machine.hubs.push_back(std::move(hub.text));
        std::string delay;
        map.read("delay", delay);
        if (!delay.empty())
            config.notes.push_back(fmt::format(
                "{}: 'delay' of '{}' is ignored: nothing needs to be waited for here",
                problems.at(node["delay"]), name.text));
        map.finish();
        if (!map.has("socket"))
            problems.add(
                name.node,
                fmt::format("'{}' needs a 'socket': the path of its QMP socket", name.text));
        machine.socket = socket;
        config.virtual_machines.push_back(std::move(machine));
    }
}

Result<HostConfig> parse_host_config(std::string_view text, const std::string& file) {
    YamlProblems problems{file, {}};
    YamlMap top(problems, load_yaml(text, problems), "");
    HostConfig config;
    std::string foreign = "allow";
    top.read_choice("log_level", config.log_level, {"trace", "debug", "info", "warn", "error"});
    top.read("node", config.node);
    top.read(
        "dead_after", config.dead_after, HostConfig::min_dead_after, HostConfig::max_dead_after);
    top.read("usbip_port", config.usbip_port, 1, 65535);
    top.read("ssh_port", config.ssh_port, 1, 65535);
    top.read_choice("foreign_imports", foreign, {"allow", "refuse"});
    config.foreign_imports = foreign == "refuse" ? ForeignImports::refuse : ForeignImports::allow;
    YamlMap controllers = top.map("controllers");
    controllers.read("hot_add", config.controllers.hot_add);
    controllers.finish();
    read_pis(problems, top, config);
    read_servers(problems, top, config);
    read_machines(problems, top, config);
    top.finish();
    if (!problems.lines.empty())
        return problems.error();
    const Result<> checked = config.check();
    if (!checked)
        return fail(checked.error().kind, "{}: {}", file, checked.error().message);
    return config;
}

Result<HostConfig> load_host_config(const std::filesystem::path& file) {
    const auto text = read_file(file, max_file);
    if (!text && text.error().kind == ErrorKind::not_found)
        return HostConfig{};
    if (!text)
        return text.error();
    return parse_host_config(*text, file.string());
}

} // namespace longcord
