// SPDX-License-Identifier: MIT
#include "pairing/pending.hpp"

#include "base/text.hpp"
#include "pairing/ssh_key.hpp"

#include <ctime>

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

constexpr UnixTime latest = 253'402'300'799; // the last second with a year of four digits

Error none(std::string_view what) {
    return fail(ErrorKind::invalid, "is no pairing: {}", what);
}

std::string text_of(const json& value, const char* key) {
    const auto at = value.find(key);
    if (at == value.end() || !at->is_string())
        return {};
    return printable(at->get_ref<const std::string&>(), max_pending_file);
}

UnixTime time_of(const json& value, const char* key) {
    const auto at = value.find(key);
    if (at == value.end() || !at->is_number_unsigned() || at->get<std::uint64_t>() > latest)
        return -1;
    return at->get<UnixTime>();
}

std::string utc(UnixTime time) {
    tm parts{};
    const std::time_t seconds = time;
    ::gmtime_r(&seconds, &parts);
    return fmt::format(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
        parts.tm_hour, parts.tm_min, parts.tm_sec);
}

} // namespace

std::string format(const Pending& pending) {
    const json value = {
        {"key", pending.key.type + ' ' + pending.key.blob},
        {"node", pending.node},
        {"made", pending.made},
        {"expires", pending.expires},
        {"replace", pending.replace},
        {"used", pending.used}};
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<Pending> parse_pending(std::string_view text) {
    const json value = json::parse(text, nullptr, false);
    if (!value.is_object())
        return none("no JSON object");
    auto key = parse_public_key(text_of(value, "key"));
    if (!key)
        return none("key " + key.error().message);
    Pending pending;
    pending.key = std::move(*key);
    pending.node = text_of(value, "node");
    pending.made = time_of(value, "made");
    pending.expires = time_of(value, "expires");
    if (pending.made < 0 || pending.expires <= pending.made ||
        pending.expires - pending.made > pairing_lifetime)
        return none("its times cannot be");
    const auto replace = value.find("replace");
    pending.replace = replace != value.end() && replace->is_boolean() && replace->get<bool>();
    pending.used = text_of(value, "used");
    return pending;
}

bool is_in_time(const Pending& pending, UnixTime now) noexcept {
    return now < pending.expires && now >= pending.made - max_clock_skew;
}

std::string pairing_id(std::string_view fingerprint) {
    constexpr std::size_t bytes = 8;
    const std::string hash = fingerprint_bytes(fingerprint).value_or(std::string(bytes, '\0'));
    std::string id;
    for (std::size_t i = 0; i < bytes; ++i)
        id += fmt::format("{:02x}", static_cast<unsigned char>(hash[i]));
    return id;
}

std::string pairing_keys_line(
    std::string_view program, std::string_view pi, std::string_view fingerprint,
    const Pending& pending) {
    return fmt::format(
        "restrict,expiry-time=\"{}\",command=\"{} --pair {} --key {}\" {} {}", utc(pending.expires),
        program, pi, fingerprint, pending.key.type, pending.key.blob);
}

} // namespace longcord
