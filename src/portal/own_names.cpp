// SPDX-License-Identifier: MIT
#include "portal/own_names.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace longcord {

/// Without its port and the dot at its end, in lower case.
static std::string name_of(std::string_view host) {
    if (host.starts_with('['))
        return std::string(host.substr(1, host.find(']') - 1));
    std::string name(host.substr(0, host.find(':')));
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (name.ends_with('.'))
        name.pop_back();
    return name;
}

static bool is_address(const std::string& name) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    const auto v6 = name.substr(0, name.find('%'));
    return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, v6.c_str(), bytes.data()) == 1;
}

/// Special use (RFC 6761, 6762, 8375), kept for private use by ICANN, or never to be delegated.
static bool is_private(std::string_view name) {
    constexpr std::array<std::string_view, 12> endings{
        ".local", ".localhost", ".localdomain", ".lan",     ".home", ".home.arpa",
        ".corp",  ".internal",  ".intranet",    ".private", ".test", ".invalid"};
    return name.find('.') == std::string_view::npos ||
           std::ranges::any_of(endings, [&](auto ending) { return name.ends_with(ending); });
}

bool OwnNames::has(std::string_view host) const {
    const std::string name = name_of(host);
    return is_address(name) || is_private(name) ||
           std::ranges::any_of(names_, [&](const auto& own) { return name_of(own) == name; });
}

} // namespace longcord
