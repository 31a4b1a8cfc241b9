// SPDX-License-Identifier: MIT
#include "link/link_fields.hpp"

#include "link/message.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

void LinkRefusal::refuse(std::string_view field, std::string_view what) {
    if (!error_)
        error_ = fail(ErrorKind::invalid, "{}: {}: {}", who_, field, what);
}

LinkFields::LinkFields(LinkRefusal& refusal, const json& value, std::string path)
    : refusal_(refusal), value_(value), path_(std::move(path)) {
    if (!value_.is_object())
        refusal_.refuse(path_.empty() ? "line" : path_, "is no JSON object");
}

std::string LinkFields::path(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

bool LinkFields::has(std::string_view key) const {
    if (!value_.is_object())
        return false;
    const auto at = value_.find(key);
    return at != value_.end() && !at->is_null();
}

const json* LinkFields::find(std::string_view key, bool required) {
    if (has(key))
        return &*value_.find(key);
    if (required)
        refuse(key, "is missing");
    return nullptr;
}

std::uint64_t LinkFields::number(
    std::string_view key, std::uint64_t least, std::uint64_t most,
    std::optional<std::uint64_t> fallback) {
    const json* field = find(key, !fallback);
    if (!field)
        return fallback.value_or(least);
    const auto* n = field->get_ptr<const json::number_unsigned_t*>();
    if (!n || *n < least || *n > most) {
        refuse(key, fmt::format("is no whole number from {} to {}", least, most));
        return least;
    }
    return *n;
}

std::string LinkFields::exact_text(std::string_view key, std::size_t limit) {
    const json* field = find(key, true);
    if (!field)
        return {};
    const auto* text = field->get_ptr<const json::string_t*>();
    if (!text) {
        refuse(key, "is no string");
        return {};
    }
    if (text->size() > limit) {
        refuse(key, fmt::format("has {} bytes, at most {} are allowed", text->size(), limit));
        return {};
    }
    return *text;
}

std::string LinkFields::text(
    std::string_view key, std::optional<std::string> fallback, std::size_t limit) {
    if (fallback && !has(key))
        return *fallback;
    return printable(exact_text(key, max_link_line), limit);
}

bool LinkFields::flag(std::string_view key, bool fallback) {
    const json* field = find(key, false);
    if (!field)
        return fallback;
    const auto* value = field->get_ptr<const json::boolean_t*>();
    if (!value) {
        refuse(key, "is neither true nor false");
        return fallback;
    }
    return *value;
}

std::uint16_t LinkFields::hex4(std::string_view key) {
    constexpr std::size_t digits = 4;
    const std::string text = exact_text(key, max_link_line);
    const auto value = parse_hex(text, 0xffff);
    if (text.size() == digits && value)
        return static_cast<std::uint16_t>(*value);
    refuse(key, fmt::format("\"{}\" is not four hexadecimal digits", printable(text, 32)));
    return 0;
}

const json* LinkFields::list(std::string_view key, std::size_t most) {
    const json* field = find(key, true);
    if (!field)
        return nullptr;
    if (!field->is_array()) {
        refuse(key, "is no list");
        return nullptr;
    }
    if (field->size() > most) {
        refuse(key, fmt::format("has {} elements, at most {} are allowed", field->size(), most));
        return nullptr;
    }
    return field;
}

Result<json> parse_link_line(std::string_view line, LinkRefusal& refusal) {
    if (line.size() > max_link_line)
        refusal.refuse("line", fmt::format("is longer than {} bytes", max_link_line));
    else if (!is_utf8(line))
        refusal.refuse("line", "is not valid UTF-8");
    if (!refusal.none())
        return refusal.error();
    auto value = json::parse(line, nullptr, false);
    if (value.is_discarded())
        // Little of it: a broken `open` has keys in it.
        refusal.refuse("line", fmt::format("is no JSON: \"{}\"", printable(line, 16)));
    else if (!value.is_object())
        refusal.refuse("line", "is no JSON object");
    if (!refusal.none())
        return refusal.error();
    return value;
}

} // namespace longcord
