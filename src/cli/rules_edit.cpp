// SPDX-License-Identifier: MIT
// longcord rules add|remove VMID RULE: need no service, which sees the file change.
#include "base/files.hpp"
#include "cli/diff.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "proxmox/vm_files.hpp"
#include "proxmox/vm_place.hpp"
#include "rules/edit.hpp"
#include "rules/parse.hpp"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace longcord {

namespace {

struct RulesEditOptions {
    Common common;
    unsigned vmid = 0;
    std::vector<std::string> words; ///< of the rule, as the shell has split it
};

using Edit = Result<RulesEdit> (*)(std::string_view, std::string_view, const std::string&);

ExitCode code_of(const Error& error) {
    return error.kind == ErrorKind::refused ? ExitCode::refused : ExitCode::failed;
}

/// What the file system says of a missing quorum helps nobody.
Error with_reason(Error error) {
    if (error.kind == ErrorKind::refused)
        error.message += " (not root, or the cluster has no quorum)";
    return error;
}

} // namespace

static ExitCode edit_rules(const RulesEditOptions& options, Edit edit) {
    const Roots roots = Roots::from_environment();
    const auto vm = find_vm(roots, options.vmid);
    if (!vm)
        return complain({code_of(vm.error()), vm.error()}, options.common.json);
    const std::string file = vm->rules.string();
    const auto before = read_file(vm->rules, max_rules_file);
    if (!before && before.error().kind != ErrorKind::not_found)
        return complain({code_of(before.error()), before.error()}, options.common.json);
    const std::string text = before ? *before : "";
    const std::string rule = fmt::format("{}", fmt::join(options.words, " "));
    const auto edited = edit(text, rule, file);
    if (!edited)
        return complain({ExitCode::failed, edited.error()}, options.common.json);
    if (edited->changed) {
        constexpr unsigned mode = 0640; // as pmxcfs shows every file there
        const auto written = write_file(vm->rules, edited->text, mode);
        if (!written)
            return complain(
                {code_of(written.error()), with_reason(written.error())}, options.common.json);
    }
    if (options.common.json)
        print_json({{"file", file}, {"line", edited->line}, {"changed", edited->changed}});
    else if (edited->changed)
        print(diff_view(file, text, edited->text, look_of_terminal()));
    else
        print(fmt::format("{}:{} says that already\n", file, edited->line));
    return ExitCode::done;
}

static void add_edit(
    CLI::App& rules, ExitCode& exit, const std::string& name, const std::string& what,
    const std::string& more, Edit edit) {
    auto options = std::make_shared<RulesEditOptions>();
    CLI::App* verb = rules.add_subcommand(name, what);
    verb->add_option("VMID", options->vmid, "The VM whose rules file is changed")
        ->required()
        ->check(CLI::Range(100U, highest_vmid).description(""))
        ->type_name("");
    verb->add_option("RULE", options->words, "The rule; quote what the shell would take")
        ->required()
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer(more);
    verb->callback([options, &exit, edit] { exit = edit_rules(*options, edit); });
}

void add_rules_edit(CLI::App& rules, ExitCode& exit) {
    add_edit(
        rules, exit, "add", "Add a rule to a VM's rules file; needs no service",
        "Shows what changes in the file. A rule that is there already is not added twice.",
        add_rule);
    add_edit(
        rules, exit, "remove", "Take a rule out of a VM's rules file; needs no service",
        "Shows what changes in the file. Takes out what means the same, however it is written.",
        remove_rule);
}

} // namespace longcord
