// SPDX-License-Identifier: MIT
// The tickets that nodes have announced with `open`, and what became of those that were shown. One
// ticket serves one stream of one busid for one link, within 10 s. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "seal/stream_secret.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace longcord {

struct SerialGrant {
    std::string port; ///< the key of the port, as this Pi has it
    std::string name; ///< of the client: "pve1 for 10.0.0.5:53211"
    bool operator==(const SerialGrant&) const = default;
};

/// What a ticket is good for.
struct Grant {
    std::string busid;
    std::string link;
    StreamSecret secret;
    std::optional<SerialGrant> serial{}; ///< of a serial port; then there is no busid
};

class Tickets {
  public:
    static constexpr milliseconds lifetime{10'000};
    /// So many spent tickets are told from those that never were.
    static constexpr std::size_t remembered = 1'024;

    struct Refused {
        std::uint64_t wrong = 0;    ///< never announced
        std::uint64_t replayed = 0; ///< used before
        std::uint64_t late = 0;     ///< after 10 s, or taken back
        bool operator==(const Refused&) const = default;
    };

    /// Serial streams of one link that were announced and have not come yet.
    static constexpr std::size_t max_serial = 64;

    /// In place of an earlier one of this link for this busid. full: max_serial.
    Result<> add(Grant grant, TimePoint now);
    /// Spends it. refused: it is good for nothing, and counted.
    Result<Grant> redeem(const Ticket& ticket, TimePoint now);
    /// The node wants it no more, or was answered otherwise.
    void revoke(const std::string& busid, const std::string& link);
    void revoke_link(const std::string& link);
    void revoke_device(const std::string& busid);

    /// How many could be shown now.
    std::size_t outstanding(TimePoint now) const;
    const Refused& refused() const noexcept { return refused_; }

  private:
    struct Entry {
        Grant grant;
        TimePoint until;
    };
    /// Of a ticket that is good no more, its first bytes: enough to know it again.
    struct Spent {
        std::uint64_t mark = 0;
        bool used = false;
    };

    template <class Which> void spend_where(Which which);
    void remember(const Ticket& ticket, bool used);

    std::vector<Entry> entries_;
    std::deque<Spent> spent_;
    Refused refused_;
};

} // namespace longcord
