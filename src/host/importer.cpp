// SPDX-License-Identifier: MIT
#include "host/importer.hpp"

#include "base/spawn.hpp"
#include "plan/changes.hpp"
#include "usbip/authorize.hpp"
#include "usbip/compare.hpp"

#include <spdlog/spdlog.h>

namespace longcord {

namespace {

/// attach and detach only hand over; they do not wait for USB.
constexpr milliseconds attach_limit{2'000};
/// Setting a configuration is USB I/O over the network, bounded by the kernel at 5 s a transfer.
constexpr milliseconds authorize_limit{6'000};
/// vhci tears a port down asynchronously; no event tells when a port without device is free.
constexpr milliseconds free_poll{10};
constexpr milliseconds free_limit{2'000};

/// Before the kernel gets it: the vhci port was chosen by the announced speed, and one that is not
/// the announced device would have to be detached at once, and be imported again, for ever.
Result<> is_as_announced(const World& world, const Place& place, const WireDevice& device) {
    const Device* announced = world.announced_at(place);
    if (!announced)
        return fail(ErrorKind::not_found, "the Pi says meanwhile that it is gone");
    if (device.devid() != devid_of(*announced))
        return fail(
            ErrorKind::protocol, "it is bus {} device {}, announced was bus {} device {}",
            device.busnum, device.devnum, place.bus, announced->devnum);
    if (const auto difference = differs(device, *announced))
        return fail(ErrorKind::protocol, "{}", *difference);
    return {};
}

} // namespace

Importer::Importer(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    OpenRequests& opens, StreamDialer& dialer)
    : loop_(loop), roots_(roots), pool_(pool), reconciler_(reconciler), opens_(opens),
      dialer_(dialer), vhci_(roots), records_(roots), claims_(std::make_shared<PortClaims>(roots)),
      speeds_(std::make_shared<PortSpeeds>()) {}

Task<Result<>> Importer::import_device(ImportDevice action) {
    auto dialed = co_await dialer_.dial(action);
    if (!dialed)
        co_return dialed.error();
    ImportedStream& stream = dialed->imported;
    const auto same = is_as_announced(reconciler_.world(), action.place, stream.device);
    if (!same)
        co_return fail(
            same.error().kind, "{}: USB/IP server {}, device {}: {}", action.place.to_string(),
            dialed->server, action.place.busid(), same.error().message);

    // The record first: should we die between the two, the port is still known as ours.
    VhciRecord record{
        action.vhci_port, action.place, stream.devid, static_cast<unsigned>(stream.socket.get()),
        dialed->server};
    Import import;
    import.place = action.place;
    import.devid = stream.devid;
    import.since = Clock::now();
    import.engine = dialed->engine;
    import_found(reconciler_.world(), action.vhci_port, std::move(import));

    auto socket = std::make_shared<UniqueFd>(std::move(stream.socket));
    const Speed speed = stream.speed;
    std::function<Result<>()> job = [roots = roots_, records = records_, vhci = vhci_,
                                     speeds = speeds_, record, socket, speed]() -> Result<> {
        if (auto saved = records.save(record); !saved)
            return saved;
        // Where it fails the device may be taken for a high speed one, which is seen and said then.
        if (auto ready = speeds->make_ready(roots, record.port, speed); !ready)
            spdlog::debug("vhci port {}: {}", record.port, ready.error().message);
        auto attached = vhci.attach(record.port, socket->get(), record.devid, speed);
        if (!attached)
            records.remove(record.port);
        socket->reset(); // the kernel has its own reference
        return attached;
    };
    const std::string key = fmt::format("vhci port {}", action.vhci_port);
    const auto attached = co_await pool_.run<void>(key, attach_limit, std::move(job));
    ++epoch_;
    if (!attached && attached.error().kind != ErrorKind::unknown)
        reconciler_.world().imports.erase(action.vhci_port);
    if (!attached && !action.plain)
        opens_.close(action.place);
    co_return attached;
}

Task<Result<>> Importer::authorize(AuthorizeImport action) {
    if (const auto* import = reconciler_.world().import_of(action.place))
        claimed_[import->first] = action.sysname;
    std::function<Result<>()> job = [roots = roots_, claims = claims_, sysname = action.sysname,
                                     configuration = action.configuration] {
        return authorize_device(roots, *claims, sysname, configuration);
    };
    const std::string key = "device " + action.sysname;
    auto authorized = co_await pool_.run<void>(key, authorize_limit, std::move(job));
    co_return authorized;
}

Task<Result<>> Importer::detach(DetachImport action) {
    const auto& imports = reconciler_.world().imports;
    if (const auto import = imports.find(action.vhci_port);
        import != imports.end() && !import->second.ready)
        speeds_->distrust(action.vhci_port);
    // A key of its own: a detach is what frees an operation that hangs on that device.
    const std::string key = fmt::format("detach vhci port {}", action.vhci_port);
    std::function<Result<>()> job = [vhci = vhci_, port = action.vhci_port] {
        return vhci.detach(port);
    };
    const auto detached = co_await pool_.run<void>(key, attach_limit, std::move(job));
    if (!detached && detached.error().kind != ErrorKind::not_found) // free already
        co_return detached;
    const auto limit = Clock::now() + free_limit;
    for (;;) {
        std::function<Result<std::vector<VhciPort>>()> look = [vhci = vhci_] {
            return vhci.ports();
        };
        const auto ports =
            co_await pool_.run<std::vector<VhciPort>>(key, attach_limit, std::move(look));
        if (!ports)
            co_return ports.error();
        for (const auto& row : *ports)
            if (row.port == action.vhci_port && row.state == VhciPort::State::free) {
                // What the kernel is to remove yet keeps both until vhci's table is read after
                // that.
                if (const auto import = imports.find(action.vhci_port);
                    import == imports.end() || !import->second.local) {
                    records_.remove(action.vhci_port);
                    freed(action.vhci_port);
                }
                reconciler_.world().vhci = *ports;
                ++epoch_;
                opens_.close(action.place);
                tell_detached_(action.place);
                co_return Result<>();
            }
        if (Clock::now() > limit)
            co_return fail(
                ErrorKind::unknown, "{}: vhci port {} is not free {} ms after detach",
                action.place.to_string(), action.vhci_port, free_limit.count());
        co_await sleep_for(free_poll);
    }
}

void Importer::freed(unsigned vhci_port) {
    const auto claimed = claimed_.find(vhci_port);
    if (claimed == claimed_.end())
        return;
    const auto& sysname = claimed->second;
    spawn_guarded(
        loop_, "claim of " + sysname, give_up_claim(sysname, claims_->claim_number(sysname)));
    claimed_.erase(claimed);
}

Task<> Importer::give_up_claim(std::string sysname, unsigned number) {
    // The hub's lock is held until the kernel is sure that nobody comes back at once
    // (hub_port_debounce, hub.c): 0.1 s in which QEMU has to be told.
    std::function<Result<>()> job = [claims = claims_, sysname, number]() -> Result<> {
        claims->release(sysname, number);
        return {};
    };
    co_await pool_.run<void>(
        fmt::format("claim {} of {}", number, sysname), authorize_limit, std::move(job));
}

Task<> Importer::release_leftover_claims() {
    std::set<std::string> adopted;
    for (const auto& [port, sysname] : claimed_)
        adopted.insert(sysname);
    std::function<Result<>()> job = [claims = claims_, adopted]() -> Result<> {
        claims->release_all_but(adopted);
        return {};
    };
    co_await pool_.run<void>("leftover claims", authorize_limit, std::move(job));
}

} // namespace longcord
