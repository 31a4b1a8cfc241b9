// SPDX-License-Identifier: MIT
#include "pi/export_plan.hpp"

#include <algorithm>

namespace longcord {

namespace {

/// A bound device shows no drivers any more: what it was before it was bound decides.
Judgement judge_bound(
    const ExportState& state, const std::string& busid, const LocalDevice& local,
    const ExportConfig& config) {
    const auto before = state.before.find(busid);
    if (before == state.before.end() || !same_kind(before->second.local.device, local.device)) {
        auto judgement = judge(local, config, true);
        if (judgement.kind != Judgement::Kind::exported)
            judgement.why = "another kind of device was exported at this place: its own drivers "
                            "decide first";
        return judgement;
    }
    if (!before->second.adopted)
        return judge(before->second.local, config, true);
    if (is_forbidden(local, config))
        return judge(local, config, true);
    return {Judgement::Kind::exported, "it was bound to usbip-host already"};
}

class Planner {
  public:
    Planner(const ExportState& state, const ExportConfig& config, TimePoint now)
        : state_(state), config_(config), now_(now) {}

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
        const TimePoint settled_at = plugged.since + settling_time;
        const auto judgement = bound ? judge_bound(state_, busid, plugged.local, config_)
                                     : judge(plugged.local, config_, now_ >= settled_at);
        const bool wanted = judgement.kind == Judgement::Kind::exported;
        tell(busid, plugged.local.device, bound && wanted);
        if (bound != wanted && judgement.kind != Judgement::Kind::not_yet && may_act(busid))
            (wanted ? plan_.bind : plan_.unbind).push_back(busid);
        if (judgement.kind == Judgement::Kind::not_yet)
            again_at(settled_at);
        plan_.judgements.emplace(busid, judgement);
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
    TimePoint now_;
    ExportPlan plan_;
};

} // namespace

ExportPlan plan_exports(const ExportState& state, const ExportConfig& config, TimePoint now) {
    return Planner(state, config, now).plan();
}

} // namespace longcord
