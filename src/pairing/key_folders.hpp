// SPDX-License-Identifier: MIT
// Where the keys of the paired Pis lie: one file a Pi, named after it. On Proxmox in
// /etc/pve/priv/longcord/pis, so that one pairing serves every node of the cluster; elsewhere, and
// for keys of this node alone, in /etc/longcord/pis. Where both have a name, the cluster's counts.
//
// pmxcfs comes and goes (an upgrade restarts it), and then /etc/pve is an empty folder: nothing can
// be said of the keys then, and it must not look as if nobody were paired. Copies of the cluster's
// keys below /var/lib/longcord/pis serve meanwhile.
//
// Blocking, and /etc/pve can hang: for worker threads and for longcord-keys.
#pragma once

#include "base/roots.hpp"
#include "link/authorized_key.hpp"
#include "pairing/pending.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace longcord {

struct PairedKey {
    /// Empty where the file holds no good key: it stands for its name, and lets nobody in.
    PublicKey key;
    std::string fingerprint;
    UnixTime since = 0;   ///< when the file was written
    bool cluster = false; ///< from /etc/pve
};
using PairedKeys = std::map<std::string, PairedKey>;

enum class PveState {
    none, ///< this is no Proxmox host
    away, ///< pmxcfs does not run now (no /etc/pve/local)
    there,
};
PveState pve_state(const Roots& roots);

std::filesystem::path cluster_folder(const Roots& roots); ///< /etc/pve/priv/longcord
/// Where pairings of this node are kept: cluster_folder() on Proxmox, /etc/longcord elsewhere.
/// ErrorKind::unavailable while pmxcfs is away.
Result<std::filesystem::path> pairing_base(const Roots& roots);

using Complain = std::function<void(const std::filesystem::path& file, const std::string& why)>;

/// All paired Pis. ErrorKind::unavailable while pmxcfs is away, or where it went meanwhile.
Result<PairedKeys> read_paired(const Roots& roots, const Complain& complain);
/// What of them is known without /etc/pve: the copies, and /etc/longcord/pis.
PairedKeys read_paired_copies(const Roots& roots, const Complain& complain);
/// Makes the copies those of `paired` that are the cluster's.
Result<> keep_copies(const Roots& roots, const PairedKeys& paired);

Result<> write_paired(const Roots& roots, const std::string& pi, const PublicKey& key);
/// In all folders, the copies included. ErrorKind::not_found where it was in none.
Result<> remove_paired(const Roots& roots, const std::string& pi);

} // namespace longcord
