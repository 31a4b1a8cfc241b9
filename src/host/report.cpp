// SPDX-License-Identifier: MIT
#include "host/report.hpp"

#include "plan/guest_port.hpp"
#include "plan/machine_id.hpp"
#include "plan/situation.hpp"
#include "plan/standing.hpp"
#include "plan/unloadable_ram.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

constexpr std::string_view nothing_there = "nothing is plugged in there";

using nlohmann::json;

template <class T> json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

/// A device of class 0 says it of its interfaces: the first one tells people most.
unsigned shown_class(const Device& device) {
    const bool by_interface = device.device_class.code == 0 && !device.interfaces.empty();
    return by_interface ? device.interfaces.front().code : device.device_class.code;
}

/// Null for a VM of Proxmox.
json machine_name(const ReportInput& input, unsigned vmid) {
    const auto name = input.world.machines.find(vmid);
    return name == input.world.machines.end() ? json(nullptr) : json(name->second);
}

/// Who protects the stream of an import; null: there is none.
json stream_of(const Situation& situation) {
    if (!situation.import)
        return nullptr;
    if (situation.pi && situation.pi->plain)
        return "direct";
    // Found at start: a stream that our own process carried would have ended with it.
    return std::string(to_string(situation.import->engine.value_or(SealEngine::kernel)));
}

json report_device(
    const ReportInput& input, const Place& place, const Situation& situation,
    const Outcome& outcome) {
    const Device* known = situation.device();
    const Device device = known ? *known : Device{};
    json result{
        {"place", place.to_string()},
        {"pi", place.pi},
        {"controller", device.controller},
        {"id", known ? json(device.id.to_string()) : json(nullptr)},
        {"devnum", device.devnum},
        {"product", device.product},
        {"serial", device.serial},
        {"manufacturer", device.manufacturer},
        {"class", shown_class(device)},
        {"speed", std::string(to_string(device.speed))},
        {"hub", device.is_hub()},
        {"state", std::string(to_string(outcome.state))},
        {"vmid", or_null(outcome.vmid)},
        {"machine", outcome.vmid ? machine_name(input, *outcome.vmid) : json(nullptr)},
        {"stream", stream_of(situation)},
        {"guest_port", or_null(outcome.guest_port)},
        {"in_use_by_guest", outcome.in_use_by_guest},
        {"why", outcome.why},
    };
    return result;
}

Outcome outcome_of(const ReportInput& input, const Place& place) {
    const auto outcome = input.outcomes.find(place);
    if (outcome != input.outcomes.end())
        return outcome->second;
    Outcome none;
    none.why = input.world.complete() ? "not looked at yet" : "the service is still starting";
    return none;
}

json report_pis(const ReportInput& input) {
    json pis = json::array();
    for (const auto& [name, pi] : input.world.pis) {
        if (pi.unpaired)
            continue;
        const auto rtt = input.round_trips.find(name);
        pis.push_back({
            {"name", name},
            {"linked", pi.linked},
            {"plain", pi.plain},
            {"address", pi.address},
            {"since_s",
             pi.linked
                 ? json(std::chrono::duration_cast<seconds>(Clock::now() - pi.linked_since).count())
                 : json(nullptr)},
            {"rtt_ms", rtt == input.round_trips.end() ? json(nullptr) : json(rtt->second.count())},
            {"devices", pi.devices.size()},
            {"problem", pi.linked  ? (pi.announced ? "" : "has not listed its devices yet")
                        : pi.plain ? "did not answer when it was asked: longcord rescan"
                                   : "not linked"},
        });
    }
    return pis;
}

std::string vm_state(const ReportInput& input, unsigned vmid) {
    const auto vm = input.world.vms.find(vmid);
    if (vm == input.world.vms.end()) {
        if (input.pve.configs.contains(vmid) || !input.pve.present || is_machine(vmid))
            return "stopped";
        return input.pve.vmids.contains(vmid) ? "on another node" : "no such VM";
    }
    if (!vm->second.view)
        return "asking";
    std::string state(to_string(vm->second.view->state));
    if (!vm->second.lock_text.empty())
        state += " (lock: " + vm->second.lock_text + ")";
    return state;
}

