// SPDX-License-Identifier: MIT
#include "proxmox/saved_ram.hpp"

#include "base/text.hpp"

namespace longcord {

namespace {

/// What of one section matters here.
struct Section {
    std::string name; ///< empty: the VM as it is
    bool has_ram = false;
    bool prepared_only = false; ///< "snapstate: prepare", until Proxmox has saved it
    std::string volume;
    std::string time;
};

/// "[name]" begins one. PENDING and "special:..." hold changes and cloud-init, no snapshot.
bool is_snapshot(std::string_view name) {
    return name != "PENDING" && name.find(':') == std::string_view::npos;
}

void take_line(Section& section, std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with('#'))
        return;
    const auto key = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (key == "vmstate") {
        section.has_ram = true;
        section.volume = printable(value);
    } else if (key == "snaptime") {
        section.time = printable(value);
    } else if (key == "snapstate") {
        section.prepared_only = value == "prepare";
    }
}

} // namespace

std::vector<SavedRam> parse_saved_ram(std::string_view text, bool suspending) {
    std::vector<SavedRam> all;
    Section section;
    const auto end_section = [&] {
        const bool hibernation = section.name.empty();
        if (!section.has_ram || !(hibernation || is_snapshot(section.name)) ||
            all.size() == SavedRam::most)
            return;
        const bool saving = hibernation ? suspending : section.prepared_only;
        all.push_back({section.name, hibernation ? section.volume : section.time, !saving});
    };
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = trim(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (line.starts_with('[') && line.ends_with(']')) {
            end_section();
            section = Section{};
            section.name = printable(line.substr(1, line.size() - 2));
        } else {
            take_line(section, line);
        }
    }
    end_section();
    return all;
}

} // namespace longcord
