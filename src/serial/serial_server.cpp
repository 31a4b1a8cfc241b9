// SPDX-License-Identifier: MIT
#include "serial/serial_server.hpp"

#include "base/spawn.hpp"
#include "serial/listen.hpp"

#include <ctime>
#include <functional>

namespace longcord {

/// Clients that are told why they cannot stay; more are closed without a word.
static constexpr std::size_t max_leaving = 32;

static std::string time_of_day() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

SerialServer::SerialServer(
    asio::io_context& loop, WorkerPool& pool, Roots roots, SerialPortOptions options,
    Handler handler)
    : loop_(loop), options_(std::move(options)), handler_(std::move(handler)),
      roots_(std::move(roots)), released_(loop, TimePoint::max()), taken_(loop, TimePoint::max()),
      hold_(loop) {
    SerialDevice::Handler of_device;
    of_device.data = [this](std::string_view bytes) { from_device(bytes); };
    of_device.gone = [this](const Error& why) { device_gone(why); };
    of_device.back = [this] { device_back(); };
    of_device.wanted = [this] {
        return !owner_ || owner_->over ||
               (owner_->client->pending() < SerialClient::high && !owner_->talk.suspended());
    };
    device_ = std::make_shared<SerialDevice>(
        loop, pool, options_.device, options_.mode, options_.line, std::move(of_device));
    if (!options_.log.empty())
        log_ = std::make_shared<SerialLog>(loop, pool, options_.log);
}

Task<Result<>> SerialServer::open() {
    return device_->open(roots_);
}

void SerialServer::run() {
    const Self self = shared_from_this();
    spawn_guarded(loop_, options_.name, device_->run(device_));
    const auto accept = [&](Acceptor& acceptor, Task<> (SerialServer::*welcome)(Self, ClientPtr)) {
        std::function<void(ClientPtr)> came = [self, welcome](const ClientPtr& client) {
            if (self->admit(client))
                spawn_guarded(
                    self->loop_, self->options_.name, std::invoke(welcome, *self, self, client));
        };
        spawn_guarded(loop_, options_.name, accept_clients(loop_, acceptor, std::move(came)));
    };
    for (Acceptor& acceptor : acceptors_)
        accept(acceptor, &SerialServer::greet);
    for (Acceptor& acceptor : observer_acceptors_)
        accept(acceptor, &SerialServer::greet_observer);
}

void SerialServer::stop() {
    stopped_ = true;
    device_->stop();
    boost::system::error_code ignored;
    for (auto* acceptors : {&acceptors_, &observer_acceptors_})
        for (Acceptor& acceptor : *acceptors)
            acceptor.close(ignored);
    if (owner_)
        end(owner_);
    for (const ObserverPtr& observer : observers_)
        observer->client->close();
    for (const ClientPtr& client : leaving_)
        client->close();
    hold_.cancel();
    released_.cancel();
}

Task<> SerialServer::rest() {
    if (owner_)
        end(owner_);
    co_await device_->rest();
}

SerialStatus SerialServer::status() const {
    return {
        device_->present(), device_->mode(), device_->settings(),
        owner_ ? owner_->client->name() : "", observers_.size()};
}

void SerialServer::event(std::string_view kind, const std::string& address, std::string message) {
    handler_.event({kind, address, std::move(message)});
}

// --- who comes ------------------------------------------------------------------------------

bool SerialServer::admit(const ClientPtr& client) {
    if (handler_.allowed(client->address()))
        return true;
    turn_away(client, fmt::format("{} may not use this port", client->address().to_string()));
    event(
        "serial-refused", client->address().to_string(),
        fmt::format(
            "{} may not use this port: it is not on the list of those allowed", client->name()));
    return false;
}

void SerialServer::turn_away(const ClientPtr& client, const std::string& why) {
    if (leaving_.size() >= max_leaving)
        return client->close();
    leaving_.insert(client);
    std::string text = fmt::format("\r\nlongcord: {}: {}\r\n", options_.name, why);
    spawn_guarded(loop_, options_.name, say_goodbye(shared_from_this(), client, std::move(text)));
}

Task<> SerialServer::say_goodbye(Self self, ClientPtr client, std::string text) {
    co_await client->say_and_close(client, std::move(text));
    leaving_.erase(client);
    (void)self;
}

/// Empty: the port is free.
std::string SerialServer::refusal() const {
    if (!device_->present())
        return "the device is not plugged in";
    if (owner_)
        return fmt::format(
            "held by {} since {}; try again when it has gone{}", owner_->client->name(),
            owner_->since,
            observer_acceptors_.empty()
                ? ""
                : fmt::format(", or read along on port {}", observer_endpoints().front().port()));
    return {};
}

void SerialServer::join(SerialCaller caller) {
    auto client = std::make_shared<SerialClient>(loop_, std::move(caller));
    spawn_guarded(loop_, options_.name, greet(shared_from_this(), std::move(client)));
}

void SerialServer::link_down(const std::string& link) {
    if (!owner_ || owner_->over || owner_->client->link() != link)
        return;
    owner_->farewell = "the link to its node went down";
    end(owner_);
}

Task<> SerialServer::greet(Self self, ClientPtr client) {
    // Whoever has closed its connection is on its way out.
    while (!stopped_ && owner_ && (owner_->over || owner_->client->health().closed))
        co_await released_.async_wait(as_value);
    if (stopped_)
        co_return client->close();
    if (const std::string why = refusal(); !why.empty()) {
        turn_away(client, why);
        event("serial-busy", client->address().to_string(), client->name() + ": " + why);
        co_return;
    }
    owner_ = std::make_shared<Owner>(Owner{
        client,
        ClientTalk(
            fmt::format("longcord {} {}", LONGCORD_VERSION, options_.name), device_->settings(),
            device_->resting_lines()),
        time_of_day(),
        false,
        {}});
    const OwnerPtr owner = owner_;
    // Weak, because the client is kept by whom it would keep.
    client->on_room([weak = weak_from_this()] {
        if (const auto strong = weak.lock()) {
            strong->device_->wake();
            strong->taken_.cancel();
        }
    });
    event("serial-owner", client->address().to_string(), client->name() + " has the port");
    spawn_guarded(loop_, options_.name, watch(self, owner));
    co_await serve(self, owner);
}

// --- the owner ------------------------------------------------------------------------------

Task<> SerialServer::serve(Self self, OwnerPtr owner) {
    if (device_->has_modem_lines())
        co_await notify(owner);
    co_await read_all(owner);
    owner->over = true;
    device_->wake();
    // What it sent before it left still goes out, and not into the next client's session.
    co_await device_->settled();
    if (device_->queued() > 0)
        co_await device_->purge(false, true);
    co_await device_->rest();
    if (owner->farewell.empty())
        owner->client->close();
    else
        turn_away(owner->client, owner->farewell);
    owner->client->on_room({});
    owner_.reset();
    released_.cancel();
    device_->wake();
    event(
        "serial-free", owner->client->address().to_string(),
        owner->client->name() + " has left the port" +
            (owner->farewell.empty() ? "" : ": " + owner->farewell));
    (void)self;
}

Task<> SerialServer::read_all(OwnerPtr owner) {
    constexpr std::size_t chunk = 64 * 1024;
    std::vector<char> buffer(chunk);
    while (!owner->over) {
        const auto [error, n] =
            co_await owner->client->socket().async_read_some(asio::buffer(buffer), as_value);
        if (error)
            co_return;
        char* in = buffer.data();
        std::size_t size = n;
        while (auto spoken = owner->talk.next(in, size)) {
            if (spoken->kind == Spoken::Kind::data)
                device_->write(spoken->data);
            else
                co_await obey(owner, std::move(*spoken));
            while (device_->queued() > SerialDevice::max_queued && !owner->over)
                co_await device_->room();
            // What the device says stays below this by itself: these are answers, to one who asks
            // and does not read.
            while (owner->client->pending() > 2 * SerialClient::high && !owner->over)
                co_await taken_.async_wait(as_value);
            if (owner->over)
                co_return;
        }
        if (owner->talk.waits())
            decide_soon(owner);
    }
}

Task<> SerialServer::obey(OwnerPtr owner, Spoken spoken) {
    if (spoken.kind == Spoken::Kind::reply)
        co_return owner->client->send(spoken.reply);
    const SerialRequest& request = spoken.request;
    const bool ordered =
        spoken.kind == Spoken::Kind::brk ||
        (request.kind != SerialRequest::Kind::none && request.kind != SerialRequest::Kind::flow &&
         !(request.kind == SerialRequest::Kind::purge && request.tx));
    if (ordered)
        co_await device_->settled();
    if (spoken.kind == Spoken::Kind::brk) {
        constexpr milliseconds short_break{250};
        co_await device_->set_break(true);
        co_await sleep_for(short_break);
        co_await device_->set_break(false);
        co_return;
    }
    switch (request.kind) {
    case SerialRequest::Kind::line:
        co_await device_->set(request.line);
        break;
    case SerialRequest::Kind::control:
        co_await device_->control(request.lines, request.dtr, request.on);
        break;
    case SerialRequest::Kind::brk:
        co_await device_->set_break(request.on);
        break;
    case SerialRequest::Kind::purge:
        co_await device_->purge(request.rx, request.tx);
        break;
    case SerialRequest::Kind::flow:
        device_->wake();
        break;
    case SerialRequest::Kind::none:
        break;
    }
    owner->client->send(owner->talk.finish(device_->settings()));
}

/// A lone 0xff at the end of what a raw client sent is not held back for long; a telnet client's
/// opener comes in one piece.
void SerialServer::decide_soon(const OwnerPtr& owner) {
    constexpr milliseconds soon{200};
    auto timer = std::make_shared<asio::steady_timer>(loop_, soon);
    timer->async_wait([self = shared_from_this(), owner, timer](const auto& error) {
        if (!error && !owner->over && owner->talk.waits())
            self->device_->write(owner->talk.give_up());
    });
}

/// Modem lines are asked for: TIOCMIWAIT blocks without a bound, and several bridge drivers
/// (cp210x outside its event mode) never wake it.
Task<> SerialServer::watch(Self self, OwnerPtr owner) {
    constexpr milliseconds often{100};
    constexpr milliseconds seldom{1000};
    constexpr milliseconds again{500};
    TimePoint examined = Clock::now();
    while (!owner->over) {
        const bool notifies =
            owner->talk.com_port() && (device_->has_modem_lines() || owner->talk.line_mask() != 0);
        co_await sleep_for(notifies ? often : seldom);
        if (owner->over)
            break;
        if (notifies)
            co_await notify(owner);
        if (Clock::now() - examined < seldom)
            continue;
        examined = Clock::now();
        auto health = owner->client->health();
        if (health.dead) {
            // A probe that was sent just now, after a long pause, has its answer still to come.
            co_await sleep_for(again);
            if (owner->over)
                break;
            health = owner->client->health();
        }
        if (health.dead)
            owner->farewell = fmt::format("no answer for {} s", TcpHealth::dead_after.count());
        if (health.dead || (health.closed && device_->stalled()))
            end(owner);
    }
    (void)self;
}

Task<> SerialServer::notify(OwnerPtr owner) {
    const auto state = co_await device_->state();
    if (owner->over)
        co_return;
    owner->client->send(owner->talk.modem_changed(state.inputs));
    owner->client->send(owner->talk.line_changed(state.line));
}

/// Its reader ends, and with it everything else of it.
void SerialServer::end(const OwnerPtr& owner) {
    owner->over = true;
    boost::system::error_code ignored;
    owner->client->socket().cancel(ignored);
    device_->wake();
    taken_.cancel();
}

// --- the device -----------------------------------------------------------------------------

void SerialServer::from_device(std::string_view bytes) {
    if (owner_ && !owner_->over)
        owner_->client->send(owner_->talk.encode(bytes, spare_));
    for (const ObserverPtr& observer : observers_)
        to_observer(*observer, bytes);
    if (handler_.said)
        handler_.said(bytes);
    if (log_)
        log_->append(bytes);
}

void SerialServer::device_gone(const Error& why) {
    event("serial-gone", "", why.message + (owner_ ? "; its client is kept for now" : ""));
    if (!owner_)
        return;
    hold_.expires_after(options_.hold);
    hold_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (error || self->device_->present() || !self->owner_)
            return;
        self->owner_->farewell = fmt::format(
            "the device has been gone for {:g} s",
            std::chrono::duration<double>(self->options_.hold).count());
        self->end(self->owner_);
    });
}

void SerialServer::device_back() {
    hold_.cancel();
    event("serial-back", "", fmt::format("{} is there", device_->path().string()));
}

} // namespace longcord
