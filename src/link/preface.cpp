// SPDX-License-Identifier: MIT
#include "link/preface.hpp"

#include "link/link_fields.hpp"
#include "usb/place.hpp"

#include <array>
#include <limits>

#include <nlohmann/json.hpp>

#include <arpa/inet.h>

namespace longcord {

/// "disconnect 1-1.2" and more: whoever reads it cuts it down to that.
static constexpr std::size_t max_push_command = 200;

static bool is_address(const std::string& text) {
    constexpr std::size_t longest = 64; // IPv6 with a scope: 45 + 1 + IFNAMSIZ
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    const std::string host = text.substr(0, text.find('%'));
    return text.size() <= longest && (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
                                      ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1);
}

std::string format(const Preface& preface) {
    nlohmann::json value = {
        {"pi", preface.pi}, {"address", preface.address}, {"started", preface.started}};
    if (!preface.key.empty())
        value["key"] = preface.key;
    if (preface.pairing)
        value["pairing"] = true;
    if (!preface.command.empty())
        value["command"] = preface.command;
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Preface> parse_preface(std::string_view line) {
    LinkRefusal refusal("link.sock");
    const auto value = parse_link_line(line, refusal);
    if (!value)
        return value.error();
    LinkFields fields(refusal, *value);
    constexpr auto latest = std::numeric_limits<std::uint64_t>::max();
    Preface preface{
        fields.text("pi"),
        fields.text("address"),
        fields.number("started", 0, latest, latest),
        fields.text("key", ""),
        fields.flag("pairing", false),
        fields.text("command", "", max_push_command)};
    if (!is_pi_name(preface.pi))
        fields.refuse("pi", fmt::format("\"{}\" is no name of a Pi", preface.pi));
    if (!is_address(preface.address))
        fields.refuse("address", fmt::format("\"{}\" is no IP address", preface.address));
    if (!refusal.none())
        return refusal.error();
    return preface;
}

Result<std::string> address_from_ssh_connection(std::string_view value) {
    std::string address(value.substr(0, value.find(' ')));
    if (!is_address(address))
        return fail(
            ErrorKind::invalid, "SSH_CONNECTION: \"{}\" does not begin with an IP address",
            printable(value, 80));
    return address;
}

} // namespace longcord
