// SPDX-License-Identifier: MIT
#include "control/event_fields.hpp"

namespace longcord {

LogFields journal_fields(const Event& event) {
    LogFields fields{{"LONGCORD_EVENT", event.kind}};
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty())
            fields.emplace_back(name, value);
    };
    add("LONGCORD_VM", event.vmid ? std::to_string(*event.vmid) : std::string());
    add("LONGCORD_PLACE", event.place);
    add("LONGCORD_PI", event.pi);
    add("LONGCORD_TOOK_MS", event.took ? std::to_string(event.took->count()) : std::string());
    add("LONGCORD_ADDRESS", event.address);
    return fields;
}

} // namespace longcord
