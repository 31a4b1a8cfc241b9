// SPDX-License-Identifier: MIT
// `longcord explain`, of a place with a device and of one without.
#include "host/report_parts.hpp"
#include "plan/ownership.hpp"
#include "rules/empty_place.hpp"

namespace longcord {

using nlohmann::json;

namespace {

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
        return "Nothing happens; a rule in a VM's .usb.conf would claim it.";
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

json report_rules(const ReportInput& input, const std::vector<RuleVerdict>& verdicts) {
    json rules = json::array();
    for (const auto& verdict : verdicts) {
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
    return rules;
}

json explain_device(const ReportInput& input, const Place& place, const Situation& situation) {
    const Outcome outcome = outcome_of(input, place);
    Device device = *situation.device();
    device.place = place;
    const Subject subject = situation.subject(device);
    json winner;
    for (const auto& claim : claims(subject, input.world.rules))
        if (outcome.vmid == claim.vmid)
            winner = {{"vmid", claim.vmid}, {"line", claim.line}};
    return {
        {"place", place.to_string()},
        {"device", report_device(input, place, situation, outcome)},
        {"rules", report_rules(input, explain(subject, input.world.rules))},
        {"winner", std::move(winner)},
        {"outcome", outcome_sentence(outcome)},
        {"next", what_next(outcome)},
    };
}

// --- nothing is plugged in ----------------------------------------------------------------------

/// "/devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1" and 3-5.2: ".../usb3/3-5/3-5.2".
std::string devpath_beside(const std::string& devpath, const Place& place) {
    const std::string root = fmt::format("/usb{}", place.bus);
    const auto at = devpath.find(root + '/');
    if (at == std::string::npos)
        return {};
    std::string path = devpath.substr(0, at) + root;
    Place above{place.pi, place.bus, {}};
    for (const unsigned port : place.path.ports) {
        above.path.ports.push_back(port);
        path += '/' + above.busid();
    }
    return path;
}

/// What is plugged in elsewhere on its bus tells the controller.
EmptyPlace empty_place(const World& world, const Place& place) {
    EmptyPlace at{place, {}, {}};
    for (const auto& [other, situation] : situations(world)) {
        const Device* device = situation.local ? &situation.local->device : situation.announced;
        if (!device || other.pi != place.pi || other.bus != place.bus)
            continue;
        at.controller = device->controller;
        if (situation.local)
            at.devpath = devpath_beside(situation.local->devpath, place);
        break;
    }
    return at;
}

std::string why_nothing(const World& world, const Place& place) {
    if (!world.complete())
        return "the service is still starting";
    if (place.is_local()) {
        for (const auto& row : world.vhci)
            if (row.state == VhciPort::State::used && row.local_busid == place.to_string())
                return fmt::format(
                    "that is vhci port {}, and what is there was attached by somebody else",
                    row.port);
        return "nothing is plugged in there";
    }
    const auto pi = world.pis.find(place.pi);
    if (pi == world.pis.end() || pi->second.unpaired)
        return fmt::format(
            "no Pi named {} was linked since the service started; \"longcord pis\" lists those "
            "that are paired",
            place.pi);
    if (pi->second.plain)
        return pi->second.linked ? "the server shows nothing there"
                                 : "the server did not answer when it was asked: longcord rescan";
    if (!pi->second.linked || !pi->second.announced)
        return fmt::format("the Pi {} is not linked, so nothing is known of it", place.pi);
    return fmt::format(
        "nothing is plugged in there that the Pi {0} exports; \"longcord devices\" on {0} shows "
        "what it keeps to itself",
        place.pi);
}

/// What becomes of a device that is plugged in there; `depends`: some rules ask for certain ones.
std::string expected(const ReportInput& input, const EmptyPlace& at, bool depends) {
    const auto claims = claims_on_anything(at, input.world.rules);
    const std::string but =
        depends ? ", unless a rule that asks for certain devices says otherwise." : ".";
    if (claims.empty())
        return depends ? "Only a device that one of these rules asks for is taken."
                       : "A device that is plugged in there stays where it is: no rule wants it.";
    if (claims.size() > 1 && claims[1].strength == claims[0].strength)
        return fmt::format(
            "{} and {} want whatever is plugged in there equally: the one that runs gets it, and "
            "while both run neither{}",
            name_claim(claims[0]), name_claim(claims[1]), but);
    return fmt::format(
        "Whatever is plugged in there is for {} while it runs{}", name_claim(claims[0]), but);
}

/// Nothing is plugged in, or (right after a start) nobody has said yet what is.
json explain_nothing(const ReportInput& input, const Place& place) {
    const EmptyPlace at = empty_place(input.world, place);
    const auto verdicts = explain_empty(at, input.world.rules);
    bool depends = false;
    for (const auto& verdict : verdicts)
        depends = depends || verdict.kind == RuleVerdict::Kind::depends;
    const auto outcome = input.outcomes.find(place);
    return {
        {"place", place.to_string()},
        {"device", nullptr},
        {"rules", report_rules(input, verdicts)},
        {"winner", nullptr},
        {"outcome", outcome == input.outcomes.end() ? why_nothing(input.world, place)
                                                    : outcome_sentence(outcome->second)},
        {"next", expected(input, at, depends)},
    };
}

} // namespace

json report_explain(const ReportInput& input, const Place& place) {
    const auto all = situations(input.world);
    const auto found = all.find(place);
    if (found != all.end() && found->second.device())
        return worded(input, explain_device(input, place, found->second));
    return worded(input, explain_nothing(input, place));
}

} // namespace longcord
