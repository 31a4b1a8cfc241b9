// SPDX-License-Identifier: MIT
#include "pi/pause_verbs.hpp"

#include "base/text.hpp"
#include "pi/mode_verb.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

static ControllerPlace place_of(const Device& device) {
    return {device.controller, device.place.path};
}

static void take_all(
    const ExportState& state, const std::map<std::string, Judgement>& judgements,
    const Modes& modes, PauseChange& change) {
    for (const auto& [busid, plugged] : state.plugged) {
        const auto place = place_of(plugged.local.device);
        const auto judgement = judgements.find(busid);
        const bool for_vms =
            judgement != judgements.end() && judgement->second.kind != Judgement::Kind::kept;
        if (change.pause ? for_vms : modes.paused.contains(place)) {
            change.busids.push_back(busid);
            if (change.pause)
                change.which.push_back(place);
        }
    }
    if (!change.pause)
        change.which.assign(modes.paused.begin(), modes.paused.end());
}

Result<PauseChange> read_pause_change(
    bool pause, const json& args, const Roots& roots, const ExportState& state,
    const std::map<std::string, Judgement>& judgements, const Modes& modes) {
    PauseChange change;
    change.pause = pause;
    const auto all = args.find("all");
    if (all != args.end() && all->is_boolean() && *all == true) {
        take_all(state, judgements, modes, change);
        return change;
    }
    const auto given = args.find("place");
    if (given == args.end() || !given->is_string())
        return fail(ErrorKind::invalid, "it needs a place, such as 1-1.2, or \"all\"");
    const auto place = read_place(roots, given->get<std::string>());
    if (!place)
        return place.error();
    change.which.push_back(*place);
    for (const auto& [busid, plugged] : state.plugged)
        if (place_of(plugged.local.device) == *place)
            change.busids.push_back(busid);
    if (!pause)
        return change;
    if (change.busids.empty())
        return fail(
            ErrorKind::not_found, "nothing is plugged at {}", printable(given->get<std::string>()));
    const auto judgement = judgements.find(change.busids.front());
    if (judgement != judgements.end() && judgement->second.kind == Judgement::Kind::kept &&
        !modes.paused.contains(*place))
        return fail(
            ErrorKind::refused, "{} is with no node: {}", change.busids.front(),
            judgement->second.why);
    return change;
}

Result<bool> apply(const PauseChange& change, Modes& modes) {
    bool changed = false;
    for (const auto& place : change.which) {
        if (!change.pause) {
            changed = modes.paused.erase(place) > 0 || changed;
            continue;
        }
        if (modes.paused.size() >= max_modes && !modes.paused.contains(place))
            return fail(
                ErrorKind::full,
                "{} places are disconnected, which is all that can be: resume some", max_modes);
        changed = modes.paused.insert(place).second || changed;
    }
    return changed;
}

} // namespace longcord
