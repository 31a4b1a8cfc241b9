// SPDX-License-Identifier: MIT
// longcord serial allow [ADDRESS|CIDR]: who may open the serial ports of this Pi.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

struct AllowOptions {
    Common common;
    std::string address;
    bool remove = false;
};

} // namespace

static std::string by_whom(const json& entry) {
    const auto by = text_field(entry, "by");
    return by == "node" ? "a node of this Pi" : by == "hand" ? "longcord serial allow" : by;
}

static std::string list_view(const json& reply, const Look& look) {
    Table allowed({"MAY CONNECT", "BY"});
    allowed.add({"this machine", ""});
    for (const json& entry : list_field(reply, "allow"))
        allowed.add({text_field(entry, "address"), by_whom(entry)});
    Table refused({"WAS REFUSED", "AT", "TIMES"});
    for (const json& entry : list_field(reply, "refused"))
        refused.add(
            {text_field(entry, "address"), text_field(entry, "place"), text_field(entry, "times")});
    return allowed.render(look, 0) + (refused.empty() ? "" : "\n" + refused.render(look, 0));
}

static ExitCode serial_allow(const AllowOptions& options) {
    const bool as_json = options.common.json;
    if (options.remove && options.address.empty())
        return complain(
            {ExitCode::usage, fail(ErrorKind::invalid, "--remove needs an address")}, as_json);
    auto service = find_service(options.common, Role::pi);
    if (!service)
        return complain(service.error(), as_json);
    json args = json::object();
    if (!options.address.empty())
        args = {{"address", options.address}, {"remove", options.remove}};
    const auto reply = ask(*service, "serial-allow", args);
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json)
        print_json(*reply);
    else if (options.address.empty())
        print(list_view(*reply, look_of_terminal()));
    else
        print(fmt::format(
            "{} {}\n", options.address,
            options.remove ? "is not let in by hand from now on"
                           : "may open the serial ports from now on"));
    return ExitCode::done;
}

void add_serial_allow(CLI::App& serial, ExitCode& exit) {
    auto options = std::make_shared<AllowOptions>();
    CLI::App* verb =
        serial.add_subcommand("allow", "On a Pi: let an address open its serial ports; or list");
    verb->add_option(
            "ADDRESS", options->address, "An address, a network (192.168.1.0/24), local-net, any")
        ->type_name("");
    verb->add_flag("--remove", options->remove, "Take back what was let in this way");
    add_common(*verb, options->common, false);
    verb->footer(
        "Holds at once and across restarts, for connections from then on. Without an address: who\n"
        "may connect, and who tried and might not. This machine and the nodes that the Pi is "
        "linked\n"
        "with always may; pi.yaml (serial.allow) names others.");
    verb->callback([options, &exit] { exit = serial_allow(*options); });
}

} // namespace longcord
