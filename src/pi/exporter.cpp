// SPDX-License-Identifier: MIT
#include "pi/exporter.hpp"

#include "base/spawn.hpp"
#include "pi/export_steps.hpp"
#include "usb/sysfs_reader.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

/// A look that had no answer (a device that hangs holds its own lock) is tried again after this.
static constexpr milliseconds look_pause{2'000};

Exporter::Exporter(
    asio::io_context& loop, WorkerPool& pool, Roots roots, ExportConfig config, Modes modes,
    Handler handler)
    : loop_(loop), pool_(pool), roots_(std::move(roots)), config_(std::move(config)),
      modes_(std::move(modes)), handler_(std::move(handler)),
      claims_(std::make_shared<PortClaims>(roots_, PortClaims::Hubs::may_sleep)),
      claimer_(loop, pool, roots_, claims_), events_(watch_usb(loop, roots_)), first_look_(loop),
      again_(loop) {}

Task<> Exporter::run() {
    for (const auto& busid : list_local_devices(roots_))
        look(busid, Sight::at_start);
    replan(); // also where nothing is plugged
    first_look_.expires_after(first_look);
    first_look_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            end_first_look();
    });
    for (;;) {
        const auto events = co_await events_->next();
        for (const auto& event : events) {
            if (event.overflow)
                look_at_everything();
            else if (Place::parse(event.device()) && !is_known(event))
                look(event.device());
        }
    }
}

/// What comes of a bind of ours is read by whoever binds; and a device that usbip-host has is whose
/// it is, whatever a node configures.
bool Exporter::is_known(const UsbEvent& event) const {
    const auto busid = event.device();
    if (!event.interface)
        return event.action == UsbEvent::Action::bind && state_.binding.contains(busid);
    const auto plugged = state_.plugged.find(busid);
    return plugged != state_.plugged.end() && is_bound(plugged->second.local);
}

void Exporter::configure(ExportConfig config) {
    config_ = std::move(config);
    replan();
}

void Exporter::configure(Modes modes) {
    modes_ = std::move(modes);
    replan();
}

void Exporter::renew(const std::string& busid) {
    const auto plugged = state_.plugged.find(busid);
    if (plugged == state_.plugged.end() || !is_bound(plugged->second.local))
        return;
    state_.renew.insert(busid);
    replan();
}

void Exporter::try_again() {
    state_.failed.clear();
    replan();
}

Task<> Exporter::until_bound(std::string busid, milliseconds at_most) {
    asio::steady_timer timer(loop_, Clock::now() + at_most);
    const auto end = timer.expiry();
    const auto mine = waiting_.insert(waiting_.end(), &timer);
    while (state_.binding.contains(busid) && Clock::now() < end)
        co_await timer.async_wait(as_value);
    waiting_.erase(mine);
}

bool Exporter::at_rest(const std::string& busid) const {
    if (replanning_ || state_.busy.contains(busid))
        return false;
    const auto plugged = state_.plugged.find(busid);
    const auto judgement = judgements_.find(busid);
    if (plugged == state_.plugged.end() || judgement == judgements_.end())
        return plugged == state_.plugged.end();
    if (state_.failed.contains(busid))
        return true; // for now
    using Kind = Judgement::Kind;
    return judgement->second.kind != Kind::not_yet &&
           is_bound(plugged->second.local) == (judgement->second.kind == Kind::exported);
}

void Exporter::end_first_look() {
    if (ready_)
        return;
    ready_ = true;
    first_look_.cancel();
    handler_.ready();
}

std::vector<Device> Exporter::announced() const {
    std::vector<Device> devices;
    for (const auto& [busid, device] : state_.announced)
        devices.push_back(device);
    return devices;
}

/// Events were lost: what came is in the list, what went is in the state.
void Exporter::look_at_everything() {
    std::set<std::string> busids;
    for (const auto& busid : list_local_devices(roots_))
        busids.insert(busid);
    for (const auto& [busid, plugged] : state_.plugged)
        busids.insert(busid);
    for (const auto& busid : busids)
        look(busid);
}

void Exporter::look(const std::string& busid, Sight sight) {
    if (state_.busy.insert(busid).second)
        spawn_guarded(loop_, "look at " + busid, look_now(busid, sight));
    else
        look_after_.insert(busid);
}

Task<> Exporter::look_now(std::string busid, Sight sight) {
    std::function<Result<Look>()> read = [roots = roots_, claims = claims_, busid] {
        return look_at(roots, *claims, busid);
    };
    for (bool first = true;; first = false) {
        look_after_.erase(busid);
        auto found = co_await pool_.run<Look>(busid, deadline, read);
        if (found || found.error().kind == ErrorKind::not_found) {
            const auto local = found ? Result<LocalDevice>(std::move(found->local))
                                     : Result<LocalDevice>(found.error());
            observe(state_, busid, local, sight, Clock::now(), found && found->held);
            break;
        }
        spdlog::log(
            first ? spdlog::level::warn : spdlog::level::debug, "{}: cannot be looked at: {}",
            busid, found.error().message);
        co_await sleep_for(look_pause);
    }
    settle(busid);
}

