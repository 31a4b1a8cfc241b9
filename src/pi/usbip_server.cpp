// SPDX-License-Identifier: MIT
#include "pi/usbip_server.hpp"

#include "base/spawn.hpp"
#include "pi/hand_over.hpp"
#include "pi/port_owner.hpp"
#include "seal/stream_preface.hpp"
#include "usbip/stream_options.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <fcntl.h>

namespace longcord {

using asio::ip::tcp;
using boost::system::error_code;

/// One connection until the kernel has it. Its timer closes it; a read under way then ends.
struct UsbipServer::Guest {
    Guest(asio::io_context& loop, tcp::socket accepted, std::shared_ptr<Strangers> all)
        : socket(std::move(accepted)), clear(loop), timer(loop), strangers(std::move(all)) {
        error_code ignored;
        const auto from = socket.remote_endpoint(ignored).address();
        address = from.is_v6() && from.to_v6().is_v4_mapped()
                      ? asio::ip::make_address_v4(asio::ip::v4_mapped, from.to_v6()).to_string()
                      : from.to_string();
    }
    ~Guest() { is_known(); }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    void is_known() {
        if (stranger)
            strangers->leave(address);
        stranger = false;
    }

    tcp::socket socket;
    asio::posix::stream_descriptor clear; ///< the sealed stream, once the seal is on
    asio::steady_timer timer;
    std::shared_ptr<Strangers> strangers;
    std::string address;
    bool stranger = false;
    bool expired = false;
};

template <class Guest> static void start_patience(const std::shared_ptr<Guest>& guest) {
    guest->timer.expires_after(UsbipServer::patience);
    guest->timer.async_wait([weak = std::weak_ptr(guest)](error_code cancelled) {
        const auto still = weak.lock();
        if (cancelled || !still)
            return;
        still->expired = true;
        error_code ignored;
        still->socket.close(ignored);
        still->clear.close(ignored);
    });
}

UsbipServer::UsbipServer(
    asio::io_context& loop, WorkerPool& pool, Roots roots, Arbiter& arbiter, PiJournal& journal,
    List list)
    : loop_(loop), pool_(pool), roots_(std::move(roots)), arbiter_(arbiter), journal_(journal),
      list_(std::move(list)), listener_(loop), retry_(loop) {}

void UsbipServer::configure(const PiConfig& config) {
    allow_ = config.usbip_allow;
    if (port_ == config.usbip_port)
        return;
    port_ = config.usbip_port;
    error_code ignored;
    listener_.close(ignored); // run() goes on with the new one
    retry_.cancel();
}

UsbipServerStatus UsbipServer::status() const {
    return {
        port_, listener_.is_open(), problem_, strangers_->count(),
        strangers_->turned_away() + turned_away_};
}

/// One socket for both families; where the kernel has no IPv6, one for IPv4.
Result<> UsbipServer::listen() {
    error_code error;
    const auto try_family = [&](const tcp& family) {
        error_code ignored;
        listener_.close(ignored);
        listener_.open(family, error);
        if (!error && family == tcp::v6())
            listener_.set_option(asio::ip::v6_only(false), error);
        if (!error)
            listener_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error)
            listener_.bind(tcp::endpoint(family, port_), error);
        if (!error)
            listener_.listen(tcp::acceptor::max_listen_connections, error);
        return !error;
    };
    if (try_family(tcp::v6()) || (error != asio::error::address_in_use && try_family(tcp::v4())))
        return {};
    error_code ignored;
    listener_.close(ignored);
    return fail_errno(error.value(), fmt::format("listen on port {}", port_));
}

Task<> UsbipServer::run() {
    milliseconds pause = first_retry;
    for (;;) {
        const auto listening = listen();
        if (listening) {
            pause = first_retry;
            problem_.clear();
            spdlog::info("devices are served on port {}", port_);
            co_await accept_all();
            continue;
        }
        co_await wait_for_port(listening.error(), pause);
        pause = std::min(pause * 2, last_retry);
    }
}

Task<> UsbipServer::wait_for_port(Error why, milliseconds pause) {
    const auto port = port_;
    retry_.expires_after(pause);
    if (why.kind == ErrorKind::busy) {
        std::function<Result<std::string>()> job = [roots = roots_, port] {
            return Result<std::string>(who_listens(roots, port).value_or("another process"));
        };
        const auto owner = co_await pool_.run<std::string>("port owner", patience, job);
        why.message = fmt::format(
            "port {} is taken by {}: no device can be served; stop it, or set another usbip_port "
            "in "
            "pi.yaml",
            port, owner ? *owner : "another process");
    }
    if (problem_ != why.message) {
        problem_ = why.message;
        Event event;
        event.kind = "problem";
        event.message = problem_;
        journal_.write(std::move(event), true);
    }
    if (port == port_)
        co_await retry_.async_wait(as_value);
}

