// SPDX-License-Identifier: MIT
#include "proxmox/snippets.hpp"

#include "base/text.hpp"

#include <string>

namespace longcord {

namespace {

/// The next line without its newline; `text` shrinks.
std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return line;
}

/// "nfs: share" begins a storage; its settings are indented. Without a path Proxmox mounts it at
/// /mnt/pve/NAME.
std::optional<std::string> folder_of(std::string_view storage, std::string_view config) {
    std::optional<std::string> folder;
    if (storage == "local")
        folder = "/var/lib/vz";
    bool inside = false;
    while (!config.empty()) {
        const auto line = next_line(config);
        const bool indented = line.starts_with('\t') || line.starts_with(' ');
        if (!indented) {
            const auto colon = line.find(':');
            inside = colon != std::string_view::npos && trim(line.substr(colon + 1)) == storage;
            if (inside && storage != "local")
                folder = "/mnt/pve/" + std::string(storage);
        } else if (inside) {
            const auto setting = trim(line);
            const auto blank = setting.find_first_of(" \t");
            const auto key = setting.substr(0, blank);
            if (key == "content-dirs")
                return std::nullopt;
            if (key == "path" && blank != std::string_view::npos)
                folder = std::string(trim(setting.substr(blank)));
        }
    }
    return folder;
}

} // namespace

std::optional<std::filesystem::path> snippet_path(
    std::string_view volume, std::string_view storage_cfg) {
    constexpr std::string_view snippets = ":snippets/";
    const auto at = volume.find(snippets);
    if (at == std::string_view::npos || at == 0)
        return std::nullopt;
    const auto name = volume.substr(at + snippets.size());
    const auto folder = folder_of(volume.substr(0, at), storage_cfg);
    if (!folder || name.empty() || name.find("..") != std::string_view::npos)
        return std::nullopt;
    return std::filesystem::path(*folder) / "snippets" / name;
}

} // namespace longcord
