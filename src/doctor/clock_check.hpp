// SPDX-License-Identifier: MIT
// Is the clock right? A Pi has no battery for one: without a time server it starts in the past.
#pragma once

#include "doctor/finding.hpp"

#include <chrono>

namespace longcord {

/// `kept`: something keeps it right.
Finding judge_clock(std::chrono::sys_seconds now, bool kept);

/// The kernel's own: adjtimex(2) knows whether it is kept (STA_UNSYNC).
Finding check_clock();

} // namespace longcord
