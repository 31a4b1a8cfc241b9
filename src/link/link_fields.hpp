// SPDX-License-Identifier: MIT
// Strict reading of a JSON object from outside. A field is there with the right type and within its
// bounds, or the first thing that was wrong is kept as a refusal, with its path:
// "devices[3].busid". After a refusal, readers go on with harmless values; the caller asks once, at
// the end.
#pragma once

#include "base/error.hpp"
#include "base/text.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

class LinkRefusal {
  public:
    /// `who` begins the message: "Pi workbench".
    explicit LinkRefusal(std::string who) : who_(std::move(who)) {}

    void refuse(std::string_view field, std::string_view what);
    bool none() const noexcept { return !error_; }
    const Error& error() const { return *error_; }

  private:
    std::string who_;
    std::optional<Error> error_;
};

class LinkFields {
  public:
    /// `value` must outlive this; `path` is empty for the message itself.
    LinkFields(LinkRefusal& refusal, const nlohmann::json& value, std::string path = {});

    bool has(std::string_view key) const;
    /// A whole number in [least, most]; without `fallback` it must be there.
    std::uint64_t number(
        std::string_view key, std::uint64_t least, std::uint64_t most,
        std::optional<std::uint64_t> fallback = {});
    unsigned small_number(
        std::string_view key, unsigned least, unsigned most,
        std::optional<unsigned> fallback = {}) {
        return static_cast<unsigned>(number(key, least, most, fallback));
    }
    /// A string as it came; one above `limit` bytes is refused.
    std::string exact_text(std::string_view key, std::size_t limit);
    /// A string for people: made printable and cut.
    std::string text(
        std::string_view key, std::optional<std::string> fallback = {},
        std::size_t limit = max_device_string);
    bool flag(std::string_view key, bool fallback);
    /// Four hexadecimal digits in a string: "1a86".
    std::uint16_t hex4(std::string_view key);
    /// An array of at most `most` elements; nullptr after a refusal.
    const nlohmann::json* list(std::string_view key, std::size_t most);

    void refuse(std::string_view key, std::string_view what) { refusal_.refuse(path(key), what); }
    std::string path(std::string_view key) const;
    LinkRefusal& refusal() const noexcept { return refusal_; }

  private:
    const nlohmann::json* find(std::string_view key, bool required);

    LinkRefusal& refusal_;
    const nlohmann::json& value_;
    std::string path_;
};

/// The line as a JSON object; refuses what is too long, not UTF-8, not JSON or not an object.
Result<nlohmann::json> parse_link_line(std::string_view line, LinkRefusal& refusal);

} // namespace longcord
