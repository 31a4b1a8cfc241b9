// SPDX-License-Identifier: MIT
// What no single line shows: rules that can never win, VMs that claim the same thing, names that
// nobody has. Behind `longcord rules check`, and pure: the caller reads the files and says what it
// knows of this machine; what it does not know is not checked.
//
// Strength grows with every port and qualifier, so a rule that covers another is never the stronger
// one, and from the rules alone no rule can be said to lose *every* device to another VM. With the
// devices that are plugged it can, and is; without them the check tells which part is lost to whom.
// What only those devices show stands in check_plugged.hpp.
#pragma once

#include "rules/claim.hpp"
#include "rules/parse.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

struct RulesFile {
    unsigned vmid = 0; ///< each VM and machine has its own; a machine's is of no account otherwise
    std::string name;  ///< as messages show it
    ParsedRules parsed;
    std::string machine = {}; ///< of host.yaml; empty: a VM of Proxmox

    /// "100" or "windows", after "VM ".
    std::string vm() const;
    /// "100.usb.conf:3"
    std::string where(const Rule& rule) const;
};

/// A device that is plugged, owning what a Subject refers to.
struct SeenDevice {
    Device device;
    std::string devpath;
    std::optional<Place> peer;
    std::string peer_devpath;

    Subject subject() const;
};

/// Uuids; empty: none.
struct RulesOwner {
    std::string vm;    ///< in its configuration's smbios1 line
    std::string rules; ///< of the VM that they were written for
};

/// Nullopt: not known, so not checked.
struct KnownWorld {
    std::optional<std::vector<unsigned>> vmids;
    std::optional<std::vector<std::string>> pis; ///< paired ones
    std::map<unsigned, RulesOwner> owners = {};  ///< of VMs of this node
    std::vector<SeenDevice> devices = {};
};

struct FileDiagnostic {
    std::string file;
    Diagnostic diagnostic;
    bool operator==(const FileDiagnostic&) const = default;
};

/// With the diagnostics of parsing; by file as given, then line and column.
std::vector<FileDiagnostic> check_rules(std::span<const RulesFile> files, const KnownWorld& known);

bool has_errors(std::span<const FileDiagnostic> diagnostics) noexcept;

/// 100 from ".../100.usb.conf"; nullopt for any other name.
std::optional<unsigned> vmid_of_rules_file(std::string_view path) noexcept;

} // namespace longcord