Task<> UsbipServer::accept_all() {
    while (listener_.is_open()) {
        auto accepted = co_await listener_.async_accept(as_value);
        auto& [error, socket] = accepted;
        if (!listener_.is_open())
            co_return;
        if (error) {
            spdlog::warn("a connection could not be accepted: {}", error.message());
            co_await sleep_for(milliseconds(100)); // no descriptors: it does not go away at once
            continue;
        }
        auto guest = std::make_shared<Guest>(loop_, std::move(socket), strangers_);
        guest->stranger =
            strangers_->enter(guest->address, arbiter_.expected(), is_node_(guest->address));
        if (!guest->stranger)
            continue; // too many: closed
        start_patience(guest);
        spawn_guarded(loop_, "USB/IP client", meet(std::move(guest)));
    }
}

bool UsbipServer::is_allowed(const std::string& address) const {
    const auto client = Network::parse(address);
    return client && std::ranges::any_of(
                         allow_, [&](const Network& network) { return network.covers(*client); });
}

void UsbipServer::turn_away(const Guest& guest, std::string_view why) {
    ++turned_away_;
    spdlog::debug("{} at port {} is turned away: {}", guest.address, port_, why);
}

/// All are counted; who shows them by the thousand does not fill the log.
void UsbipServer::refuse_ticket(const Guest& guest, std::string_view why) {
    turn_away(guest, why);
    if (!ticket_log_.allow(Clock::now()))
        return;
    Event event;
    event.kind = "refused";
    event.message = fmt::format("{} at port {} gets no stream: {}", guest.address, port_, why);
    journal_.write(std::move(event), true);
}

/// Bytes of a socket or of a sealed stream, exactly `size` together with what was read before.
template <class Stream>
static Task<Result<std::string>> read_until(Stream& stream, std::string begun, std::size_t size) {
    const std::size_t had = begun.size();
    begun.resize(size);
    const auto target = asio::buffer(begun) + had;
    const auto [error, count] = co_await asio::async_read(stream, target, as_value);
    if (error)
        co_return fail(ErrorKind::protocol, "{} of {} bytes came", had + count, size);
    co_return begun;
}

Task<> UsbipServer::meet(GuestPtr guest) {
    std::string begun;
    FirstBytes kind = FirstBytes::too_few;
    while (kind == FirstBytes::too_few) {
        auto more = co_await read_until(guest->socket, begun, begun.size() + 1);
        if (!more) {
            turn_away(*guest, guest->expired ? "it said nothing" : "it left");
            co_return;
        }
        begun = std::move(*more);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(begun.data());
        kind = tell_first_bytes({bytes, begun.size()});
    }
    if (kind == FirstBytes::sealed)
        co_await serve_sealed(guest, std::move(begun));
    else if (kind == FirstBytes::usbip && is_allowed(guest->address))
        co_await serve_plain(guest, std::move(begun));
    else
        turn_away(
            *guest, kind == FirstBytes::usbip ? "usbip.allow in pi.yaml does not have its address"
                                              : "what it says is no request");
    guest->timer.cancel();
}

Task<> UsbipServer::serve_sealed(GuestPtr guest, std::string begun) {
    auto preface = co_await read_until(guest->socket, std::move(begun), stream_preface_size);
    if (!preface) {
        turn_away(*guest, preface.error().message);
        co_return;
    }
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(preface->data());
    const auto ticket = parse_stream_preface({bytes, preface->size()});
    auto admission = ticket ? arbiter_.redeem(*ticket) : Result<Admission>(ticket.error());
    if (!admission) {
        refuse_ticket(*guest, admission.error().message);
        co_return;
    }
    guest->is_known();
    if (admission->serial)
        co_return serve_serial(guest, std::move(*admission));
    start_patience(guest);
    error_code failed;
    UniqueFd tcp(guest->socket.release(failed));
    const auto set = set_stream_options(tcp.get(), admission->dead_after);
    auto sealed = set ? sealer_.seal(std::move(tcp), admission->secret, StreamSide::pi)
                      : Result<SealedStream>(set.error());
    if (!sealed) {
        arbiter_.failed(*admission, sealed.error().message);
        co_return;
    }
    guest->clear.assign(sealed->socket.release());
    std::string nothing;
    const auto request = co_await read_until(guest->clear, nothing, import_request_size);
    const auto busid = request ? parse_import_request(*request) : request;
    if (!busid || *busid != admission->busid) {
        arbiter_.failed(
            *admission, !busid ? busid.error().message : "it asked for " + *busid + " instead");
        co_return;
    }
    const std::string engine(to_string(sealed->engine));
    UniqueFd socket(guest->clear.release());
    co_await give(guest, std::move(*admission), engine, std::move(socket));
}

