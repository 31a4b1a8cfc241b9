// SPDX-License-Identifier: MIT
// Where a hookscript lies: "local:snippets/x" is a file of a storage, and /etc/pve/storage.cfg says
// where that is. Proxmox refuses to start a VM whose hookscript is not there.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace longcord {

/// nullopt: not in this form, of a storage that is not there, or of one whose folders have other
/// names (content-dirs). `storage_cfg`: its text; "local" is known without it.
std::optional<std::filesystem::path> snippet_path(
    std::string_view volume, std::string_view storage_cfg);

} // namespace longcord
