// SPDX-License-Identifier: MIT
#include "host/report.hpp"

#include "host/report_parts.hpp"
#include "plan/guest_port.hpp"
#include "plan/machine_id.hpp"
#include "plan/situation.hpp"
#include "plan/stable_name.hpp"
#include "plan/standing.hpp"
#include "plan/unloadable_ram.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

using nlohmann::json;

template <class T> json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

/// A device of class 0 says it of its interfaces: the first one tells people most.
unsigned shown_class(const Device& device) {
    const bool by_interface = device.device_class.code == 0 && !device.interfaces.empty();
    return by_interface ? device.interfaces.front().code : device.device_class.code;
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

} // namespace

json machine_name(const ReportInput& input, unsigned vmid) {
    const auto name = input.world.machines.find(vmid);
    return name == input.world.machines.end() ? json(nullptr) : json(name->second);
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

namespace {

json report_pis(const ReportInput& input) {
    json pis = json::array();
    for (const auto& [name, pi] : input.world.pis) {
        if (pi.unpaired)
            continue;
        const auto rtt = input.round_trips.find(name);
        const auto software = input.software.find(name);
        pis.push_back({
            {"name", name},
            {"linked", pi.linked},
            {"plain", pi.plain},
            {"address", pi.address},
            {"usbip_port", pi.usbip_port},
            {"software", software == input.software.end() ? json(nullptr) : json(software->second)},
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

/// Those in force, in the order of their file.
json rules_of(const ReportInput& input, unsigned vmid) {
    json rules = json::array();
    for (const VmRules& each : input.world.rules)
        if (each.vmid == vmid)
            for (const Rule& rule : each.rules)
                rules.push_back({{"line", rule.line}, {"rule", rule.text}});
    return rules;
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
            {"rules", rules_of(input, vmid)},
            {"problem", vm_problem(input, vmid)},
        });
    }
    return vms;
}

/// All that lasts until `resume`, also where nothing is plugged in now.
json report_by_hand(const ReportInput& input) {
    std::map<std::string, std::string> places; // by stable name
    for (const auto& [place, situation] : situations(input.world))
        if (const auto name = stable_name(input.world, place))
            places[*name] = place.to_string();
    json all = json::array();
    for (const auto& [name, hand] : input.world.by_hand) {
        const auto place = places.find(name);
        all.push_back(
            {{"name", name},
             {"place", place == places.end() ? json(nullptr) : json(place->second)},
             {"done", hand.kind == ByHand::Kind::attached ? "attached" : "detached"},
             {"vmid", hand.vmid},
             {"machine", machine_name(input, hand.vmid)},
             {"force", hand.force}});
    }
    return all;
}

json report_serial_offers(const ReportInput& input) {
    json offers = json::array();
    for (const auto& each : input.serial_offers)
        offers.push_back(
            {{"pi", each.offer.pi},
             {"port", each.offer.port},
             {"listen", each.offer.listen.to_string()},
             {"listening", each.problem.empty()},
             {"clients", each.clients}});
    return offers;
}

json report_problems(const ReportInput& input) {
    json problems = json::array();
    if (!input.config_problem.empty())
        problems.push_back(input.config_problem);
    if (!input.world.knows_rules)
        problems.push_back("the rules have not been read yet: is /etc/pve there?");
    if (input.world.vhci.empty())
        problems.push_back("no vhci_hcd: run \"modprobe vhci-hcd\" to import devices of Pis");
    for (const auto& [vmid, config] : input.pve.configs)
        if (const auto intent = input.world.intents.find(vmid); intent != input.world.intents.end())
            for (const auto& ram : intent->second.unloadable)
                problems.push_back(how_to_load(vmid, ram));
    for (const auto& each : input.serial_offers)
        if (!each.problem.empty())
            problems.push_back(each.problem);
    return problems;
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
        {"by_hand", report_by_hand(input)},
        {"serial_offers", report_serial_offers(input)},
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

} // namespace longcord
