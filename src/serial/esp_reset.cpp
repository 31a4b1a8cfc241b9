// SPDX-License-Identifier: MIT
#include "serial/esp_reset.hpp"

namespace longcord {

static constexpr ModemLines in_reset{false, true};
static constexpr ModemLines to_loader{true, false};

std::optional<ModemLines> EspReset::control(bool dtr, bool on, TimePoint now) {
    const ModemLines before = client_;
    (dtr ? client_.dtr : client_.rts) = on;
    if (!dtr && on && !client_.dtr) {
        seen_ = Seen::rts;
        seen_at_ = now;
    } else if (dtr && on && seen_ == Seen::rts) {
        seen_ = now - seen_at_ <= patience ? Seen::rts_dtr : Seen::nothing;
        seen_at_ = now;
    } else if (!dtr && !on) {
        const bool loader = seen_ == Seen::rts_dtr && now - seen_at_ <= patience;
        const bool reset = seen_ == Seen::rts;
        seen_ = Seen::nothing;
        if (loader || reset)
            return play(loader, now);
    } else if (client_ != before) { // esptool repeats DTR after each RTS, which is no change
        seen_ = Seen::nothing;
    }
    if (playing() || seen_ == Seen::rts_dtr)
        return std::nullopt;
    return move(level());
}

std::optional<ModemLines> EspReset::play(bool loader, TimePoint now) {
    steps_.clear();
    if (loader)
        steps_.push_back({reset_hold, to_loader});
    steps_.push_back({loader ? boot_hold : reset_hold, std::nullopt});
    on_wire(now);
    return move(in_reset);
}

std::optional<ModemLines> EspReset::tick(TimePoint now) {
    const auto due = wake_at();
    if (!due || *due > now)
        return std::nullopt;
    if (steps_.empty()) { // the third step of the loader's pattern did not come
        seen_ = Seen::nothing;
        return move(level());
    }
    const Step step = steps_.front();
    steps_.pop_front();
    on_wire(now);
    return move(step.lines.value_or(level()));
}

void EspReset::on_wire(TimePoint now) {
    if (!steps_.empty())
        due_ = now + steps_.front().after;
}

std::optional<TimePoint> EspReset::wake_at() const {
    if (!steps_.empty())
        return due_;
    if (seen_ == Seen::rts_dtr)
        return seen_at_ + patience;
    return std::nullopt;
}

ModemLines EspReset::level() const {
    return client_ == in_reset ? ModemLines{} : client_;
}

std::optional<ModemLines> EspReset::move(ModemLines lines) {
    if (lines == wire_)
        return std::nullopt;
    wire_ = lines;
    return lines;
}

} // namespace longcord
