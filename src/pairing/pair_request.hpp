// SPDX-License-Identifier: MIT
// What a Pi says once, over its throw-away key: here is my own key. The node answers with the
// link's `welcome`, whose `pi` is the name it has from now on, or with a final `error`. Pure.
#pragma once

#include "link/authorized_key.hpp"
#include "link/message.hpp"

#include <string>
#include <string_view>

namespace longcord {

struct PairRequest {
    unsigned version = link_version;
    std::string software;
    PublicKey key; ///< ed25519 only: the Pi made it for this
    bool operator==(const PairRequest&) const = default;
};

std::string format(const PairRequest& request);
/// `pi`: for messages, and to be named in a refusal.
Result<PairRequest> parse_pair_request(std::string_view line, const std::string& pi);

} // namespace longcord
