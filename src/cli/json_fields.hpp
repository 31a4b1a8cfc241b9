// SPDX-License-Identifier: MIT
// Reading what a service said without believing it: what is missing or of another type is empty,
// and every text is safe to print on a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace longcord {

/// Printable; a number as its digits; empty for anything else.
std::string text_of(const nlohmann::json& value);
std::string text_field(const nlohmann::json& object, const char* key);
std::optional<double> number_field(const nlohmann::json& object, const char* key);
bool flag_field(const nlohmann::json& object, const char* key);
/// An empty array where there is none.
const nlohmann::json& list_field(const nlohmann::json& object, const char* key);
/// Null where there is none.
const nlohmann::json& field(const nlohmann::json& object, const char* key);

} // namespace longcord
