// SPDX-License-Identifier: MIT
#include "pi/export_state.hpp"

#include <algorithm>

namespace longcord {

static constexpr milliseconds first_retry{500};
static constexpr milliseconds last_retry{30'000};

bool same_kind(const Device& one, const Device& other) {
    return one.id == other.id && one.bcd_device == other.bcd_device &&
           one.device_class == other.device_class;
}

bool same_device(const Device& one, const Device& other) {
    return one.devnum == other.devnum && one.id == other.id && one.bcd_device == other.bcd_device;
}

void observe(
    ExportState& state, const std::string& busid, const Result<LocalDevice>& found, Sight sight,
    TimePoint now, bool held) {
    if (!found || !is_bound(*found))
        state.renew.erase(busid);
    if (!found) {
        state.plugged.erase(busid);
        state.failed.erase(busid);
        return;
    }
    auto entry = state.plugged.find(busid);
    const bool known =
        entry != state.plugged.end() && same_device(entry->second.local.device, found->device);
    if (is_bound(*found)) {
        // A held one has met no driver: what those of its like told still counts.
        const auto earlier = state.before.find(busid);
        const bool told = known && entry->second.held && earlier != state.before.end() &&
                          !earlier->second.adopted &&
                          same_kind(earlier->second.local.device, found->device);
        if (known && !told && !is_bound(entry->second.local))
            // A bind of ours whose outcome was not known has been noted as failed.
            state.before[busid] = {
                entry->second.local, sight != Sight::after_bind && !state.failed.contains(busid)};
        else if (!known && sight == Sight::at_start)
            state.before[busid] = {*found, true};
        state.failed.erase(busid);
    }
    if (const auto failure = state.failed.find(busid);
        failure != state.failed.end() && failure->second.devnum != found->device.devnum)
        state.failed.erase(failure);
    const bool fresh = !known || sight == Sight::given_back;
    const TimePoint since = fresh ? now : entry->second.since;
    const bool still_held = held || (!fresh && entry->second.held);
    state.plugged[busid] = {*found, since, still_held && !is_bound(*found)};
}

void note_failure(
    ExportState& state, const std::string& busid, const std::string& why, TimePoint now) {
    const auto plugged = state.plugged.find(busid);
    if (plugged == state.plugged.end())
        return;
    FailedExport& failure = state.failed[busid];
    failure.devnum = plugged->second.local.device.devnum;
    milliseconds pause = first_retry;
    for (unsigned i = 0; i < failure.failures && pause < last_retry; ++i)
        pause *= 2;
    ++failure.failures;
    failure.retry_at = now + std::min(pause, last_retry);
    failure.why = why;
}

} // namespace longcord