/// It is in QEMU, and the configuration that QEMU was started from does not have it.
bool has_hot_added_controller(const ReportInput& input, unsigned vmid) {
    const auto vm = input.world.vms.find(vmid);
    const auto config = input.pve.configs.find(vmid);
    if (vm == input.world.vms.end() || !vm->second.view || config == input.pve.configs.end())
        return false;
    const auto& controllers = vm->second.view->controllers;
    const bool there = std::any_of(controllers.begin(), controllers.end(), [](const auto& c) {
        return c.id == own_controller;
    });
    return there && config->second.args.find("id=longcord") == std::string::npos;
}

std::string vm_problem(const ReportInput& input, unsigned vmid) {
    const auto rules = input.rules.find(vmid);
    if (rules != input.rules.end())
        for (const auto& diagnostic : rules->second.diagnostics)
            if (diagnostic.severity == Diagnostic::Severity::error)
                return format_diagnostic(rules->second.file, diagnostic);
    if (rules != input.rules.end() && !rules->second.problem.empty())
        return rules->second.problem;
    if (input.pve.present && !is_machine(vmid) && !input.pve.vmids.contains(vmid))
        return rules == input.rules.end()
                   ? ""
                   : fmt::format("{}: there is no VM {}", rules->second.file, vmid);
    if (input.unwritten.contains(vmid))
        return "its guest ports and pauses could not be written and are kept in memory";
    const auto vm = input.world.vms.find(vmid);
    if (input.world.quiesced.contains(vmid))
        return "quiesced: its devices stay out until the command that wanted it has ended";
    if (has_hot_added_controller(input, vmid))
        return fmt::format(
            "its USB controller was added while it ran: it cannot be migrated, and its RAM "
            "snapshots cannot be loaded; run \"longcord vm prepare {0}\", stop it and start it",
            vmid);
    if (vm != input.world.vms.end() && vm->second.view)
        return why_no_controller(vmid, vm->second).value_or("");
    return {};
}

/// VMs that have rules, or devices of ours.
std::set<unsigned> vms_of_interest(const ReportInput& input) {
    std::set<unsigned> vms;
    for (const auto& [vmid, rules] : input.rules)
        vms.insert(vmid);
    for (const auto& [place, outcome] : input.outcomes)
        if (outcome.vmid)
            vms.insert(*outcome.vmid);
    vms.insert(input.world.quiesced.begin(), input.world.quiesced.end());
    return vms;
}

json report_vms(const ReportInput& input, std::optional<unsigned> only) {
    json vms = json::array();
    for (const unsigned vmid : vms_of_interest(input)) {
        if (only && *only != vmid)
            continue;
        const auto config = input.pve.configs.find(vmid);
        unsigned plugged = 0;
        for (const auto& [place, outcome] : input.outcomes)
            plugged += outcome.state == DeviceState::plugged && outcome.vmid == vmid;
        vms.push_back({
            {"vmid", vmid},
            {"machine", machine_name(input, vmid)},
            {"name", config == input.pve.configs.end() ? json("") : json(config->second.name)},
            {"state", vm_state(input, vmid)},
            {"plugged", plugged},
            {"problem", vm_problem(input, vmid)},
        });
    }
    return vms;
}

json report_problems(const ReportInput& input) {
    json problems = json::array();
    if (!input.world.knows_rules)
        problems.push_back("the rules have not been read yet: is /etc/pve there?");
    if (input.world.vhci.empty())
        problems.push_back("no vhci_hcd: run \"modprobe vhci-hcd\" to import devices of Pis");
    for (const auto& [vmid, config] : input.pve.configs)
        if (const auto intent = input.world.intents.find(vmid); intent != input.world.intents.end())
            for (const auto& ram : intent->second.unloadable)
                problems.push_back(how_to_load(vmid, ram));
    return problems;
}

std::string what_next(const Outcome& outcome) {
    switch (outcome.state) {
    case DeviceState::plugged:
        return "It stays there until it is unplugged, the VM stops, or the rules change.";
    case DeviceState::waiting:
        return "Longcord goes on as soon as that changes.";
    case DeviceState::importing:
    case DeviceState::plugging:
    case DeviceState::leaving:
        return "This is under way now.";
    case DeviceState::held_off:
        return "It is tried again when it has been quiet for a while, or is plugged in anew.";
    case DeviceState::conflict:
        return "Nobody gets it until one of the rules is changed or one of the VMs stops.";
    case DeviceState::refused:
        return "Nothing happens until the reason is gone.";
    case DeviceState::unclaimed:
        return outcome.why == nothing_there
                   ? "A device that is plugged in there is looked at anew."
                   : "Nothing happens; a rule in a VM's .usb.conf would claim it.";
    case DeviceState::hub:
        return "Hubs are never plugged; what is plugged into them is.";
    }
    return {};
}

