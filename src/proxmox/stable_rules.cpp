// SPDX-License-Identifier: MIT
#include "proxmox/stable_rules.hpp"

#include <algorithm>
#include <set>

namespace longcord {

const RulesTexts& StableRules::update(const RulesTexts& seen, TimePoint now) {
    std::set<unsigned> vmids;
    for (const auto& [vmid, rules] : counted_)
        vmids.insert(vmid);
    for (const auto& [vmid, rules] : seen)
        vmids.insert(vmid);
    for (const unsigned vmid : vmids) {
        const auto found = seen.find(vmid);
        if (found == seen.end()) {
            doubt(vmid, nullptr, now);
        } else if (found->second.text.empty()) {
            doubt(vmid, &found->second, now);
        } else {
            counted_[vmid] = found->second;
            doubts_.erase(vmid);
        }
    }
    // A file that was empty, never counted, and is gone: nobody is left to doubt it for.
    std::erase_if(doubts_, [&](const auto& entry) { return !vmids.contains(entry.first); });
    return counted_;
}

/// `empty`: the empty file; nullptr: there is none.
void StableRules::doubt(unsigned vmid, const RulesText* empty, TimePoint now) {
    const auto counted = counted_.find(vmid);
    if (empty && counted != counted_.end() && counted->second.text.empty()) {
        doubts_.erase(vmid); // as before
        return;
    }
    const Doubt fresh{empty == nullptr, now};
    auto& doubt = doubts_.try_emplace(vmid, fresh).first->second;
    if (doubt.vanished != fresh.vanished)
        doubt = fresh;
    if (now - doubt.since < settle_time)
        return;
    if (empty)
        counted_[vmid] = *empty;
    else
        counted_.erase(vmid);
    doubts_.erase(vmid);
}

std::optional<TimePoint> StableRules::due() const {
    if (doubts_.empty())
        return std::nullopt;
    const auto earlier = [](const auto& a, const auto& b) {
        return a.second.since < b.second.since;
    };
    return std::min_element(doubts_.begin(), doubts_.end(), earlier)->second.since + settle_time;
}

} // namespace longcord
