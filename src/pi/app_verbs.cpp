// SPDX-License-Identifier: MIT
// What the service answers on its control socket.
#include "control/log_level.hpp"
#include "control/permission.hpp"
#include "discovery/avahi.hpp"
#include "pi/app.hpp"
#include "pi/export_steps.hpp"
#include "pi/metrics.hpp"
#include "pi/mode_store.hpp"
#include "pi/mode_verb.hpp"
#include "pi/pause_verbs.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace longcord {

Result<> PiApp::set(Modes modes) {
    if (const auto saved = save_modes(roots_, modes); !saved)
        return saved.error();
    modes_ = std::move(modes);
    exporter_.configure(*modes_);
    exporter_.try_again(); // a person wants to know now, and what failed may not be wanted any more
    return {};
}

/// Until what was asked for is so, or will not be: a bind that hangs is not waited for.
Task<> PiApp::until_at_rest(std::vector<std::string> busids) {
    const auto end = Clock::now() + patience;
    asio::steady_timer timer(loop_);
    const auto mine = waiting_.insert(waiting_.end(), &timer);
    const auto at_rest = [this](const std::string& busid) { return exporter_.at_rest(busid); };
    while (!std::ranges::all_of(busids, at_rest) && Clock::now() < end) {
        timer.expires_at(end);
        co_await timer.async_wait(as_value);
    }
    waiting_.erase(mine);
}

Task<Result<nlohmann::json>> PiApp::pause(bool pause, nlohmann::json args) {
    Modes modes = modes_ ? *modes_ : Modes();
    const auto change =
        read_pause_change(pause, args, roots_, exporter_.state(), exporter_.judgements(), modes);
    if (!change)
        co_return change.error();
    const auto changed = apply(*change, modes);
    if (!changed)
        co_return changed.error();
    if (const auto done = set(modes); !done)
        co_return done.error();
    for (const auto& busid : change->busids)
        journal_.device(
            busid, "by-hand", pause ? "disconnected by hand" : "may be connected again");
    co_await until_at_rest(change->busids);
    nlohmann::json places = nlohmann::json::array();
    for (const auto& busid : change->busids)
        places.push_back(
            {{"place", busid},
             {"exported", exporter_.state().announced.contains(busid)},
             {"why", why_it_is_where_it_is(report_input(), busid)}});
    co_return nlohmann::json{{"changed", *changed}, {"places", std::move(places)}};
}

/// One look at a time: two portals that look at once share none.
Task<Result<nlohmann::json>> PiApp::discovered() {
    constexpr milliseconds at_most{3'000};
    constexpr milliseconds deadline{10'000}; // with the answers of avahi-daemon on the way there
    std::function<Result<std::vector<FoundNode>>()> job = [at_most] { return find_nodes(at_most); };
    const auto found = co_await pool_.run<std::vector<FoundNode>>("discovery", deadline, job);
    if (!found)
        co_return found.error();
    nlohmann::json nodes = nlohmann::json::array();
    for (const FoundNode& node : *found)
        nodes.push_back(
            {{"name", node.name},
             {"address", node.address},
             {"port", node.port},
             {"interface", node.interface}});
    co_return nlohmann::json{{"nodes", std::move(nodes)}};
}

Task<Result<nlohmann::json>> PiApp::set_mode(nlohmann::json args) {
    const auto change = read_mode_change(args, roots_, exporter_.state(), config_.exports);
    if (!change)
        co_return change.error();
    for (const auto& local : change->leaving) {
        const auto busid = local.device.place.busid();
        std::function<Result<>()> ask = [roots = roots_, local] { return may_leave(roots, local); };
        const auto key = "may leave " + busid;
        const auto good = co_await pool_.run<void>(key, Exporter::deadline, ask);
        if (!good)
            co_return fail(
                ErrorKind::refused, "{}{}", good.error().message,
                good.error().kind == ErrorKind::busy ? ": unmount it first" : "");
    }
    Modes modes = modes_ ? *modes_ : Modes();
    if (const auto changed = apply(*change, modes); !changed)
        co_return changed.error();
    if (const auto done = set(std::move(modes)); !done)
        co_return done.error();
    journal_.link("mode", change->what + " is " + change->mode_word() + " from now on");
    co_return change->to_json();
}

Task<Result<nlohmann::json>> PiApp::answer(std::string verb, nlohmann::json args, Peer peer) {
    static const std::vector<std::string_view> for_portal{
        "status",     "devices",         "events",      "console", "mode",
        "detach",     "resume",          "test",        "join",    "leave",
        "discovered", "portal-code-use", "serial-allow"};
    if (auto allowed = check_permission(peer, verb, for_portal); !allowed)
        co_return allowed.error();
    spare_.soon();
    if (Joiner::knows(verb)) {
        auto result = co_await joiner_.answer(std::move(verb), std::move(args));
        co_return result;
    }
    if (verb == "log-level")
        co_return answer_log_level(args, config_.log_level);
    if (verb == "status")
        co_return report_pi_status(report_input());
    if (verb == "devices")
        co_return report_pi_devices(report_input());
    if (verb == "metrics")
        co_return nlohmann::json{{"text", pi_metrics(report_input())}};
    if (verb == "mode") {
        auto done = co_await set_mode(std::move(args));
        co_return done;
    }
    if (verb == "detach" || verb == "resume") {
        const bool detach = verb == "detach";
        auto done = co_await pause(detach, std::move(args));
        co_return done;
    }
    if (verb == "test") {
        auto done = co_await test_.answer(std::move(args));
        co_return done;
    }
    if (is_setup_code_verb(verb)) {
        std::string said;
        auto reply = answer_setup_code(setup_code_, verb, args, said);
        journal_.link("portal-code", said);
        co_return reply;
    }
    if (verb == "discovered") {
        auto found = co_await discovered();
        co_return found;
    }
    if (verb == "console")
        co_return serial_.console(args);
    if (verb == "serial-allow")
        co_return serial_.allow(args);
    if (verb == "events")
        co_return journal_.log().to_json(args);
    co_return fail(ErrorKind::invalid, "longcord-pi has no verb \"{}\"", verb);
}

} // namespace longcord