/// Not for the kernel but for the port's own code, which also looks after the connection.
void UsbipServer::serve_serial(GuestPtr guest, Admission admission) {
    guest->timer.cancel();
    error_code failed;
    UniqueFd tcp(guest->socket.release(failed));
    set_serial_options(tcp.get());
    UniqueFd wire(::fcntl(tcp.get(), F_DUPFD_CLOEXEC, 0));
    auto sealed = sealer_.seal(
        std::move(tcp), admission.secret, StreamSide::pi, SerialClient::farewell_limit);
    if (!sealed || wire.get() < 0) {
        spdlog::warn(
            "the stream of {} did not begin: {}", admission.serial->name,
            sealed ? "no descriptors are left" : sealed.error().message);
        return;
    }
    SerialCaller caller;
    caller.name = admission.serial->name;
    caller.link = admission.link;
    caller.socket = std::move(sealed->socket);
    caller.wire = std::move(wire);
    join_(admission.serial->port, std::move(caller));
}

Task<> UsbipServer::serve_plain(GuestPtr guest, std::string begun) {
    auto header = co_await read_until(guest->socket, std::move(begun), op_header_size);
    const auto request =
        header ? parse_request_header(*header) : Result<UsbipRequest>(header.error());
    if (!request) {
        turn_away(*guest, request.error().message);
        co_return;
    }
    if (*request == UsbipRequest::devlist) {
        const auto reply = format_devlist_reply(list_());
        if (!reply) {
            spdlog::error("the list of devices cannot be sent: {}", reply.error().message);
            co_return;
        }
        const auto list = asio::buffer(*reply);
        co_await asio::async_write(guest->socket, list, as_value);
        co_return;
    }
    std::string nothing;
    const auto field = co_await read_until(guest->socket, nothing, wire_busid_size);
    const auto busid = field ? parse_requested_busid(*field) : field;
    if (!busid) {
        turn_away(*guest, busid.error().message);
        co_return;
    }
    guest->is_known();
    auto admission = arbiter_.admit_plain(*busid, guest->address);
    if (!admission) {
        spdlog::info("{} does not get {}", guest->address, admission.error().message);
        const bool busy = admission.error().kind == ErrorKind::busy;
        const auto refusal =
            format_import_refusal(busy ? OpStatus::device_busy : OpStatus::no_device);
        const auto reply = asio::buffer(refusal);
        co_await asio::async_write(guest->socket, reply, as_value);
        co_return;
    }
    error_code failed;
    UniqueFd socket(guest->socket.release(failed));
    const auto set = set_stream_options(socket.get());
    if (!set) {
        arbiter_.failed(*admission, set.error().message);
        co_return;
    }
    co_await give(guest, std::move(*admission), "plain", std::move(socket));
}

/// Asio made it non-blocking for itself; the kernel's threads want a plain one.
Task<> UsbipServer::give(GuestPtr guest, Admission admission, std::string engine, UniqueFd socket) {
    guest->timer.cancel();
    if (until_bound_)
        co_await until_bound_(admission.busid, patience);
    const int flags = ::fcntl(socket.get(), F_GETFL);
    ::fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK);
    auto shared = std::make_shared<UniqueFd>(std::move(socket));
    std::function<Result<UniqueFd>()> job = [roots = roots_, busid = admission.busid, shared] {
        return hand_over(roots, busid, std::move(*shared));
    };
    const auto key = fmt::format("serve {} {}", admission.busid, admission.stream);
    const auto deadline = reset_time + patience;
    auto served = co_await pool_.run<UniqueFd>(key, deadline, job);
    if (served)
        arbiter_.began(admission, std::move(engine), std::move(*served));
    else
        arbiter_.failed(admission, served.error().message);
}

} // namespace longcord