std::string outcome_sentence(const Outcome& outcome) {
    if (outcome.state == DeviceState::plugged)
        return fmt::format(
            "plugged into VM {}{}{}", outcome.vmid.value_or(0),
            outcome.guest_port ? fmt::format(", port {}", *outcome.guest_port) : "",
            outcome.why.empty() ? "" : "; " + outcome.why);
    std::string sentence(to_string(outcome.state));
    if (!outcome.why.empty())
        sentence += ": " + outcome.why;
    return sentence;
}

/// Machines have names, not numbers, in all that people read.
json worded(const ReportInput& input, json value) {
    if (input.world.machines.empty())
        return value;
    if (value.is_string())
        return with_machine_names(value.get<std::string>(), input.world.machines);
    if (value.is_structured())
        for (auto& part : value)
            part = worded(input, std::move(part));
    return value;
}

json devices_of(const ReportInput& input) {
    json devices = json::array();
    for (const auto& [place, situation] : situations(input.world))
        devices.push_back(report_device(input, place, situation, outcome_of(input, place)));
    return devices;
}

} // namespace

json report_devices(const ReportInput& input) {
    return worded(input, {{"devices", devices_of(input)}});
}

json report_status(const ReportInput& input, std::optional<unsigned> vmid) {
    json devices = devices_of(input);
    if (vmid) {
        json theirs = json::array();
        for (auto& device : devices)
            if (device["vmid"] == *vmid)
                theirs.push_back(std::move(device));
        devices = std::move(theirs);
    }
    json result{
        {"role", "host"},
        {"node", input.world.node},
        {"version", LONGCORD_VERSION},
        {"pis", report_pis(input)},
        {"vms", report_vms(input, vmid)},
        {"devices", std::move(devices)},
        {"problems", report_problems(input)},
    };
    return worded(input, std::move(result));
}

json report_rescan(const std::vector<PlainServers::Answer>& answers) {
    json servers = json::array();
    for (const auto& answer : answers)
        servers.push_back(
            {{"name", answer.name},
             {"answered", answer.devices.has_value()},
             {"devices", answer.devices ? json(*answer.devices) : json(nullptr)},
             {"problem", answer.devices ? "" : answer.devices.error().message}});
    return {{"servers", std::move(servers)}};
}

json report_explain(const ReportInput& input, const Place& place) {
    const auto all = situations(input.world);
    const auto found = all.find(place);
    const Situation situation = found == all.end() ? Situation{} : found->second;
    Outcome outcome = outcome_of(input, place);
    const Device* known = situation.device();
    if (!known)
        outcome.why = nothing_there;
    json rules = json::array();
    json winner;
    if (known) {
        Device device = *known;
        device.place = place;
        const Subject subject = situation.subject(device);
        for (const auto& verdict : explain(subject, input.world.rules)) {
            const auto file = input.rules.find(verdict.vmid);
            rules.push_back({
                {"vmid", verdict.vmid},
                {"machine", machine_name(input, verdict.vmid)},
                {"file", file == input.rules.end() ? "" : file->second.file},
                {"line", verdict.line},
                {"rule", verdict.rule},
                {"verdict", std::string(to_string(verdict.kind))},
                {"reason", verdict.reason},
            });
        }
        for (const auto& claim : claims(subject, input.world.rules))
            if (outcome.vmid == claim.vmid)
                winner = {{"vmid", claim.vmid}, {"line", claim.line}};
    }
    json result{
        {"place", place.to_string()},
        {"device", known ? report_device(input, place, situation, outcome) : json(nullptr)},
        {"rules", std::move(rules)},
        {"winner", std::move(winner)},
        {"outcome", outcome_sentence(outcome)},
        {"next", what_next(outcome)},
    };
    return worded(input, std::move(result));
}

} // namespace longcord
