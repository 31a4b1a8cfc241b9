// SPDX-License-Identifier: MIT
// One look at /etc/pve, which is a FUSE file system (pmxcfs) and can block, be away while it
// restarts, and shows writes of other nodes without any event. Runs on a worker's thread.
//
// Proxmox moves only <VMID>.conf to the node that a VM goes to: its rules stay behind, in
// nodes/<the other>/qemu-server, and are read there until somebody moves them.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/roots.hpp"
#include "base/unique_fd.hpp"
#include "proxmox/stable_rules.hpp"
#include "proxmox/usb_mapping.hpp"
#include "proxmox/vm_config.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace longcord {

struct PveContent {
    std::map<unsigned, VmConfig> configs; ///< of this node
    RulesTexts rules;                     ///< of this node, and of its VMs wherever they lie
    std::set<unsigned> vmids;             ///< of the whole cluster
    UsbMappings mappings;
    std::map<unsigned, std::string> intents; ///< texts of longcord/vm/<VMID>.json
    bool quorate = true;
    std::vector<std::string> problems; ///< files that could not be read: what they held stays
};

class PveReader {
  public:
    /// `inotify`: a duplicate of the descriptor on which changes made by this node are told.
    PveReader(const Roots& roots, UniqueFd inotify);

    /// not_found: this is no Proxmox. unavailable: it is one, and pmxcfs is away (no
    /// /etc/pve/local, or it left while we read): nothing is known.
    Result<PveContent> look(TimePoint now);

  private:
    struct Stamp {
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        bool operator==(const Stamp&) const = default;
    };
    struct Entry {
        Stamp stamp;
        TimePoint changed; ///< when this stamp was first seen
        TimePoint read;
        std::string text;
    };
    using Entries = std::map<std::string, Entry>;

    using Paths = std::vector<std::filesystem::path>;

    Result<> require_pmxcfs() const;
    bool is_quorate() const;
    Result<Paths> list(PveContent& content) const;
    Paths elsewhere(PveContent& content) const;
    static void weigh(const std::filesystem::path& path, RulesText& rules);
    Result<> read_mappings(std::vector<std::string>& problems);
    Result<Entries> read_all(
        const Paths& paths, TimePoint now, std::vector<std::string>& problems) const;
    Result<Entry> read(const std::filesystem::path& path, const Entry* before, TimePoint now) const;
    void fill(PveContent& content) const;

    std::filesystem::path pve_;
    std::filesystem::path folder_;
    std::filesystem::path intents_;
    std::filesystem::path database_;
    UniqueFd inotify_;
    Entries entries_;
    UsbMappings mappings_;
};

} // namespace longcord
