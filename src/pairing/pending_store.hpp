// SPDX-License-Identifier: MIT
// The pairings that are under way, as files that all nodes of a cluster share:
//
//     pairing/NAME.ID         open: its throw-away key may log in once
//     pairing/NAME.ID.used    used or closed; kept until it expires, so that a second use is told
//     pairing/NAME.ID.wrong   how often it was used wrongly
//
// ID names the throw-away key. Single use over the whole cluster is one rename from the first name
// to the second: pmxcfs orders renames of all nodes, and the one that comes second finds nothing.
// Blocking, like key_folders.hpp.
#pragma once

#include "base/roots.hpp"
#include "pairing/key_folders.hpp"
#include "pairing/pending.hpp"

#include <string>
#include <vector>

namespace longcord {

constexpr std::size_t max_pending = 32; ///< pairings under way at a time

struct OpenPairing {
    std::string pi;
    std::string fingerprint;
    Pending pending;
};

/// Open and used ones, those that have expired too.
Result<std::vector<OpenPairing>> read_pending(const Roots& roots, const Complain& complain);

/// Ends other open ones of this name. ErrorKind::full at max_pending.
Result<> begin_pairing(
    const Roots& roots, const std::string& pi, const Pending& pending, UnixTime now);

/// What a use of a token came to.
struct PairingUse {
    enum class Kind {
        first,  ///< this one and no other may hand over a key
        again,  ///< it was used, or closed, before: `pending.used` says by whom
        unknown ///< none with this key, or its time is over
    };
    Kind kind = Kind::unknown;
    Pending pending;
};

/// Takes the pairing, for good. `by` is kept in words for whoever comes second.
Result<PairingUse> use_pairing(
    const Roots& roots, const std::string& pi, std::string_view fingerprint, std::string_view by,
    UnixTime now);

/// Counts a wrong use, of an open pairing or of a used one; the last that is allowed ends it: sshd
/// knows its key no more. Returns how many there were.
Result<unsigned> count_wrong_use(
    const Roots& roots, const std::string& pi, std::string_view fingerprint);

/// Removes what has expired.
void sweep_pairings(const Roots& roots, UnixTime now);
/// Removes all that is under way for this Pi.
void forget_pairings(const Roots& roots, const std::string& pi);

} // namespace longcord
