// SPDX-License-Identifier: MIT
// What this machine's sshd has in force, in its own words (`sshd -T`, sshd(8)): its files include
// others, and each setting counts where it stands first.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace longcord {

/// All settings, one a line, as they would be for the user longcord from elsewhere; or what sshd
/// says is wrong with its files. Takes some 20 ms, 5 s at most; only root gets an answer.
Result<std::string> sshd_settings();

/// The first port of such settings, which is the one it has been given to be found at.
std::uint16_t port_of_sshd(std::string_view settings) noexcept;

/// Its port; 22 where there is no sshd to ask.
std::uint16_t sshd_port();

} // namespace longcord
