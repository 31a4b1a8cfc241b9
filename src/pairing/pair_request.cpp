// SPDX-License-Identifier: MIT
#include "pairing/pair_request.hpp"

#include "link/link_fields.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

std::string format(const PairRequest& request) {
    const nlohmann::json value = {
        {"type", "pair"},
        {"version", request.version},
        {"software", request.software},
        {"key", request.key.type + ' ' + request.key.blob}};
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<PairRequest> parse_pair_request(std::string_view line, const std::string& pi) {
    constexpr unsigned max_version = 0xffff;
    LinkRefusal refusal("Pi " + pi);
    const auto value = parse_link_line(line, refusal);
    if (!value)
        return value.error();
    LinkFields fields(refusal, *value);
    if (fields.exact_text("type", max_link_line) != "pair")
        fields.refuse("type", "is not \"pair\", which is all that this key is for");
    PairRequest request;
    request.version = fields.small_number("version", 0, max_version);
    request.software = fields.text("software", "");
    auto key = parse_public_key(fields.exact_text("key", max_key_file));
    if (!key)
        fields.refuse("key", key.error().message);
    else if (key->type != "ssh-ed25519")
        fields.refuse("key", "is no ed25519 key");
    else
        request.key = std::move(*key);
    if (!refusal.none())
        return refusal.error();
    return request;
}

} // namespace longcord