std::string_view Exporter::word_for(Operation operation) {
    return operation == Operation::bind     ? "bind"
           : operation == Operation::unbind ? "unbind"
                                            : "give back";
}

void Exporter::operate(const std::string& busid, Operation operation) {
    state_.busy.insert(busid);
    if (operation == Operation::bind)
        state_.binding.insert(busid);
    spawn_guarded(
        loop_, fmt::format("{} {}", word_for(operation), busid),
        operate_now(state_.plugged.at(busid), operation));
}

Task<> Exporter::operate_now(PluggedDevice plugged, Operation operation) {
    const LocalDevice local = plugged.local;
    const auto busid = local.device.place.busid();
    const TimePoint began = Clock::now();
    std::function<Result<LocalDevice>()> job = [roots = roots_, claims = claims_, local, operation,
                                                held = plugged.held] {
        switch (operation) {
        case Operation::bind:
            return bind_and_look(roots, *claims, local, held);
        case Operation::unbind:
            return unbind_and_look(roots, local);
        case Operation::give_back:
            break;
        }
        return give_back_and_look(roots, *claims, local);
    };
    const auto found = co_await pool_.run<LocalDevice>(busid, deadline, job);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    if (found) {
        const auto sight =
            operation == Operation::give_back ? Sight::given_back : Sight::after_bind;
        observe(state_, busid, found, sight, Clock::now());
    } else {
        note_failure(state_, busid, found.error().message, Clock::now());
        look_after_.insert(busid); // what is true now is read, not assumed
    }
    const auto result = found ? Result<>() : Result<>(found.error());
    state_.binding.erase(busid);
    for (asio::steady_timer* timer : waiting_)
        timer->cancel();
    handler_.done(local.device, word_for(operation), result, took);
    settle(busid);
}

/// The device is free again.
void Exporter::settle(const std::string& busid) {
    state_.busy.erase(busid);
    if (look_after_.erase(busid) > 0)
        look(busid);
    replan();
}

/// One plan a turn of the loop, however many events came.
void Exporter::replan() {
    if (replanning_)
        return;
    replanning_ = true;
    asio::post(loop_, [this] {
        replanning_ = false;
        carry_out(plan_exports(state_, config_, modes_, Clock::now()));
    });
}

void Exporter::tell_what_is_kept() {
    std::erase_if(kept_, [&](const auto& entry) {
        const auto judgement = judgements_.find(entry.first);
        return judgement == judgements_.end() || judgement->second.kind != Judgement::Kind::kept;
    });
    for (const auto& [busid, judgement] : judgements_) {
        const auto plugged = state_.plugged.find(busid);
        if (judgement.kind != Judgement::Kind::kept || plugged == state_.plugged.end())
            continue;
        const Device& device = plugged->second.local.device;
        const std::pair told(device.devnum, judgement.why);
        if (std::exchange(kept_[busid], told) != told)
            handler_.kept(device, judgement.why);
    }
}

void Exporter::carry_out(const ExportPlan& plan) {
    judgements_ = plan.judgements;
    tell_what_is_kept();
    handler_.judged();
    for (const auto& busid : plan.withdraw) {
        state_.announced.erase(busid);
        handler_.withdraw(busid);
    }
    for (const auto& device : plan.announce) {
        state_.announced[device.place.busid()] = device;
        handler_.announce(device);
    }
    for (const auto& busid : plan.unbind)
        operate(busid, Operation::unbind);
    for (const auto& busid : plan.bind)
        operate(busid, Operation::bind);
    for (const auto& busid : plan.give_back)
        operate(busid, Operation::give_back);
    claimer_.follow(state_, config_, modes_);
    const auto undecided = [](const auto& each) {
        return each.second.kind == Judgement::Kind::not_yet;
    };
    if (state_.busy.empty() && std::ranges::none_of(plan.judgements, undecided))
        end_first_look();
    again_.cancel();
    if (!plan.look_again)
        return;
    again_.expires_at(*plan.look_again);
    again_.async_wait([this](const boost::system::error_code& error) {
        if (error)
            return;
        // What became of it meanwhile, its drivers tell nobody.
        for (const auto& [busid, judgement] : judgements_)
            if (judgement.kind == Judgement::Kind::not_yet)
                look(busid);
        replan();
    });
}

} // namespace longcord
