// SPDX-License-Identifier: MIT
// Shared by the tests of this room: golden files, and short ways to a rule and a device.
#pragma once

#include "base/files.hpp"
#include "base/text.hpp"
#include "rules/check.hpp"

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace longcord::test {

inline const std::filesystem::path data = LONGCORD_TEST_DATA;

inline std::string slurp(const std::filesystem::path& path) {
    const auto content = read_file(path, 1 << 20);
    return content ? *content : std::string();
}

/// Compares with the file beside the case. With LONGCORD_WRITE_EXPECTED set it writes that file
/// instead: look at the difference before you commit it.
inline void check_golden(const std::filesystem::path& expected, const std::string& found) {
    if (std::getenv("LONGCORD_WRITE_EXPECTED") != nullptr)
        REQUIRE(write_file(expected, found).has_value());
    INFO(expected.string());
    REQUIRE(std::filesystem::exists(expected));
    CHECK(slurp(expected) == found);
}

inline Rule rule(const std::string& text) {
    const auto parsed = parse_rules(text);
    INFO(text, parsed.diagnostics.empty() ? "" : ": " + parsed.diagnostics.front().message);
    REQUIRE(parsed.ok());
    REQUIRE(parsed.rules.size() == 1);
    return parsed.rules.front();
}

inline VmRules vm(unsigned vmid, const std::string& text) {
    return VmRules{vmid, parse_rules(text).rules};
}

inline Device device(const std::string& place, const std::string& id = "1a86:55d4") {
    Device device;
    device.place = Place::parse(place).value();
    device.id = UsbId::parse(id).value();
    return device;
}

/// {"place": "3-4.1", "id": "1a86:55d4", and the rest as needed}
inline SeenDevice seen_from_json(const nlohmann::json& json) {
    SeenDevice seen;
    auto& device = seen.device;
    device = test::device(json.at("place").get<std::string>(), json.value("id", "1a86:55d4"));
    device.controller = json.value("controller", "");
    device.serial = json.value("serial", "");
    device.product = json.value("product", "");
    device.device_class.code = json.value("class", std::uint8_t{0});
    for (const auto& code : json.value("interfaces", std::vector<std::uint8_t>()))
        device.interfaces.push_back({code, 0, 0});
    seen.devpath = json.value("devpath", "");
    if (json.contains("peer"))
        seen.peer = Place::parse(json.at("peer").get<std::string>()).value();
    seen.peer_devpath = json.value("peer_devpath", "");
    return seen;
}

} // namespace longcord::test
