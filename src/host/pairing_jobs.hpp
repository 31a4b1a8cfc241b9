// SPDX-License-Identifier: MIT
// What pairing does with files, each a whole job for a worker thread: nothing here knows the loop,
// and everything that decides is read and written in one go.
#pragma once

#include "link/preface.hpp"
#include "pairing/cluster.hpp"
#include "pairing/pending_store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace longcord {

/// `longcord pair`, as it was asked for.
struct PairRequestOfAdmin {
    std::string pi;
    bool replace = false;
    std::optional<PublicKey> key;       ///< to be let in at once, without a token
    std::vector<std::string> addresses; ///< of this node; empty: as they are found
    unsigned port = 0;                  ///< at these addresses; 0: not said
    unsigned ssh_port = 22;             ///< of the other nodes
    std::string node;
};

struct PairingBegun {
    std::string token;
    std::string fingerprint; ///< of `key`
    UnixTime expires = 0;
    std::vector<std::string> nodes; ///< whose addresses are in the token
};

/// ErrorKind::busy where the name is taken.
Result<PairingBegun> begin_pairing_for(const Roots& roots, const PairRequestOfAdmin& request);

struct PairingList {
    PairedKeys paired;
    std::vector<OpenPairing> pending;
    bool from_copies = false;
};
Result<PairingList> list_pairings(const Roots& roots);

/// Removes the key, and what is under way for this name.
Result<> end_pairing(const Roots& roots, const std::string& pi);

struct HandedOver {
    std::string fingerprint; ///< of the Pi's own key, which lets it in from now on
    std::string refusal;     ///< for the Pi; empty: it is paired
    std::string for_admin;   ///< what is to be told of the refusal
};

/// A throw-away key was used, with this line. An error is a failure of this node's, a refusal one
/// of whoever came.
Result<HandedOver> take_key(
    const Roots& roots, const std::string& node, const Preface& preface, const std::string& line);

} // namespace longcord
