// SPDX-License-Identifier: MIT
// longcord rules adopt VMID: the rules that lie there are meant for the VM that has the number now.
#include "base/files.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "proxmox/vm_config.hpp"
#include "proxmox/vm_files.hpp"
#include "proxmox/vm_intent.hpp"
#include "proxmox/vm_place.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace longcord {

namespace {

struct RulesAdoptOptions {
    Common common;
    unsigned vmid = 0;
};

struct Adoption {
    std::string before;
    std::string now;
};

constexpr std::size_t largest_config = 1024 * 1024;

} // namespace

static Result<Adoption> adopt(const Roots& roots, unsigned vmid) {
    const auto vm = find_vm(roots, vmid);
    if (!vm)
        return vm.error();
    const auto text = read_file(vm->config, largest_config);
    if (!text)
        return text.error();
    const VmConfig config = parse_vm_config(*text);
    if (config.uuid.empty())
        return fail(
            ErrorKind::invalid,
            "VM {} has no uuid in its smbios1 line: there is nothing to compare, its rules apply",
            vmid);
    const auto file = intent_file(roots, vmid);
    VmIntent intent;
    const auto known = read_file(file, largest_intent);
    if (!known && known.error().kind != ErrorKind::not_found)
        return known.error();
    if (known)
        if (auto parsed = parse_intent(*known))
            intent = std::move(*parsed);
    Adoption adoption{intent.owner, config.uuid};
    if (adoption.before == adoption.now)
        return adoption;
    intent.owner = config.uuid;
    constexpr unsigned mode = 0640;
    const auto written = write_file(file, format_intent(intent), mode);
    if (!written)
        return written.error();
    return adoption;
}

static ExitCode rules_adopt(const RulesAdoptOptions& options) {
    const auto adopted = adopt(Roots::from_environment(), options.vmid);
    if (!adopted)
        return complain(
            {adopted.error().kind == ErrorKind::refused ? ExitCode::refused : ExitCode::failed,
             adopted.error()},
            options.common.json);
    const bool changed = adopted->before != adopted->now;
    if (options.common.json)
        print_json({{"vmid", options.vmid}, {"owner", adopted->now}, {"changed", changed}});
    else if (changed)
        print(fmt::format(
            "the rules of VM {} are for the VM with uuid {} now{}\n", options.vmid, adopted->now,
            adopted->before.empty() ? "" : " (before: " + adopted->before + ")"));
    else
        print(fmt::format("the rules of VM {} are its own already\n", options.vmid));
    return ExitCode::done;
}

void add_rules_adopt(CLI::App& rules, ExitCode& exit) {
    auto options = std::make_shared<RulesAdoptOptions>();
    CLI::App* verb = rules.add_subcommand(
        "adopt", "Let rules apply to the VM that has the number now; needs no service");
    verb->add_option("VMID", options->vmid, "The VM")
        ->required()
        ->check(CLI::Range(100U, highest_vmid).description(""))
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->callback([options, &exit] { exit = rules_adopt(*options); });
}

} // namespace longcord
