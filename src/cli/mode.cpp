// SPDX-License-Identifier: MIT
// longcord mode PLACE usbip|serial|off: what a Pi's device is for.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

struct ModeOptions {
    Common common;
    std::string which;
    std::string serial;
    std::string mode;
};

} // namespace

/// "10c4:ea60" is a device, all else a place.
static bool is_id(const std::string& text) {
    return text.size() == 9 && text[4] == ':' && text.find('/') == std::string::npos;
}

static ExitCode mode(const ModeOptions& options) {
    const bool as_json = options.common.json;
    const bool id = is_id(options.which);
    if (!options.serial.empty() && !id)
        return complain(
            {ExitCode::usage,
             fail(ErrorKind::invalid, "--serial goes with a vendor:product such as 10c4:ea60")},
            as_json);
    auto service = find_service(options.common, Role::pi);
    if (!service)
        return complain(service.error(), as_json);
    const json args{
        {id ? "id" : "place", options.which}, {"serial", options.serial}, {"mode", options.mode}};
    const auto reply = ask(*service, "mode", args);
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json)
        print_json(*reply);
    else
        print(fmt::format("{} is {} from now on\n", options.which, text_field(*reply, "mode")));
    return ExitCode::done;
}

void add_mode(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<ModeOptions>();
    CLI::App* verb = app.add_subcommand("mode", "On a Pi: say what a device is for");
    verb->add_option("PLACE", options->which, "1-1.2, platform-fe9c0000.xhci/1.2, or 10c4:ea60")
        ->required()
        ->type_name("");
    verb->add_option("MODE", options->mode, "usbip, serial, off, or default")
        ->required()
        ->check(CLI::IsMember({"usbip", "serial", "off", "default"}))
        ->type_name("");
    verb->add_option("--serial", options->serial, "Only the device with this serial number")
        ->type_name("NUMBER");
    add_common(*verb, options->common, false);
    verb->footer(
        "usbip: for VMs. serial: its own driver has it here, and its port is served. off: it is\n"
        "this machine's own. default: as pi.yaml and its driver have it. Works at once, also on\n"
        "a device that is in use, and is kept across reboots, by controller and port. Hubs,\n"
        "network adapters and disks in use stay on this machine, whatever is said.");
    verb->callback([options, &exit] { exit = mode(*options); });
}

} // namespace longcord
