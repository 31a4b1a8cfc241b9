// SPDX-License-Identifier: MIT
#include "config/address.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace longcord {

static bool is_host(std::string_view host) {
    return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_' || c == ':' || c == '%';
    });
}

Result<Address> Address::parse(std::string_view text, std::uint16_t default_port) {
    std::string_view host = text;
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos)
            return fail(ErrorKind::invalid, "'{}': the ']' after the address is missing", text);
        host = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        has_port = rest.starts_with(':');
        if (!has_port && !rest.empty())
            return fail(ErrorKind::invalid, "'{}': after ']' comes ':PORT' or nothing", text);
        port = has_port ? rest.substr(1) : rest;
    } else if (std::ranges::count(text, ':') == 1) {
        const auto colon = text.find(':');
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        has_port = true;
    }
    if (!is_host(host) || host.starts_with('-'))
        return fail(ErrorKind::invalid, "'{}' is no host name or address", text);
    Address address{std::string(host), default_port};
    if (has_port) {
        const auto number = parse_decimal(port, 65535);
        if (!number || *number == 0)
            return fail(ErrorKind::invalid, "'{}': the port is a number from 1 to 65535", text);
        address.port = static_cast<std::uint16_t>(*number);
    }
    return address;
}

std::string Address::to_string() const {
    if (host.find(':') != std::string::npos)
        return fmt::format("[{}]:{}", host, port);
    return fmt::format("{}:{}", host, port);
}

} // namespace longcord
