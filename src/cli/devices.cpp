// SPDX-License-Identifier: MIT
// longcord devices: every device seen, local and remote.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/place_text.hpp"
#include "cli/verbs.hpp"
#include "cli/views.hpp"

namespace longcord {

using nlohmann::json;

/// A Pi says mode and exported where a host says state.
static Cell state_of(const json& device) {
    if (!text_field(device, "state").empty())
        return state_cell(device);
    if (is_hub(device))
        return {"hub", Tone::faint};
    if (flag_field(device, "exported"))
        return {"exported", Tone::good};
    return {text_field(device, "mode") == "off" ? "off" : "not exported", Tone::faint};
}

std::string devices_view(const json& reply, const Look& look) {
    Table table({"PLACE", "ID", "PRODUCT", "SERIAL", "CLASS", "SPEED", "STATE", "VM", "WHY"});
    for (const json& device : list_field(reply, "devices"))
        table.add(
            {text_field(device, "place"), text_field(device, "id"), text_field(device, "product"),
             text_field(device, "serial"), class_of(device), text_field(device, "speed"),
             state_of(device), vm_number_of(device), why_of(device)});
    return table.empty() ? "no devices\n" : table.render(look, 0);
}

static ExitCode devices(const Common& common) {
    auto service = find_service(common);
    if (!service)
        return complain(service.error(), common.json);
    const auto reply = ask(*service, "devices", json::object());
    if (!reply)
        return complain(reply.error(), common.json);
    if (common.json)
        print_json(*reply);
    else
        print(devices_view(*reply, look_of_terminal()));
    return ExitCode::done;
}

void add_devices(CLI::App& app, ExitCode& exit) {
    auto common = std::make_shared<Common>();
    CLI::App* verb = app.add_subcommand("devices", "List every USB device, local and remote");
    add_common(*verb, *common, true);
    verb->footer(
        "The first column is the place: what a rule names. 3-4.1 is this machine's bus 3,\n"
        "port 4, port 1 of the hub there; workbench/1-1.2 is on the Pi named workbench.");
    verb->callback([common, &exit] { exit = devices(*common); });
}

} // namespace longcord
