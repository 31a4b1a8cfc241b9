// SPDX-License-Identifier: MIT
// Which rules count, of those that were read. In /etc/pve neither O_TRUNC nor a rename from another
// node is atomic: a reader can find a file empty or gone that is about to have the same rules
// again, and taking that at its word would unplug every device of the VM. So text counts at once,
// but an empty or vanished file only after it has been so for 2 s.
#pragma once

#include "base/clock.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace longcord {

struct RulesText {
    std::filesystem::path file; ///< "/etc/pve/qemu-server/100.usb.conf"
    std::string text = {};
    /// It lies in the directory of another node, where its VM ran before.
    bool elsewhere = false;
    std::vector<std::filesystem::path> others = {}; ///< files of that VM that do not count

    bool operator==(const RulesText&) const = default;
};

/// By VMID.
using RulesTexts = std::map<unsigned, RulesText>;

class StableRules {
  public:
    static constexpr milliseconds settle_time{2000};

    /// `seen` is everything that was found at `now`; returns everything that counts.
    const RulesTexts& update(const RulesTexts& seen, TimePoint now);

    /// Nothing could be seen: what is doubted now has to be stable anew.
    void interrupted() noexcept { doubts_.clear(); }

    /// When to look again at the latest: something waits to be believed then.
    std::optional<TimePoint> due() const;
    bool settled() const noexcept { return doubts_.empty(); }

  private:
    struct Doubt {
        bool vanished; ///< else empty
        TimePoint since;
    };

    void doubt(unsigned vmid, const RulesText* empty, TimePoint now);

    RulesTexts counted_;
    std::map<unsigned, Doubt> doubts_;
};

} // namespace longcord
