// SPDX-License-Identifier: MIT
#include "pi/exporter.hpp"

#include "base/spawn.hpp"
#include "usb/disk_use.hpp"
#include "usb/sysfs_reader.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

/// A look that had no answer (a device that hangs holds its own lock) is tried again after this.
static constexpr milliseconds look_pause{2'000};

Exporter::Exporter(
    asio::io_context& loop, WorkerPool& pool, Roots roots, ExportConfig config, Modes modes,
    Handler handler)
    : loop_(loop), pool_(pool), roots_(std::move(roots)), config_(std::move(config)),
      modes_(std::move(modes)), handler_(std::move(handler)), events_(watch_usb(loop, roots_)),
      first_look_(loop), again_(loop) {}

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
            else if (Place::parse(event.device()))
                look(event.device());
        }
    }
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
    std::function<Result<LocalDevice>()> read = [roots = roots_, busid] {
        return read_local_device(roots, busid);
    };
    for (bool first = true;; first = false) {
        look_after_.erase(busid);
        const auto found = co_await pool_.run<LocalDevice>(busid, deadline, read);
        if (found || found.error().kind == ErrorKind::not_found) {
            observe(state_, busid, found, sight, Clock::now());
            break;
        }
        spdlog::log(
            first ? spdlog::level::warn : spdlog::level::debug, "{}: cannot be looked at: {}",
            busid, found.error().message);
        co_await sleep_for(look_pause);
    }
    settle(busid);
}

void Exporter::operate(const std::string& busid, bool bind) {
    state_.busy.insert(busid);
    spawn_guarded(
        loop_, (bind ? "bind " : "unbind ") + busid,
        operate_now(state_.plugged.at(busid).local, bind));
}

/// On a worker: the operation, and a look at what became of it.
static Result<LocalDevice> bind_and_look(const Roots& roots, const LocalDevice& local) {
    const auto busid = local.device.place.busid();
    if (const auto disk = disk_in_use(roots, local))
        return fail(ErrorKind::busy, "{}: its disk {} is in use on this machine", busid, *disk);
    if (const auto bound = UsbipHost(roots).bind(busid); !bound)
        return bound.error();
    auto now = read_local_device(roots, busid);
    if (now && !is_bound(*now))
        return fail(ErrorKind::system, "{}: usbip-host did not take it", busid);
    return now;
}

static Result<LocalDevice> unbind_and_look(const Roots& roots, const LocalDevice& local) {
    const auto busid = local.device.place.busid();
    if (const auto unbound = UsbipHost(roots).unbind(busid); !unbound)
        return unbound.error();
    auto now = read_local_device(roots, busid);
    if (now && is_bound(*now))
        return fail(ErrorKind::system, "{}: usbip-host did not let it go", busid);
    return now;
}

Task<> Exporter::operate_now(LocalDevice local, bool bind) {
    const auto busid = local.device.place.busid();
    const TimePoint began = Clock::now();
    std::function<Result<LocalDevice>()> job = [roots = roots_, local, bind] {
        return bind ? bind_and_look(roots, local) : unbind_and_look(roots, local);
    };
    const auto found = co_await pool_.run<LocalDevice>(busid, deadline, job);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    if (found) {
        observe(state_, busid, found, Sight::after_bind, Clock::now());
    } else {
        note_failure(state_, busid, found.error().message, Clock::now());
        look_after_.insert(busid); // what is true now is read, not assumed
    }
    const auto result = found ? Result<>() : Result<>(found.error());
    handler_.done(local.device, bind ? "bind" : "unbind", result, took);
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

void Exporter::carry_out(const ExportPlan& plan) {
    judgements_ = plan.judgements;
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
        operate(busid, false);
    for (const auto& busid : plan.bind)
        operate(busid, true);
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
        if (!error)
            replan();
    });
}

} // namespace longcord
