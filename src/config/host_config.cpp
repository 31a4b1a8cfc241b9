// SPDX-License-Identifier: MIT
#include "config/host_config.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "config/serial_place.hpp"
#include "config/yaml_map.hpp"
#include "usb/place.hpp"

namespace longcord {

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
    for (std::size_t i = 0; i < serial_offers.size(); ++i) {
        const SerialOffer& offer = serial_offers[i];
        if (usbip_servers.contains(offer.pi))
            return fail(
                ErrorKind::invalid,
                "line {}: '{}' is a plain USB/IP server: only a paired Pi has serial ports",
                offer.line, offer.pi);
        for (std::size_t j = 0; j < i; ++j)
            if (serial_offers[j].listen == offer.listen)
                return fail(
                    ErrorKind::invalid, "line {}: {} is taken by the offer in line {}", offer.line,
                    offer.listen.to_string(), serial_offers[j].line);
    }
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
        const auto parsed = Address::parse(address, config.usbip_port);
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
            machine.ports.push_back({std::move(port.text), port.line, port.column});
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

/// One of "4000" and "1-1.2", as `port` or `place` has it; empty where there is a problem.
static std::string read_offered_port(YamlProblems& problems, YamlMap& map, const YAML::Node& node) {
    std::string port;
    std::string place;
    map.read("port", port);
    map.read("place", place);
    if (map.has("port") == map.has("place")) {
        problems.add(
            node, "an offer needs either the 'port' of the Pi (4000) or the 'place' (1-1.2)");
        return {};
    }
    if (map.has("port")) {
        const auto number = parse_decimal(port, 65535);
        if (number && *number > 0)
            return std::to_string(*number);
        problems.add(node["port"], fmt::format("'{}': a port is a number from 1 to 65535", port));
        return {};
    }
    if (is_serial_place(place))
        return place;
    problems.add(
        node["place"], fmt::format(
                           "'{}' is no place of a Pi without its name (1-1.2, 1-1.2:1.1, "
                           "platform-fe9c0000.xhci/1.2)",
                           place));
    return {};
}

/// One address of this node, and a port: whoever may connect knows where.
static std::optional<Address> read_offered_address(
    YamlProblems& problems, YamlMap& map, const YAML::Node& node) {
    std::string listen;
    map.read("listen", listen);
    if (!map.has("listen")) {
        problems.add(node, "an offer needs 'listen': an address of this node with a port");
        return std::nullopt;
    }
    const auto address = Address::parse(listen, 0);
    if (address && address->port > 0 && Network::parse(address->host) &&
        address->host.find('/') == std::string::npos)
        return *address;
    problems.add(
        node["listen"],
        fmt::format("'{}' is no address with a port (192.168.1.10:4000, \"[::]:4000\")", listen));
    return std::nullopt;
}

static void read_offers(YamlProblems& problems, YamlMap& top, HostConfig& config) {
    YamlMap serial = top.map("serial");
    for (const YAML::Node& node : serial.nodes("offers")) {
        YamlMap map(problems, node, "serial.offers");
        SerialOffer offer;
        offer.line = static_cast<unsigned>(node.Mark().line + 1);
        map.read("pi", offer.pi);
        if (!is_pi_name(offer.pi))
            problems.add(
                node, fmt::format("an offer needs a 'pi': '{}' is no name of one", offer.pi));
        offer.port = read_offered_port(problems, map, node);
        const auto listen = read_offered_address(problems, map, node);
        for (const YamlText& entry : map.list("allow"))
            if (const auto added = offer.allow.add(entry.text); !added)
                problems.add(entry.node, added.error().message);
        map.finish();
        if (listen)
            offer.listen = *listen;
        config.serial_offers.push_back(std::move(offer));
    }
    serial.finish();
}

static void read_discovery(YamlProblems& problems, YamlMap& top, HostConfig& config) {
    constexpr std::size_t longest_name = 15; // IFNAMSIZ, without its end
    top.read("discovery", config.discovery);
    for (const YamlText& entry : top.list("discovery_interfaces")) {
        if (entry.text.empty() || entry.text.size() > longest_name ||
            entry.text.find('/') != std::string::npos)
            problems.add(entry.node, fmt::format("'{}' is no name of an interface", entry.text));
        config.discovery_interfaces.push_back(entry.text);
    }
    if (config.discovery && config.discovery_interfaces.empty())
        problems.add(
            top.node(), "'discovery' needs 'discovery_interfaces': where this node may be found");
}

static void read_ssh_port(YamlProblems& problems, YamlMap& top, HostConfig& config) {
    std::string port = "auto";
    top.read("ssh_port", port);
    constexpr unsigned highest = 65535;
    const auto number = parse_decimal(port, highest);
    if (number && *number != 0)
        config.ssh_port = static_cast<std::uint16_t>(*number);
    else if (port != "auto")
        problems.add(
            top.node()["ssh_port"], "'ssh_port' must be auto, or a number from 1 to 65535");
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
    read_ssh_port(problems, top, config);
    read_discovery(problems, top, config);
    top.read_choice("foreign_imports", foreign, {"allow", "refuse"});
    config.foreign_imports = foreign == "refuse" ? ForeignImports::refuse : ForeignImports::allow;
    YamlMap controllers = top.map("controllers");
    controllers.read("hot_add", config.controllers.hot_add);
    controllers.finish();
    read_pis(problems, top, config);
    read_servers(problems, top, config);
    read_machines(problems, top, config);
    read_offers(problems, top, config);
    top.finish();
    if (!problems.lines.empty())
        return problems.error();
    const Result<> checked = config.check();
    if (!checked)
        return fail(checked.error().kind, "{}: {}", file, checked.error().message);
    return config;
}

Result<HostConfig> load_host_config(const std::filesystem::path& file) {
    const auto text = read_file(file, max_settings);
    if (!text && text.error().kind == ErrorKind::not_found)
        return HostConfig{};
    if (!text)
        return text.error();
    return parse_host_config(*text, file.string());
}

} // namespace longcord
