// SPDX-License-Identifier: MIT
#include "pi/serial_store.hpp"

#include "base/files.hpp"
#include "base/text.hpp"

#include <set>

#include <nlohmann/json.hpp>

namespace longcord {

namespace fs = std::filesystem;
using nlohmann::json;

static constexpr std::size_t max_file = 1024 * 1024;

static fs::path ports_file(const Roots& roots) {
    return roots.state() / "serial_ports.json";
}

static fs::path allow_file(const Roots& roots) {
    return roots.state() / "serial_allow.json";
}

/// The list below `key`; what is not a list of at most `limit` is an error.
static Result<json> read_list(std::string_view text, const char* key, std::size_t limit) {
    const json read = json::parse(text, nullptr, false);
    const auto list = read.is_object() ? read.find(key) : read.end();
    if (!read.is_object() || list == read.end() || !list->is_array() || list->size() > limit)
        return fail(ErrorKind::invalid, "\"{}\" is no list of at most {}", key, limit);
    return *list;
}

std::string format_port_numbers(const PortNumbers& numbers) {
    json list = json::array();
    for (const auto& [place, port] : numbers)
        list.push_back({{"place", place}, {"port", port}});
    return json{{"ports", list}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

static Result<> read_port(const json& entry, PortNumbers& numbers, std::set<unsigned>& taken) {
    const auto place = entry.is_object() ? entry.find("place") : entry.end();
    const auto port = entry.is_object() ? entry.find("port") : entry.end();
    if (!entry.is_object() || place == entry.end() || port == entry.end() || !place->is_string() ||
        !port->is_number_unsigned())
        return fail(ErrorKind::invalid, "no \"place\" and \"port\"");
    const auto number = port->get<std::uint64_t>();
    if (number < 1 || number > 65535)
        return fail(ErrorKind::invalid, "a port is a number from 1 to 65535");
    if (!taken.insert(static_cast<unsigned>(number)).second)
        return fail(ErrorKind::invalid, "port {} stands there twice", number);
    const auto name = place->get<std::string>();
    if (!numbers.emplace(name, static_cast<std::uint16_t>(number)).second)
        return fail(ErrorKind::invalid, "{} stands there twice", printable(name));
    return {};
}

Result<PortNumbers> parse_port_numbers(std::string_view text) {
    const auto list = read_list(text, "ports", max_kept_ports);
    if (!list)
        return list.error();
    PortNumbers numbers;
    std::set<unsigned> taken;
    for (std::size_t i = 0; i < list->size(); ++i)
        if (const auto good = read_port((*list)[i], numbers, taken); !good)
            return fail(ErrorKind::invalid, "ports[{}]: {}", i, good.error().message);
    return numbers;
}

std::string format_allow_list(const AllowList& list) {
    return json{{"allow", list.entries()}}.dump(1) + "\n";
}

Result<AllowList> parse_allow_list(std::string_view text) {
    const auto list = read_list(text, "allow", max_serial_allow);
    if (!list)
        return list.error();
    AllowList out;
    for (const json& entry : *list) {
        const auto added = out.add(entry.is_string() ? entry.get<std::string>() : entry.dump());
        if (!added)
            return added.error();
    }
    return out;
}

template <class T>
static Result<T> load(const fs::path& file, Result<T> (*parse)(std::string_view)) {
    const auto text = read_file(file, max_file);
    if (!text && text.error().kind == ErrorKind::not_found)
        return T{};
    if (!text)
        return text.error();
    auto read = parse(*text);
    if (!read)
        return fail(
            read.error().kind, "{}: {}; mend it or remove it, and restart longcord-pi",
            file.string(), read.error().message);
    return read;
}

Result<PortNumbers> load_port_numbers(const Roots& roots) {
    return load(ports_file(roots), &parse_port_numbers);
}

Result<> save_port_numbers(const Roots& roots, const PortNumbers& numbers) {
    return write_file(ports_file(roots), format_port_numbers(numbers));
}

Result<AllowList> load_allow_list(const Roots& roots) {
    return load(allow_file(roots), &parse_allow_list);
}

Result<> save_allow_list(const Roots& roots, const AllowList& list) {
    return write_file(allow_file(roots), format_allow_list(list));
}

} // namespace longcord
