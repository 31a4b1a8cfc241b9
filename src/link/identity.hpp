// SPDX-License-Identifier: MIT
// The Pi's own key, as far as others may see it.
#pragma once

#include "link/authorized_key.hpp"

#include <filesystem>

namespace longcord {

/// The public half of a private key file without passphrase. ErrorKind::not_found: no file.
Result<PublicKey> public_half_of(const std::filesystem::path& private_key);

} // namespace longcord
