// SPDX-License-Identifier: MIT
// longcord unpair NAME: the Pi's key is worth nothing any more, on all nodes of the cluster.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

struct UnpairOptions {
    Common common;
    std::string name;
};

} // namespace

static ExitCode unpair(const UnpairOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::host);
    if (!service)
        return complain(service.error(), as_json);
    const auto reply = ask(*service, "unpair", {{"name", options.name}});
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json)
        print_json(*reply);
    else
        print(fmt::format(
            "{} is not paired any more; its links end on all nodes within 5 s\n",
            text_field(*reply, "pi")));
    return ExitCode::done;
}

void add_unpair(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<UnpairOptions>();
    CLI::App* verb = app.add_subcommand("unpair", "Forget a Pi, and end its links");
    verb->add_option("NAME", options->name, "As `longcord pis` lists it")
        ->required()
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer("Rules that name the Pi stay as they are. Tokens for that name are worthless.");
    verb->callback([options, &exit] { exit = unpair(*options); });
}

} // namespace longcord
