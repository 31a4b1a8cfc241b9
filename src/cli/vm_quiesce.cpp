// SPDX-License-Identifier: MIT
// longcord vm quiesce VM [-- CMD]: a snapshot with RAM, or a hibernation, that is made while a
// device is plugged cannot be loaded again. So the devices come out, CMD runs, and they go back in.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/run_command.hpp"
#include "cli/verbs.hpp"

#include <iostream>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

struct QuiesceOptions {
    Common common;
    std::string vm;
    std::vector<std::string> command;
};

/// The service takes up to 10 s to get the devices out.
constexpr milliseconds quiesce_wait{20'000};

} // namespace

/// What is done while they are out; its exit code is ours.
static ExitCode do_meanwhile(const QuiesceOptions& options) {
    if (options.command.empty()) {
        print(fmt::format(
            "VM {} has none of its devices now. Press Enter to plug them again.\n", options.vm));
        std::string line;
        std::getline(std::cin, line);
        return ExitCode::done;
    }
    const auto status = run_command(options.command);
    if (!status)
        return complain({ExitCode::failed, status.error()}, options.common.json);
    return static_cast<ExitCode>(*status);
}

static ExitCode quiesce(const QuiesceOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::host);
    if (!service)
        return complain(service.error(), as_json);
    const auto reply = service->call("quiesce", {{"vmid", options.vm}}, quiesce_wait);
    if (!reply)
        return complain({ExitCode::failed, reply.error()}, as_json);
    if (!flag_field(*reply, "quiesced")) {
        std::vector<std::string> left;
        for (const json& place : list_field(*reply, "left"))
            left.push_back(text_of(place));
        return complain(
            {ExitCode::failed, fail(
                                   ErrorKind::timeout, "VM {} still has {}; nothing was run",
                                   options.vm, fmt::format("{}", fmt::join(left, ", ")))},
            as_json);
    }
    const ExitCode exit = do_meanwhile(options);
    // A command may take longer than the service waits for our next request.
    auto again = find_service(options.common, Role::host);
    if (again)
        (void)again->call("quiesce", {{"vmid", options.vm}, {"release", true}});
    if (as_json)
        print_json({{"vm", options.vm}, {"exit", static_cast<int>(exit)}});
    return exit;
}

void add_vm_quiesce(CLI::App& vm, ExitCode& exit) {
    auto options = std::make_shared<QuiesceOptions>();
    CLI::App* verb =
        vm.add_subcommand("quiesce", "Take a VM's devices out, run a command, and plug them again");
    verb->add_option("VM", options->vm, "VMID, or the name of a machine of host.yaml")
        ->required()
        ->type_name("");
    verb->add_option("CMD", options->command, "What to run meanwhile; none: wait for Enter")
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer(
        "Write -- before CMD:  longcord vm quiesce 100 -- qm snapshot 100 before --vmstate 1\n"
        "Its exit code is CMD's. Should it die, the devices go back in at once.");
    verb->callback([options, &exit] { exit = quiesce(*options); });
}

} // namespace longcord
