// SPDX-License-Identifier: MIT
#include "host/kernel_source.hpp"

#include "base/spawn.hpp"
#include "plan/changes.hpp"
#include "usb/sysfs_reader.hpp"
#include "usbip/authorize.hpp"

#include <algorithm>
#include <utility>

namespace longcord {

namespace {

/// Reading one device; more than this means its lock is held by an operation that hangs.
constexpr milliseconds read_limit{6'000};
constexpr milliseconds list_limit{30'000};

/// "3-4.1:1.0" is an interface of "3-4.1".
std::string device_of(const std::string& sysname) {
    return sysname.substr(0, sysname.find(':'));
}

} // namespace

KernelSource::KernelSource(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    Importer& importer, Journal& journal, bool admit_foreign, VhciTable::StreamEnded stream_ended)
    : loop_(loop), roots_(roots), pool_(pool), reconciler_(reconciler), importer_(importer),
      journal_(journal), admit_foreign_(admit_foreign), vhci_(roots), records_(roots),
      table_(loop, roots, pool, reconciler, importer, journal, std::move(stream_ended)) {}

Task<> KernelSource::run() {
    events_ = watch_usb(loop_, roots_); // before the first look, so nothing falls in between
    co_await prepare_root_hubs();
    co_await adopt_imports();
    co_await importer_.release_leftover_claims();
    co_await list_everything();
    for (;;) {
        const auto events = co_await events_->next();
        const bool lost = std::any_of(
            events.begin(), events.end(), [](const UsbEvent& event) { return event.overflow; });
        if (lost) {
            co_await list_everything();
            continue;
        }
        for (const auto& event : events) {
            if (event.action == UsbEvent::Action::remove && !event.interface) {
                removed(event);
            } else {
                if (event.sysname.starts_with("usb")) // vhci_hcd was loaded anew, perhaps
                    spawn_guarded(loop_, "vhci root hubs", prepare_root_hubs());
                refresh(device_of(event.sysname));
            }
        }
        reconciler_.wake();
    }
}

/// Hubs come by the dozen where vhci_hcd is loaded anew, each with one event: one that came while
/// the others were prepared is prepared after them, or this host's drivers would have what comes to
/// it.
Task<> KernelSource::prepare_root_hubs() {
    prepare_again_ = true;
    if (std::exchange(preparing_, true))
        co_return;
    while (std::exchange(prepare_again_, false)) {
        std::function<Result<>()> prepare = [roots = roots_] {
            return prepare_vhci_root_hubs(roots);
        };
        const auto prepared =
            co_await pool_.run<void>("vhci root hubs", read_limit, std::move(prepare));
        if (!prepared)
            journal_.problem(prepared.error().message);
    }
    preparing_ = false;
}

void KernelSource::admit_foreign(bool admit) {
    if (std::exchange(admit_foreign_, admit) || !admit)
        return;
    spawn_guarded(loop_, "all USB devices", list_everything());
}

/// After a restart: which of vhci's busy ports are ours is in our record, and nothing else is.
Task<> KernelSource::adopt_imports() {
    if (!vhci_.present()) {
        journal_.problem("this host has no vhci_hcd: imports need \"modprobe vhci-hcd\"");
        co_return;
    }
    std::function<Result<std::vector<VhciPort>>()> look = [vhci = vhci_] { return vhci.ports(); };
    const auto ports =
        co_await pool_.run<std::vector<VhciPort>>("vhci table", read_limit, std::move(look));
    if (!ports) {
        journal_.problem(ports.error().message);
        co_return;
    }
    for (const auto& record : records_.load()) {
        const auto row = std::find_if(ports->begin(), ports->end(), [&](const VhciPort& port) {
            return port.port == record.port;
        });
        if (row == ports->end() || !may_own(record, *row)) {
            records_.remove(record.port);
            continue;
        }
        Import import;
        import.place = record.place;
        import.devid = record.devid;
        import.since = Clock::now();
        import.found = true;
        import.ready = is_authorized(roots_, row->local_busid);
        journal_.device(
            record.place, "adopted",
            fmt::format("found on vhci port {} ({})", record.port, row->local_busid));
        import_found(reconciler_.world(), record.port, std::move(import));
        importer_.adopted(record.port, row->local_busid);
    }
}

Task<> KernelSource::list_everything() {
    co_await table_.read();
    const auto began = Clock::now();
    std::function<Result<std::vector<LocalDevice>>()> read =
        [roots = roots_]() -> Result<std::vector<LocalDevice>> {
        return read_local_devices(roots);
    };
    const auto devices = co_await pool_.run<std::vector<LocalDevice>>(
        "all USB devices", list_limit, std::move(read));
    if (!devices) {
        journal_.problem(devices.error().message);
        co_return;
    }
    for (const auto& device : *devices)
        if (is_out_of_date(reconciler_.world(), device, began))
            co_return co_await list_everything();
    devices_listed(reconciler_.world(), *devices, Clock::now());
    co_await table_.read(); // whose port is free, and whose removal was not told
    for (const auto& device : *devices)
        if (admit_foreign_ && is_foreign(device))
            spawn_guarded(loop_, "admitting " + device.sysfs_path, admit(device.sysfs_path));
    reconciler_.wake();
}

void KernelSource::refresh(const std::string& sysname) {
    const auto [reading, fresh] = reading_.try_emplace(sysname);
    if (!fresh) {
        reading->second.again = true;
        return;
    }
    spawn_guarded(loop_, "reading " + sysname, read_device(sysname));
}

/// What is being read may be the device that is gone: its successor, or nothing, is read once more.
void KernelSource::removed(const UsbEvent& event) {
    if (const auto reading = reading_.find(event.sysname); reading != reading_.end())
        reading->second = {true, true};
    device_gone(reconciler_.world(), event.sysname, event.devnum);
    spawn_guarded(loop_, "reading vhci", table_.read());
}

Task<> KernelSource::read_device(std::string sysname) {
    for (;;) {
        reading_[sysname] = {};
        const auto began = Clock::now();
        std::function<Result<LocalDevice>()> read = [roots = roots_, sysname] {
            return read_local_device(roots, sysname);
        };
        const std::string key = "reading " + sysname;
        const auto device = co_await pool_.run<LocalDevice>(key, read_limit, std::move(read));
        if (device && device->on_vhci && !is_known_import(reconciler_.world(), *device))
            co_await table_.read(); // says which port it came through
        if (reading_[sysname].gone ||
            (device && is_out_of_date(reconciler_.world(), *device, began)))
            continue;
        if (device) {
            device_seen(reconciler_.world(), *device, Clock::now());
            if (admit_foreign_ && is_foreign(*device))
                spawn_guarded(loop_, "admitting " + sysname, admit(sysname));
        } else if (device.error().kind == ErrorKind::not_found) {
            device_gone(reconciler_.world(), sysname);
            spawn_guarded(loop_, "reading vhci", table_.read());
        }
        reconciler_.wake();
        if (!reading_[sysname].again)
            break;
    }
    reading_.erase(sysname);
}

/// Came through vhci, is not configured, and no port of ours carries it: an admin's own attach.
bool KernelSource::is_foreign(const LocalDevice& device) const {
    if (!device.on_vhci || device.authorized)
        return false;
    const World& world = reconciler_.world();
    for (const auto& row : world.vhci)
        if (row.state == VhciPort::State::used && row.local_busid == device.sysfs_path)
            return !world.imports.contains(row.port);
    return false;
}

Task<> KernelSource::admit(std::string sysname) {
    std::function<Result<>()> job = [roots = roots_, sysname] {
        return authorize_foreign_device(roots, sysname);
    };
    const std::string key = "device " + sysname;
    const auto admitted = co_await pool_.run<void>(key, read_limit, std::move(job));
    if (admitted)
        journal_.problem(sysname + " was attached by somebody else: authorised as usual");
    else
        journal_.problem(admitted.error().message);
}

} // namespace longcord
