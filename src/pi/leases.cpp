// SPDX-License-Identifier: MIT
#include "pi/leases.hpp"

#include <algorithm>

namespace longcord {

const Lease* Leases::find(const std::string& busid) const {
    const auto found = leases_.find(busid);
    return found == leases_.end() ? nullptr : &found->second;
}

Leases::Verdict Leases::open(const std::string& busid, const Holder& who, TimePoint now) {
    const auto held = leases_.find(busid);
    Verdict verdict;
    if (held != leases_.end()) {
        const bool own = !who.link.empty() && held->second.holder.link == who.link;
        if (!own) {
            if (!who.link.empty())
                losers_[busid].insert(who.link);
            verdict.busy = held->second.holder;
            return verdict;
        }
        if (held->second.state == Lease::State::streaming)
            verdict.cut = held->second.stream;
    }
    if (const auto waiting = losers_.find(busid); waiting != losers_.end())
        waiting->second.erase(who.link);
    leases_[busid] = Lease{Lease::State::promised, who, now + promise, 0};
    return verdict;
}

std::optional<std::uint64_t> Leases::begin(
    const std::string& busid, const std::string& link, TimePoint now) {
    const auto held = leases_.find(busid);
    if (held == leases_.end() || held->second.state != Lease::State::promised ||
        held->second.holder.link != link || now > held->second.until)
        return std::nullopt;
    held->second.state = Lease::State::streaming;
    held->second.stream = ++last_stream_;
    return last_stream_;
}

std::uint64_t Leases::adopt(const std::string& busid, const Holder& who) {
    leases_[busid] = Lease{Lease::State::streaming, who, TimePoint{}, ++last_stream_};
    return last_stream_;
}

Leases::Notices Leases::end(
    const std::string& busid, std::uint64_t stream, std::optional<milliseconds> silent,
    TimePoint now) {
    const auto held = leases_.find(busid);
    // Another number: the holder has opened anew meanwhile, and this was its old stream.
    if (held == leases_.end() || held->second.state != Lease::State::streaming ||
        held->second.stream != stream)
        return {};
    if (!silent)
        return release(busid);
    held->second.state = Lease::State::held_back;
    held->second.until = now + *silent + margin;
    return {};
}

Leases::Notices Leases::close(const std::string& busid, const std::string& link) {
    if (const auto waiting = losers_.find(busid); waiting != losers_.end())
        waiting->second.erase(link);
    const auto held = leases_.find(busid);
    if (held == leases_.end() || held->second.holder.link != link ||
        held->second.state == Lease::State::streaming)
        return {};
    return release(busid);
}

void Leases::forget(const std::string& busid) {
    leases_.erase(busid);
    losers_.erase(busid);
}

Leases::Notices Leases::link_down(const std::string& link) {
    for (auto& [busid, waiting] : losers_)
        waiting.erase(link);
    std::vector<std::string> promised;
    for (const auto& [busid, lease] : leases_)
        if (lease.state == Lease::State::promised && lease.holder.link == link)
            promised.push_back(busid);
    Notices notices;
    for (const auto& busid : promised)
        std::ranges::copy(release(busid), std::back_inserter(notices));
    return notices;
}

Leases::Notices Leases::expire(TimePoint now) {
    std::vector<std::string> over;
    for (const auto& [busid, lease] : leases_)
        if (lease.state != Lease::State::streaming && now >= lease.until)
            over.push_back(busid);
    Notices notices;
    for (const auto& busid : over)
        std::ranges::copy(release(busid), std::back_inserter(notices));
    return notices;
}

std::optional<TimePoint> Leases::next_expiry() const {
    std::optional<TimePoint> next;
    for (const auto& [busid, lease] : leases_)
        if (lease.state != Lease::State::streaming && (!next || lease.until < *next))
            next = lease.until;
    return next;
}

Leases::Notices Leases::release(const std::string& busid) {
    leases_.erase(busid);
    Notices notices;
    if (const auto waiting = losers_.extract(busid))
        for (const auto& link : waiting.mapped())
            notices.push_back({link, busid});
    return notices;
}

} // namespace longcord
