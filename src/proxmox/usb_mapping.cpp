// SPDX-License-Identifier: MIT
#include "proxmox/usb_mapping.hpp"

#include "base/text.hpp"
#include "proxmox/first_part.hpp"

namespace longcord {

/// "node=pve1,id=0951:1666,path=1-2.3"
static UsbMapping parse_entry(std::string_view value) {
    UsbMapping entry;
    while (!value.empty()) {
        std::string_view part = take_first_part(value, ',');
        const auto key = trim(take_first_part(part, '='));
        const auto text = trim(part);
        if (key == "node") {
            entry.node = printable(text);
        } else if (key == "path") {
            if (auto place = Place::parse(text); place && place->is_local())
                entry.place = std::move(*place);
        } else if (key == "id") {
            if (const auto id = UsbId::parse(text))
                entry.id = *id;
        }
    }
    return entry;
}

UsbMappings parse_usb_mappings(std::string_view text) {
    UsbMappings mappings;
    std::string name;
    while (!text.empty()) {
        const auto line = take_first_part(text, '\n');
        const auto words = trim(line);
        if (words.empty() || words.starts_with('#'))
            continue;
        const bool heading = line.front() != ' ' && line.front() != '\t';
        if (heading) {
            name = printable(words);
            mappings[name];
        } else if (!name.empty() && (words.starts_with("map ") || words.starts_with("map\t"))) {
            mappings[name].push_back(parse_entry(words.substr(4)));
        }
    }
    return mappings;
}

} // namespace longcord
