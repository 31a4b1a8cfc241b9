// SPDX-License-Identifier: MIT
#include "pi/arbiter.hpp"

#include "base/spawn.hpp"
#include "pi/hand_over.hpp"
#include "usbip/export.hpp"

#include <spdlog/spdlog.h>

namespace longcord {

static std::string name_of(const Holder& holder) {
    std::string name = holder.node.empty() ? "a machine that is not known" : holder.node;
    return holder.vmid ? fmt::format("{} for VM {}", name, *holder.vmid) : name;
}

Arbiter::Arbiter(
    asio::io_context& loop, WorkerPool& pool, Roots roots, PiJournal& journal, Outside outside)
    : loop_(loop), pool_(pool), roots_(std::move(roots)), journal_(journal),
      outside_(std::move(outside)),
      watch_(loop, [this](std::uint64_t stream) { stream_ended(stream); }),
      record_(read_stream_record(roots_)), expiry_(loop) {}

Task<> Arbiter::run() {
    co_await watch_.run();
}

void Arbiter::open(const std::string& link, const std::string& node, const Open& message) {
    const auto& busid = message.busid;
    if (const auto why = outside_.why_not(busid))
        return outside_.tell(link, OpenRefused{message.n, *why});
    const Holder who{link, node, message.vmid};
    const auto now = Clock::now();
    tell(leases_.expire(now));
    const auto verdict = leases_.open(busid, who, now);
    if (verdict.busy)
        return outside_.tell(link, Busy{message.n, verdict.busy->node, verdict.busy->vmid});
    if (verdict.cut) {
        journal_.device(
            busid, "stream-ended",
            fmt::format("stream to {} ended: it is opened anew", name_of(who)));
        cut(busid, *verdict.cut);
    }
    [[maybe_unused]] const auto added = tickets_.add(Grant{busid, link, message.secret}, now);
    set_timer();
    outside_.tell(link, Opened{message.n});
}

/// Who has the port is for the port itself to say: it tells each client.
void Arbiter::open_serial(
    const std::string& link, const std::string& node, const OpenSerial& message) {
    const auto key = outside_.serial_port(message.port);
    if (!key)
        return outside_.tell(link, OpenRefused{message.n, key.error().message});
    SerialGrant serial{*key, fmt::format("{} for {}", node, message.client)};
    const auto added =
        tickets_.add(Grant{{}, link, message.secret, std::move(serial)}, Clock::now());
    if (!added)
        return outside_.tell(link, OpenRefused{message.n, added.error().message});
    outside_.tell(link, Opened{message.n});
}

void Arbiter::close(const std::string& link, const std::string& busid) {
    tickets_.revoke(busid, link);
    const Lease* lease = leases_.find(busid);
    if (lease && lease->holder.link == link && lease->state == Lease::State::streaming)
        cut(busid, lease->stream);
    tell(leases_.close(busid, link));
}

void Arbiter::link_down(const std::string& link) {
    tickets_.revoke_link(link);
    tell(leases_.link_down(link));
}

void Arbiter::device_there(const std::string& busid, unsigned devnum) {
    devnums_[busid] = devnum;
    const auto status = UsbipHost(roots_).status(busid);
    const auto known = record_.find(busid);
    const bool same = known != record_.end() && known->second.devnum == devnum;
    if (!status || *status != status_used) {
        if (known != record_.end())
            record_.erase(known);
        heal(busid, status);
        return;
    }
    if (leases_.find(busid))
        return;
    const Holder holder = same ? known->second.holder : Holder{};
    if (!same)
        record_[busid] = RecordedStream{devnum, {}, ""};
    adopted_[busid] = leases_.adopt(busid, holder);
    journal_.device(busid, "adopted", fmt::format("its stream to {} goes on", name_of(holder)));
    if (!looking_) {
        looking_ = true;
        spawn_guarded(loop_, "adopted streams", look_at_adopted_ones());
    }
}

void Arbiter::device_gone(const std::string& busid) {
    tickets_.revoke_device(busid);
    leases_.forget(busid);
    devnums_.erase(busid);
    adopted_.erase(busid);
    if (record_.erase(busid) > 0)
        write_record();
}

Result<Admission> Arbiter::redeem(const Ticket& ticket) {
    auto grant = tickets_.redeem(ticket, Clock::now());
    if (!grant)
        return grant.error();
    if (grant->serial)
        return Admission{{}, 0, grant->secret, std::move(grant->serial), grant->link};
    const auto stream = leases_.begin(grant->busid, grant->link, Clock::now());
    if (!stream)
        return fail(
            ErrorKind::refused, "{} is not promised to {} any more", grant->busid, grant->link);
    Admission admission{grant->busid, *stream, grant->secret};
    admission.dead_after = outside_.dead_after(grant->link);
    return admission;
}

Result<Admission> Arbiter::admit_plain(const std::string& busid, const std::string& address) {
    if (const auto why = outside_.why_not(busid))
        return fail(ErrorKind::not_found, "{}: {}", busid, *why);
    const auto now = Clock::now();
    tell(leases_.expire(now));
    const auto verdict = leases_.open(busid, Holder{"", address, std::nullopt}, now);
    if (verdict.busy)
        return fail(ErrorKind::busy, "{}: {} has it", busid, name_of(*verdict.busy));
    return Admission{busid, leases_.begin(busid, "", now).value(), {}};
}

void Arbiter::began(const Admission& admission, std::string engine, UniqueFd socket) {
    const auto& busid = admission.busid;
    streams_[admission.stream] = busid;
    watch_.add(admission.stream, std::move(socket));
    const Lease* lease = leases_.find(busid);
    const bool doomed = doomed_.erase(admission.stream) > 0;
    if (doomed || !lease || lease->stream != admission.stream) // closed, or gone, meanwhile
        return watch_.cut(admission.stream);
    journal_.device(
        busid, "served", fmt::format("stream to {} ({})", name_of(lease->holder), engine));
    record_[busid] = RecordedStream{devnums_[busid], lease->holder, std::move(engine)};
    write_record();
}

void Arbiter::failed(const Admission& admission, const std::string& why) {
    journal_.device(admission.busid, "failed", "its stream did not begin: " + why);
    doomed_.erase(admission.stream);
    heal(admission.busid, UsbipHost(roots_).status(admission.busid));
    ended(admission.busid, admission.stream);
}

/// Its end is told as any other's.
void Arbiter::cut(const std::string& busid, std::uint64_t stream) {
    if (const auto adopted = adopted_.find(busid);
        adopted != adopted_.end() && adopted->second == stream)
        outside_.renew(busid);
    else if (watch_.has(stream))
        watch_.cut(stream);
    else
        doomed_.insert(stream); // on its way to the kernel
}

void Arbiter::stream_ended(std::uint64_t stream) {
    const auto found = streams_.find(stream);
    if (found == streams_.end())
        return;
    const auto busid = found->second;
    streams_.erase(found);
    spawn_guarded(loop_, "end of a stream of " + busid, finish(busid, stream));
}

/// The kernel resets the device after a stream; only then can the next one have it.
Task<> Arbiter::finish(std::string busid, std::uint64_t stream) {
    std::function<Result<unsigned>()> job = [roots = roots_, busid] {
        return wait_for_end(roots, busid);
    };
    const auto key = fmt::format("end {} {}", busid, stream);
    const auto deadline = reset_time + look_at_adopted;
    const auto status = co_await pool_.run<unsigned>(key, deadline, job);
    heal(busid, status);
    ended(busid, stream);
}

/// After an error, as of a reset that failed, usbip-host gives a device to nobody any more.
void Arbiter::heal(const std::string& busid, const Result<unsigned>& status) {
    if (!status || *status != status_error)
        return;
    journal_.device(busid, "failed", "usbip-host has it in error state: it is bound anew");
    outside_.renew(busid);
}

void Arbiter::ended(const std::string& busid, std::uint64_t stream) {
    const Lease* lease = leases_.find(busid);
    if (!lease || lease->stream != stream)
        return; // the device is gone, or its holder has opened it anew, which was told then
    const auto silent =
        lease->holder.link.empty() ? std::nullopt : outside_.silent(lease->holder.link);
    journal_.device(
        busid, "stream-ended",
        fmt::format(
            "stream to {} ended{}", name_of(lease->holder),
            silent ? ", and so has its link: nobody else gets it for a moment" : ""));
    adopted_.erase(busid);
    if (record_.erase(busid) > 0)
        write_record();
    tell(leases_.end(busid, stream, silent, Clock::now()));
    set_timer();
}

Task<> Arbiter::look_at_adopted_ones() {
    while (!adopted_.empty()) {
        co_await sleep_for(look_at_adopted);
        const auto adopted = adopted_;
        for (const auto& [busid, stream] : adopted) {
            const auto status = UsbipHost(roots_).status(busid);
            if (status && *status == status_used)
                continue;
            heal(busid, status);
            ended(busid, stream);
        }
    }
    looking_ = false;
}

void Arbiter::tell(const Leases::Notices& notices) {
    for (const auto& notice : notices)
        outside_.tell(notice.link, Available{notice.busid});
}

void Arbiter::set_timer() {
    expiry_.cancel();
    const auto next = leases_.next_expiry();
    if (!next)
        return;
    expiry_.expires_at(*next);
    expiry_.async_wait([this](const boost::system::error_code& error) {
        if (error)
            return;
        tell(leases_.expire(Clock::now()));
        set_timer();
    });
}

void Arbiter::write_record() {
    if (const auto written = write_stream_record(roots_, record_); !written)
        spdlog::warn(
            "{}; the next start will not know whose streams these are", written.error().message);
}

std::optional<StreamStatus> Arbiter::stream_of(const std::string& busid) const {
    const Lease* lease = leases_.find(busid);
    if (!lease)
        return std::nullopt;
    const auto record = record_.find(busid);
    const bool streams = lease->state == Lease::State::streaming && record != record_.end();
    return StreamStatus{lease->holder, streams ? record->second.engine : "", lease->state};
}

} // namespace longcord
