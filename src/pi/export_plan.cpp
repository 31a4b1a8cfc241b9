// SPDX-License-Identifier: MIT
#include "pi/export_plan.hpp"

#include <algorithm>

namespace longcord {

namespace {

/// A bound device shows no drivers any more: what it was before it was bound decides.
Judgement judge_bound(
    const ExportState& state, const std::string& busid, const LocalDevice& local,
    const ExportConfig& config, const Modes& modes) {
    const auto before = state.before.find(busid);
    if (before == state.before.end() || !same_kind(before->second.local.device, local.device)) {
        // The kernel bound it in the place of another one, and it never met its drivers: only they
        // would tell that it is a network adapter, whatever its place is for.
        auto judgement = judge(local, config, modes, true);
        const bool exported = judgement.kind == Judgement::Kind::exported;
        if (exported ? !classes_tell_all(local.device) : !modes.of(local.device))
            return {
                Judgement::Kind::kept,
                "another kind of device was exported at this place: its own drivers decide first",
                judgement.mode};
        return judgement;
    }
    if (!before->second.adopted)
        return judge(before->second.local, config, modes, true);
    if (never_leaves(local, config) || modes.of(local.device))
        return judge(local, config, modes, true);
    if (modes.is_paused(local.device))
        return {Judgement::Kind::kept, "it was disconnected by hand", DeviceMode::usbip};
    return {Judgement::Kind::exported, "it was bound to usbip-host already", DeviceMode::usbip};
}

/// Its drivers were never asked. Those of a device of the same kind that was here before tell what
/// they would be, and so do the standard classes. Of all else only a driver can tell that it is a
/// network adapter, so nullopt: they are let in first.
std::optional<Judgement> judge_held(
    const ExportState& state, const std::string& busid, const LocalDevice& local,
    const ExportConfig& config, const Modes& modes) {
    const auto before = state.before.find(busid);
    const bool known = before != state.before.end() && !before->second.adopted &&
                       same_kind(before->second.local.device, local.device);
    if (!known && !classes_tell_all(local.device))
        return std::nullopt;
    LocalDevice as_configured = local;
    if (known)
        as_configured.drivers = before->second.local.drivers;
    auto judgement = judge(as_configured, config, modes, true);
    if (judgement.kind != Judgement::Kind::exported)
        return std::nullopt;
    return judgement;
}

class Planner {
  public:
    Planner(const ExportState& state, const ExportConfig& config, const Modes& modes, TimePoint now)
        : state_(state), config_(config), modes_(modes), now_(now) {}

    ExportPlan plan() {
        for (const auto& [busid, device] : state_.announced)
            if (!state_.plugged.contains(busid))
                plan_.withdraw.push_back(busid);
        for (const auto& [busid, plugged] : state_.plugged)
            consider(busid, plugged);
        return std::move(plan_);
    }

  private:
    void consider(const std::string& busid, const PluggedDevice& plugged) {
        const bool bound = is_bound(plugged.local);
        if (plugged.held)
            return consider_held(busid, plugged.local);
        const TimePoint settled_at = plugged.since + settling_time;
        const auto judgement = bound ? judge_bound(state_, busid, plugged.local, config_, modes_)
                                     : judge(plugged.local, config_, modes_, now_ >= settled_at);
        const bool wanted =
            judgement.kind == Judgement::Kind::exported && !(bound && state_.renew.contains(busid));
        tell(busid, plugged.local.device, bound && wanted);
        if (bound != wanted && judgement.kind != Judgement::Kind::not_yet && may_act(busid))
            (wanted ? plan_.bind : plan_.unbind).push_back(busid);
        if (judgement.kind == Judgement::Kind::not_yet)
            again_at(settled_at);
        plan_.judgements.emplace(busid, judgement);
    }

    void consider_held(const std::string& busid, const LocalDevice& local) {
        const auto judgement = judge_held(state_, busid, local, config_, modes_);
        const bool acts = may_act(busid);
        // No driver has it, so nothing but a fault stands in the way of its bind: the nodes are
        // told meanwhile, and have their streams ready. After a fault they are told once it is
        // bound.
        const bool tried = state_.failed.contains(busid);
        const bool coming = judgement && !tried && (acts || state_.binding.contains(busid));
        tell(busid, local.device, coming);
        if (acts)
            (judgement ? plan_.bind : plan_.give_back).push_back(busid);
        plan_.judgements.emplace(
            busid, judgement ? *judgement
                             : Judgement{
                                   Judgement::Kind::not_yet, "its own drivers are let in first",
                                   DeviceMode::off});
    }

    void tell(const std::string& busid, const Device& device, bool exported) {
        const auto announced = state_.announced.find(busid);
        const bool told = announced != state_.announced.end();
        const bool same = told && same_device(announced->second, device);
        if (told && !(exported && same))
            plan_.withdraw.push_back(busid);
        if (exported && !same)
            plan_.announce.push_back(device);
    }

    bool may_act(const std::string& busid) {
        if (state_.busy.contains(busid))
            return false;
        const auto failed = state_.failed.find(busid);
        if (failed == state_.failed.end() || now_ >= failed->second.retry_at)
            return true;
        again_at(failed->second.retry_at);
        return false;
    }

    void again_at(TimePoint time) {
        plan_.look_again = plan_.look_again ? std::min(*plan_.look_again, time) : time;
    }

    const ExportState& state_;
    const ExportConfig& config_;
    const Modes& modes_;
    TimePoint now_;
    ExportPlan plan_;
};

} // namespace

ExportPlan plan_exports(
    const ExportState& state, const ExportConfig& config, const Modes& modes, TimePoint now) {
    return Planner(state, config, modes, now).plan();
}

} // namespace longcord
