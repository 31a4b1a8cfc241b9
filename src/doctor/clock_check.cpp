// SPDX-License-Identifier: MIT
#include "doctor/clock_check.hpp"

#include "control/event.hpp"

#include <fmt/core.h>

#include <sys/timex.h>

namespace longcord {

Finding judge_clock(std::chrono::sys_seconds now, bool kept) {
    // The day of CHANGELOG's first entry: nobody runs this before it was made.
    const auto released = parse_time(LONGCORD_RELEASED "T00:00:00.000Z");
    const std::string todo = "timedatectl set-ntp true; timedatectl timesync-status";
    if (released && now < *released)
        return warning(
            "clock",
            fmt::format(
                "is wrong: it says {}, and this version is of {}", format_time(EventTime(now)),
                LONGCORD_RELEASED),
            todo);
    if (kept)
        return good("clock", "is kept right");
    return warning(
        "clock", "is kept by nobody: times in logs, and the expiry of pairing tokens, may be wrong",
        todo);
}

Finding check_clock() {
    timex now{};
    const bool kept = ::adjtimex(&now) >= 0 && (now.status & STA_UNSYNC) == 0;
    return judge_clock(
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()), kept);
}

} // namespace longcord
