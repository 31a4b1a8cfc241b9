// SPDX-License-Identifier: MIT
// longcord vm prepare|unprepare VMID: the static controller in a VM's configuration, set by
// Proxmox' own `qm`. Needs no service.
#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/diff.hpp"
#include "cli/output.hpp"
#include "cli/run_command.hpp"
#include "cli/verbs.hpp"
#include "proxmox/vm_args.hpp"
#include "proxmox/vm_config.hpp"
#include "proxmox/vm_files.hpp"
#include "proxmox/vm_place.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

namespace fs = std::filesystem;

namespace {

struct PrepareOptions {
    Common common;
    unsigned vmid = 0;
    std::string hook_storage;
};

constexpr std::size_t largest_config = 1024 * 1024;
constexpr std::string_view snippet = "snippets/longcord-hookscript";

/// The lines of the configuration that change.
struct Lines {
    std::string args;
    std::string hookscript;

    std::string text() const {
        return (args.empty() ? "" : "args: " + args + '\n') +
               (hookscript.empty() ? "" : "hookscript: " + hookscript + '\n');
    }
};

struct Change {
    std::string file;
    Lines before, after;
};

} // namespace

/// The value of one key as it stands, before the first section.
static std::string line_of(std::string_view config, std::string_view key) {
    while (!config.empty() && !config.starts_with('[')) {
        const auto end = config.find('\n');
        const auto line = config.substr(0, end);
        if (line.starts_with(key) && line.substr(key.size()).starts_with(':'))
            return std::string(trim(line.substr(key.size() + 1)));
        config = end == std::string_view::npos ? std::string_view() : config.substr(end + 1);
    }
    return {};
}

static Result<Change> look_at(const Roots& roots, unsigned vmid) {
    const auto vm = find_vm(roots, vmid);
    if (!vm)
        return vm.error();
    if (!vm->here)
        return fail(ErrorKind::invalid, "VM {} is on node {}: run this there", vmid, vm->node);
    const auto text = read_file(vm->config, largest_config);
    if (!text)
        return text.error();
    Lines now{line_of(*text, "args"), line_of(*text, "hookscript")};
    return Change{vm->config.string(), now, now};
}

/// Proxmox refuses to start a VM whose hookscript is missing, so it is put there before it is
/// named.
static Result<> place_hookscript(const Roots& roots, const std::string& volume) {
    const auto path = output_of({"pvesm", "path", volume});
    if (!path)
        return fail(
            path.error().kind, "{}: {} (is it a storage with content \"snippets\"?)", volume,
            path.error().message);
    const fs::path file = std::string(trim(*path));
    std::error_code error;
    if (fs::exists(file, error))
        return {};
    const fs::path source = roots.prefix / "usr/share/longcord/longcord-hookscript";
    fs::create_directories(file.parent_path(), error);
    fs::copy_file(source, file, error);
    if (error)
        return fail_errno(
            error.value(), fmt::format("copy {} to {}", source.string(), file.string()));
    return {};
}

static Result<> set_by_qm(unsigned vmid, const Change& change) {
    std::vector<std::string> words{"qm", "set", std::to_string(vmid)};
    const auto add = [&](const char* option, const std::string& before, const std::string& after) {
        if (before == after)
            return;
        if (after.empty()) {
            words.emplace_back("--delete");
            words.emplace_back(option);
            return;
        }
        words.push_back(std::string("--") + option);
        words.push_back(after);
    };
    add("args", change.before.args, change.after.args);
    add("hookscript", change.before.hookscript, change.after.hookscript);
    auto said = output_of(words);
    if (!said)
        return said.error();
    return {};
}

static Result<Change> prepare(const Roots& roots, const PrepareOptions& options) {
    auto change = look_at(roots, options.vmid);
    if (!change)
        return change;
    auto args = with_controller(change->before.args);
    if (!args)
        return fail(args.error().kind, "VM {}: {}", options.vmid, args.error().message);
    change->after.args = std::move(*args);
    if (!options.hook_storage.empty()) {
        const std::string volume = fmt::format("{}:{}", options.hook_storage, snippet);
        if (!change->before.hookscript.empty() && change->before.hookscript != volume)
            return fail(
                ErrorKind::busy,
                "VM {} has a hookscript, {}: call longcord-hookscript from it, or do without",
                options.vmid, change->before.hookscript);
        if (auto placed = place_hookscript(roots, volume); !placed)
            return placed.error();
        change->after.hookscript = volume;
    }
    return change;
}

static Result<Change> unprepare(const Roots& roots, const PrepareOptions& options) {
    auto change = look_at(roots, options.vmid);
    if (!change)
        return change;
    auto args = without_controller(change->before.args);
    if (!args)
        return fail(args.error().kind, "VM {}: {}", options.vmid, args.error().message);
    change->after.args = std::move(*args);
    if (change->before.hookscript.ends_with(":" + std::string(snippet)))
        change->after.hookscript.clear();
    return change;
}

static ExitCode change_vm(
    const PrepareOptions& options, Result<Change> (*wanted)(const Roots&, const PrepareOptions&)) {
    const auto complain_of = [&](const Error& error) {
        const bool refused = error.kind == ErrorKind::refused;
        return complain(
            {refused ? ExitCode::refused : ExitCode::failed, error}, options.common.json);
    };
    const auto change = wanted(Roots::from_environment(), options);
    if (!change)
        return complain_of(change.error());
    const std::string before = change->before.text();
    const std::string after = change->after.text();
    if (before != after)
        if (auto set = set_by_qm(options.vmid, *change); !set)
            return complain_of(set.error());
    if (options.common.json)
        print_json(
            {{"vmid", options.vmid},
             {"changed", before != after},
             {"args", change->after.args},
             {"hookscript", change->after.hookscript}});
    else if (before == after)
        print(fmt::format("VM {} is so already\n", options.vmid));
    else
        print(
            diff_view(change->file, before, after, look_of_terminal()) +
            fmt::format(
                "It counts when VM {} is started the next time (a reboot inside the guest is not "
                "enough).\n",
                options.vmid));
    return ExitCode::done;
}

static CLI::App* add_one(
    CLI::App& vm, ExitCode& exit, const std::shared_ptr<PrepareOptions>& options,
    const std::string& name, const std::string& what,
    Result<Change> (*wanted)(const Roots&, const PrepareOptions&)) {
    CLI::App* verb = vm.add_subcommand(name, what);
    verb->add_option("VMID", options->vmid, "The VM")
        ->required()
        ->check(CLI::Range(100U, highest_vmid).description(""))
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->callback([options, &exit, wanted] { exit = change_vm(*options, wanted); });
    return verb;
}

void add_vm(CLI::App& app, ExitCode& exit) {
    CLI::App* vm = app.add_subcommand("vm", "Prepare a VM for devices");
    vm->group("Verbs");
    vm->require_subcommand(1);
    auto options = std::make_shared<PrepareOptions>();
    CLI::App* verb = add_one(
        *vm, exit, options, "prepare", "Give a VM its own USB controller; needs no service",
        prepare);
    verb->add_option(
            "--hookscript", options->hook_storage,
            "Also set longcord-hookscript, copied to this storage's snippets")
        ->option_text("STORAGE");
    verb->footer(
        "Sets the VM's args with `qm set` and shows what changes. Refused where something\n"
        "else has the controller's slot (pci.1, 0x1f) or its id (longcord).");
    auto undo = std::make_shared<PrepareOptions>();
    add_one(*vm, exit, undo, "unprepare", "Undo `vm prepare`; needs no service", unprepare);
    add_vm_quiesce(*vm, exit);
}

} // namespace longcord
