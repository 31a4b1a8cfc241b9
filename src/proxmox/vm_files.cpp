// SPDX-License-Identifier: MIT
#include "proxmox/vm_files.hpp"

#include "base/text.hpp"

namespace longcord {

std::optional<unsigned> vmid_of(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix) || name.starts_with('0'))
        return std::nullopt;
    name.remove_suffix(suffix.size());
    return parse_decimal(name, highest_vmid);
}

Result<std::vector<std::string>> names_in(const std::filesystem::path& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error))
        names.push_back(entry->path().filename().string());
    if (error)
        return fail_errno(error.value(), "list " + directory.string());
    return names;
}

} // namespace longcord
