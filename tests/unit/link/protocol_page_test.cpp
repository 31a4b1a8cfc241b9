// SPDX-License-Identifier: MIT
// docs/protocol.md is the whole of the link's language: each message and each of its fields stands
// there, those that may be left out are marked so, and its examples are understood.
#include "base/files.hpp"
#include "link/link_server.hpp"
#include "link/message.hpp"
#include "link/preface.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;
using nlohmann::json;

namespace {

std::string page() {
    const auto text = read_file(LONGCORD_TEST_DATA "/../../../docs/protocol.md", 1 << 20);
    REQUIRE(text.has_value());
    return *text;
}

std::string section(const std::string& heading) {
    const auto text = page();
    const auto begin = text.find("\n" + heading + "\n");
    REQUIRE_MESSAGE(begin != text.npos, heading);
    return text.substr(begin, text.find("\n#", begin + heading.size()) - begin);
}

/// What stands in `backticks`.
std::vector<std::string> names_in(const std::string& text) {
    std::vector<std::string> names;
    for (auto at = text.find('`'); at != text.npos; at = text.find('`', at + 1)) {
        const auto end = text.find('`', at + 1);
        names.push_back(text.substr(at + 1, end - at - 1));
        at = end;
    }
    return names;
}

struct Row {
    std::vector<std::string> names; ///< of its first cell
    std::string fields;             ///< its second cell
    std::string all;
};

std::vector<Row> table(const std::string& text) {
    std::vector<Row> rows;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| `"))
            continue;
        const auto first = line.find(" |");
        const auto second = line.find(" |", first + 1);
        rows.push_back({names_in(line.substr(0, first)), line.substr(first, second - first), line});
    }
    return rows;
}

/// "`vmid` 1–999999999 or null": what is said of one field.
std::string said_of(const std::string& field, const std::string& fields) {
    const auto at = fields.find('`' + field + '`');
    return at == fields.npos ? "" : fields.substr(at, fields.find(';', at) - at);
}

bool may_be_absent(const std::string& said) {
    return said.find("optional") != said.npos || said.find("default") != said.npos ||
           said.find("or null") != said.npos;
}

void collect_keys(const json& value, std::set<std::string>& keys) {
    if (value.is_object())
        for (const auto& [key, inner] : value.items()) {
            keys.insert(key);
            if (key != "device" && key != "devices") // these have a table of their own
                collect_keys(inner, keys);
        }
    else if (value.is_array())
        for (const auto& each : value)
            collect_keys(each, keys);
}

Device board() {
    Device device;
    device.place = *Place::parse("workbench/1-1.2");
    device.interfaces = {{2, 2, 1}};
    device.configurations = 1;
    device.devnum = 5;
    return device;
}

const std::vector<PiMessage> from_pi{
    Hello{1, "x", 3240}, Devices{{board()}},  Added{board()},    Removed{"1-1"},   Pong{1},
    Opened{1},           OpenRefused{1, "x"}, Busy{1, "x", 100}, Available{"1-1"}, Leave{}};
const std::vector<HostMessage> from_node{
    Welcome{1, "x", "x", "x", milliseconds(1), {{"x", "::1", 22, {"x"}}}},
    Ping{1},
    Open{1, "1-1", 100, {}},
    OpenSerial{1, "4000", "x", {}},
    Close{"1-1"},
    State{"1-1", "x", 100, "plugged", "x", "x"},
    LinkError{"x", true},
    Done{true, "x"}};

/// Every kind of message once.
template <class Message> bool is_complete(const std::vector<Message>& samples) {
    std::set<std::size_t> kinds;
    for (const auto& sample : samples)
        kinds.insert(sample.index());
    return kinds.size() == std::variant_size_v<Message>;
}

/// A message with one field missing, as the other side takes it.
template <class Message> bool is_understood(const std::string& line) {
    if constexpr (std::is_same_v<Message, PiMessage>)
        return parse_pi_message(line, "workbench").has_value();
    else
        return parse_host_message(line).has_value();
}

template <class Message>
void check_messages(const std::string& heading, const std::vector<Message>& samples) {
    REQUIRE(is_complete(samples));
    const auto rows = table(section(heading));
    std::set<std::string> shown, known;
    for (const auto& row : rows)
        shown.insert(row.names.front());
    for (const auto& sample : samples) {
        const json value = json::parse(format(sample));
        const std::string type = value.value("type", "");
        known.insert(type);
        std::string text, fields;
        for (const auto& row : rows) {
            if (row.names.front() != type)
                continue;
            text += row.all; // `open` has two
            // The one that is meant names a field that the other has not.
            const bool serial = row.all.find("`serial`") != row.all.npos;
            if (type != "open" || serial == value.contains("serial"))
                fields = row.fields;
        }
        std::set<std::string> keys;
        collect_keys(value, keys);
        keys.erase("type");
        for (const auto& key : keys)
            CHECK_MESSAGE(text.find('`' + key + '`') != text.npos, type << ": " << key);
        for (const auto& name : names_in(fields))
            CHECK_MESSAGE(keys.contains(name), type << ": " << name);
        for (const auto& item : value.items()) {
            const std::string key = item.key();
            if (key == "type")
                continue;
            auto less = value;
            less.erase(key);
            CAPTURE(type);
            CAPTURE(key);
            CHECK(is_understood<Message>(less.dump()) == may_be_absent(said_of(key, fields)));
        }
    }
    CHECK(shown == known);
}

} // namespace

TEST_CASE("docs/protocol.md has every message of a Pi, field by field") {
    check_messages("## From the Pi", from_pi);
}

TEST_CASE("docs/protocol.md has every message of a node, field by field") {
    check_messages("## From the node", from_node);
}

TEST_CASE("docs/protocol.md has every field of a device, and which of them are needed") {
    std::map<std::string, std::string> told;
    for (const auto& row : table(section("### A device")))
        for (const auto& name : row.names)
            told[name] = row.fields;
    const json value = json::parse(format(PiMessage(Added{board()})));
    CHECK(told.size() == value["device"].size());
    for (const auto& item : value["device"].items()) {
        const std::string key = item.key();
        auto less = value;
        less["device"].erase(key);
        CAPTURE(key);
        REQUIRE(told.contains(key));
        CHECK(
            (told[key].find("optional") != told[key].npos) ==
            is_understood<PiMessage>(less.dump()));
        CHECK(
            (told[key].find("needed") != told[key].npos) == !is_understood<PiMessage>(less.dump()));
    }
}

TEST_CASE("the examples of docs/protocol.md are understood") {
    std::istringstream lines(page());
    unsigned examples = 0;
    std::string example;
    for (std::string line; std::getline(lines, line);) {
        if (example.empty() && !line.starts_with("    {\""))
            continue;
        example += line.substr(0, line.find("   (one line"));
        if (std::ranges::count(example, '{') != std::ranges::count(example, '}'))
            continue;
        const json value = json::parse(example, nullptr, false);
        REQUIRE_MESSAGE(!value.is_discarded(), example);
        const auto text = value.dump();
        if (value.value("type", "") != "pair") // pairing/pair_request has that one
            CHECK_MESSAGE(
                (is_understood<PiMessage>(text) || is_understood<HostMessage>(text) ||
                 parse_preface(text).has_value()),
                text);
        example.clear();
        ++examples;
    }
    CHECK(example.empty());
    CHECK(examples >= 12);
}

TEST_CASE("the limits of docs/protocol.md are those of the code") {
    const auto text = page();
    for (const auto& said :
         {fmt::format("as built, version **{}**", link_version),
          fmt::format("{} devices a Pi", max_link_devices),
          fmt::format("list of at most {} *devices*", max_link_devices),
          fmt::format("a line above {} KiB", max_link_line / 1024),
          fmt::format("`nodes`: list of at most {}, optional", max_link_nodes),
          fmt::format("`host_keys` (at most {},", max_host_keys),
          fmt::format("1–{} bytes; `client` text, 1–{} bytes", max_serial_port, max_serial_client),
          fmt::format("{} Pis |", LinkServer::max_pis),
          fmt::format("{} connections to `link.sock`", LinkServer::max_strangers)})
        CHECK_MESSAGE(text.find(said) != text.npos, said);
}
