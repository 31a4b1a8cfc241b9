// SPDX-License-Identifier: MIT
// Resets of ESP boards, played here. A reset is a dance of DTR and RTS with 50 and 100 ms between
// its steps; over a network each step comes alone and late, and while DTR and RTS are both on the
// chip leaves its reset with the wrong boot pin. So the client's commands are watched, and a
// whole pattern is played on the spot, each step with one ioctl:
//
//   RTS on while DTR is off, RTS off                     a reset (esptool's hard reset)
//   RTS on while DTR is off, DTR on, RTS off             into the loader (esptool's classic reset)
//
// What is no pattern is a level, and follows; both lines on, which to the board is the same as both
// off, follows late where it may be the middle of a pattern. But RTS alone, which would hold the
// chip in reset, never stands on the wire outside a pattern: so no client resets a board by
// connecting, in whatever order it sets its two lines. Pure: it is told the time, and says when it
// wants to know it again.
#pragma once

#include "base/clock.hpp"
#include "serial/line_settings.hpp"

#include <deque>
#include <optional>

namespace longcord {

class EspReset {
  public:
    static constexpr milliseconds reset_hold{100}; ///< RTS alone: EN is low (esptool reset.py)
    static constexpr milliseconds boot_hold{50};   ///< DTR alone, at least; then as the client does
    /// From one step of the loader's pattern to the next, 0.55 s at most by esptool.
    static constexpr milliseconds patience{1500};

    explicit EspReset(ModemLines resting) : client_(resting), wire_(resting) {}

    /// The client switched one line (also to what it was). Returns what to set now,
    /// both lines at once.
    std::optional<ModemLines> control(bool dtr, bool on, TimePoint now);
    /// To be called at wake_at().
    std::optional<ModemLines> tick(TimePoint now);
    std::optional<TimePoint> wake_at() const;
    /// What was returned last stands on the wire only now: an adapter can take its time, and each
    /// step lasts as long as it must.
    void on_wire(TimePoint now);
    bool playing() const noexcept { return !steps_.empty(); }

  private:
    struct Step {
        milliseconds after;              ///< the step before it
        std::optional<ModemLines> lines; ///< nullopt: the client's levels again
    };
    enum class Seen : std::uint8_t { nothing, rts, rts_dtr };

    std::optional<ModemLines> move(ModemLines lines);
    ModemLines level() const;
    std::optional<ModemLines> play(bool loader, TimePoint now);

    ModemLines client_; ///< what the client believes
    ModemLines wire_;   ///< what was set last
    Seen seen_ = Seen::nothing;
    TimePoint seen_at_{};
    std::deque<Step> steps_;
    TimePoint due_{}; ///< the first of them
};

} // namespace longcord
