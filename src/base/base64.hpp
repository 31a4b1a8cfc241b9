// SPDX-License-Identifier: MIT
// Base64 as keys have it (RFC 4648, 4, padded) and as it can be pasted anywhere (RFC 4648, 5, "-"
// and "_", unpadded). Strict: what does not decode to whole bytes is none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace longcord {

std::string encode_base64(std::string_view bytes);
std::optional<std::string> decode_base64(std::string_view text);

std::string encode_base64url(std::string_view bytes);
std::optional<std::string> decode_base64url(std::string_view text);

} // namespace longcord
