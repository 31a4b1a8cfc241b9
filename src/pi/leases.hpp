// SPDX-License-Identifier: MIT
// Who has which device: one device, one stream. Several nodes may want a device, and the first one
// that asks gets it; the others are told who has it, and hear when it can be had. Pure: it is told
// what happened and the time.
//
// A stream that dies together with its node's link may live on over there for a while (a cable was
// cut: neither side knows). Until that node must have given it up too, the device is held back.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace longcord {

struct Holder {
    std::string link; ///< the link's address in pi.yaml; empty: a plain USB/IP client, or not known
    std::string node; ///< its name; of a plain client its address
    std::optional<unsigned> vmid;
    bool operator==(const Holder&) const = default;
};

struct Lease {
    enum class State {
        promised,  ///< the stream has to come until `until`
        streaming, ///< it is there
        held_back, ///< it died in silence: nobody else before `until`
    } state = State::promised;
    Holder holder;
    TimePoint until{};
    std::uint64_t stream = 0; ///< while streaming: its number
    bool operator==(const Lease&) const = default;
};

/// "This link is to be told that this device can be had now."
struct AvailableTo {
    std::string link;
    std::string busid;
    auto operator<=>(const AvailableTo&) const = default;
};

class Leases {
  public:
    /// So long a promise stands: the life of its ticket.
    static constexpr milliseconds promise{10'000};
    /// What is added to a node's own time-out before its device is given away.
    static constexpr milliseconds margin{1'000};

    struct Verdict {
        std::optional<Holder> busy;       ///< somebody else has it, and the asker is remembered
        std::optional<std::uint64_t> cut; ///< granted: this old stream of the asker has to end
        bool operator==(const Verdict&) const = default;
    };
    using Notices = std::vector<AvailableTo>;

    /// A node asks for a device, or a plain client does (which is never told later).
    Verdict open(const std::string& busid, const Holder& who, TimePoint now);
    /// The promised stream is here: its number, or nullopt where this link was promised nothing.
    std::optional<std::uint64_t> begin(
        const std::string& busid, const std::string& link, TimePoint now);
    /// A stream that was there before this program.
    std::uint64_t adopt(const std::string& busid, const Holder& who);

    /// A stream has ended. `silent`: its node has not been heard lately; then this is its time-out.
    Notices end(
        const std::string& busid, std::uint64_t stream, std::optional<milliseconds> silent,
        TimePoint now);
    /// The node wants it no more. A stream that is to end stays until it has ended.
    Notices close(const std::string& busid, const std::string& link);
    /// The device is gone, or is no longer exported: nobody has it and nobody waits.
    void forget(const std::string& busid);
    /// The link is down or began anew: what it was promised is free, and it waits for nothing. Its
    /// streams live on.
    Notices link_down(const std::string& link);
    /// To be called at next_expiry().
    Notices expire(TimePoint now);
    std::optional<TimePoint> next_expiry() const;

    const Lease* find(const std::string& busid) const;
    const std::map<std::string, Lease>& all() const noexcept { return leases_; }

  private:
    Notices release(const std::string& busid);

    std::map<std::string, Lease> leases_;                 ///< by busid
    std::map<std::string, std::set<std::string>> losers_; ///< links, by busid
    std::uint64_t last_stream_ = 0;
};

} // namespace longcord
