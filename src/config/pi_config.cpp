// SPDX-License-Identifier: MIT
#include "config/pi_config.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "config/serial_place.hpp"
#include "config/yaml_map.hpp"

#include <algorithm>

namespace longcord {

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

static void read_usbip(YamlProblems& problems, YamlMap& top, PiConfig& config) {
    YamlMap map = top.map("usbip");
    for (const YamlText& entry : map.list("allow")) {
        const auto range = Network::parse(entry.text);
        if (range)
            config.usbip_allow.push_back(*range);
        else
            problems.add(entry.node, range.error().message);
    }
    map.finish();
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

/// Each value of a mapping from places; the others are problems.
static std::vector<std::pair<std::string, YamlText>> read_by_place(
    YamlProblems& problems, YamlMap& map, const std::string& key) {
    std::vector<std::pair<std::string, YamlText>> out;
    for (const auto& [place, node] : map.entries(key)) {
        if (!is_own_place(place.text)) {
            problems.add(
                place.node,
                fmt::format(
                    "'{}' is no place of this machine (1-1.2, platform-fe9c0000.xhci/1.2)",
                    place.text));
            continue;
        }
        if (auto value = map.text_of(node, "the value of " + place.text))
            out.emplace_back(place.text, std::move(*value));
    }
    return out;
}

static void read_serial_ports(YamlProblems& problems, YamlMap& map, SerialConfig& config) {
    for (const auto& [place, value] : read_by_place(problems, map, "ports")) {
        const auto port = parse_decimal(value.text, 65535);
        if (!port || *port == 0) {
            problems.add(value.node, "a port is a number from 1 to 65535");
            continue;
        }
        for (const auto& [other, taken] : config.ports)
            if (taken == *port)
                problems.add(value.node, fmt::format("port {} is {}'s already", *port, other));
        config.ports[place] = static_cast<std::uint16_t>(*port);
    }
}

static void read_serial(YamlProblems& problems, YamlMap& top, SerialConfig& config) {
    YamlMap map = top.map("serial");
    bool given = false;
    const auto listen = map.list("listen", &given);
    if (given)
        config.listen.clear();
    for (const YamlText& entry : listen) {
        if (!Network::parse(entry.text) || entry.text.find('/') != std::string::npos)
            problems.add(entry.node, fmt::format("'{}' is no address", entry.text));
        config.listen.push_back(entry.text);
    }
    for (const YamlText& entry : map.list("allow"))
        if (const auto added = config.allow.add(entry.text); !added)
            problems.add(entry.node, added.error().message);
    read_serial_ports(problems, map, config);
    for (const auto& [place, value] : read_by_place(problems, map, "modes")) {
        const auto mode = parse_mode(value.text);
        if (mode)
            config.modes[place] = *mode;
        else
            problems.add(value.node, mode.error().message);
    }
    map.read("hold", config.hold, milliseconds(0), SerialConfig::max_hold);
    std::string logs;
    map.read("logs", logs);
    if (!logs.empty() && !logs.starts_with('/'))
        problems.add(map.node(), "'serial.logs' must be an absolute path, or empty");
    config.logs = logs;
    map.read("observers", config.observers);
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
    read_usbip(problems, top, config);
    read_exports(problems, top, config.exports);
    read_serial(problems, top, config.serial);
    top.finish();
    if (!problems.lines.empty())
        return problems.error();
    const Result<> checked = config.check();
    if (!checked)
        return fail(checked.error().kind, "{}: {}", file, checked.error().message);
    return config;
}

Result<PiConfig> load_pi_config(const std::filesystem::path& file) {
    const auto text = read_file(file, max_settings);
    if (!text && text.error().kind == ErrorKind::not_found)
        return PiConfig{};
    if (!text)
        return text.error();
    return parse_pi_config(*text, file.string());
}

} // namespace longcord
