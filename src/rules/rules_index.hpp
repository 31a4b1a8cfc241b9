// SPDX-License-Identifier: MIT
// The rules of all VMs, laid out so that a device meets only those that could mean it: a plan asks
// for every device, and asking every rule each time would cost devices times rules. Answers are
// those of claims() (a property test holds the two against each other).
#pragma once

#include "rules/claim.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace longcord {

class RulesIndex {
  public:
    /// `vms` must outlive it, unchanged.
    explicit RulesIndex(std::span<const VmRules> vms);

    /// As claims(subject, vms).
    std::vector<Claim> claims(const Subject& subject) const;
    /// As speaking_rule() with this VM's rules; nullptr too where it has none.
    const Rule* speaking(const Subject& subject, unsigned vmid) const;
    bool has_rules(unsigned vmid) const;

  private:
    struct Entry {
        const VmRules* vm = nullptr;
        const Rule* rule = nullptr;
    };
    using Entries = std::vector<Entry>;

    Entries& group_of(const Rule& rule);
    void add_matches(const Entries& entries, const Subject& subject, Entries& found) const;
    void add_local(const Place& place, const Subject& subject, Entries& found) const;

    std::unordered_map<unsigned, const VmRules*> vms_;
    std::unordered_map<std::string, Entries> of_pi_;         ///< any place of that Pi
    std::unordered_map<std::uint64_t, Entries> of_port_;     ///< local, by bus and root port
    std::unordered_map<std::string, Entries> of_controller_; ///< local
    std::unordered_map<std::uint32_t, Entries> of_id_;       ///< anywhere, with a vid:pid
    Entries others_;                                         ///< DEVPATHs, and anywhere without one
};

} // namespace longcord
