// SPDX-License-Identifier: MIT
// Is the drop-in for the user longcord in force? sshd itself is asked (sshd -T), since a line above
// the Include, or another drop-in that sorts before ours, can win.
#pragma once

#include "doctor/finding.hpp"

#include <string_view>

namespace longcord {

/// `effective`: what `sshd -T -C user=longcord,host=pi,addr=192.0.2.1` prints, one "key value" a
/// line.
Findings judge_sshd(std::string_view effective);

/// Runs it, for 5 s at most.
Findings check_sshd();

} // namespace longcord
