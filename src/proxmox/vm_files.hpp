// SPDX-License-Identifier: MIT
// Directories in which a file belongs to a VM by its name: 100.conf, 100.usb.conf, 100.pid,
// 100.post-start. Everything else that lies there (100.usb.conf.tmp.123, 0100.conf, README) is
// somebody else's.
#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// 999999999 is Proxmox' own limit (pve-common, JSONSchema.pm, pve-vmid).
constexpr unsigned highest_vmid = 999'999'999;

/// "100" of "100.usb.conf" for the suffix ".usb.conf"; no leading zero, no sign.
std::optional<unsigned> vmid_of(std::string_view name, std::string_view suffix);

/// The names of a directory's entries, in no order. Does not follow or open them.
Result<std::vector<std::string>> names_in(const std::filesystem::path& directory);

} // namespace longcord
