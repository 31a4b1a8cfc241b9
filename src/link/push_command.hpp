// SPDX-License-Identifier: MIT
// What a Pi without our package says with its key: `ssh longcord@node connect 1-1.2`. The words are
// the login's own (SSH_ORIGINAL_COMMAND), so they are not trusted.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace longcord {

struct PushCommand {
    bool connect = false; ///< the busid came; else it went
    std::string busid;    ///< "1-1.2", as the kernel spells it
    bool operator==(const PushCommand&) const = default;
};

/// "connect BUSID" or "disconnect BUSID"; blanks around and between are of no account. The error
/// says what can be said.
Result<PushCommand> parse_push_command(std::string_view text);
std::string format(const PushCommand& command);

} // namespace longcord
