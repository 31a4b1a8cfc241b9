// SPDX-License-Identifier: MIT
#include "host/serial_offers.hpp"

#include "base/spawn.hpp"
#include "serial/listen.hpp"

#include <algorithm>
#include <cerrno>

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <sys/socket.h>

namespace longcord {

using asio::ip::tcp;
using boost::system::error_code;

/// Clients that are told why they cannot stay; more are closed without a word.
static constexpr std::size_t max_leaving = 32;

/// A client that has left may be slow to be served to its end: a board takes what is due to it at
/// its own rate.
static constexpr seconds linger{60};
static constexpr seconds look_every{1};

/// Somebody connected, from then until both of its sockets have ended.
struct SerialOffers::Client {
    std::string name;
    UniqueFd near; ///< duplicates of what the relay has: to look after, and to end it
    UniqueFd wire;
    std::string over;     ///< why it ends; empty: it goes on
    bool suspect = false; ///< one end had not answered when it was looked at last

    bool dead() const {
        return near.get() >= 0 && (tcp_health(near.get()).dead || tcp_health(wire.get()).dead);
    }
    void end(std::string why) {
        if (over.empty())
            over = std::move(why);
        for (const UniqueFd* socket : {&near, &wire})
            if (socket->get() >= 0)
                ::shutdown(socket->get(), SHUT_RDWR);
    }
};

struct SerialOffers::Offer {
    SerialOffer wanted;
    std::optional<tcp::acceptor> acceptor;
    std::vector<ClientPtr> clients;
    std::string problem;

    std::string what() const { return wanted.pi + "/" + wanted.port; }
    void forget(const ClientPtr& client) { std::erase(clients, client); }
};

SerialOffers::SerialOffers(
    asio::io_context& loop, const World& world, Journal& journal, StreamDialer& dialer)
    : loop_(loop), world_(world), journal_(journal), dialer_(dialer), retry_(loop), health_(loop) {}

SerialOffers::~SerialOffers() {
    for (const OfferPtr& offer : offers_)
        close(*offer);
}

void SerialOffers::close(Offer& offer) {
    error_code ignored;
    if (offer.acceptor)
        offer.acceptor->close(ignored);
    for (const ClientPtr& client : offer.clients)
        client->end("it is offered no more");
}

void SerialOffers::configure(const std::vector<SerialOffer>& offers) {
    const auto same = [](const SerialOffer& one, const SerialOffer& other) {
        return one.pi == other.pi && one.port == other.port && one.listen == other.listen;
    };
    std::vector<OfferPtr> now;
    for (const SerialOffer& wanted : offers) {
        const auto known = std::ranges::find_if(
            offers_, [&](const OfferPtr& offer) { return same(offer->wanted, wanted); });
        now.push_back(known == offers_.end() ? std::make_shared<Offer>() : *known);
        now.back()->wanted = wanted;
    }
    for (const OfferPtr& offer : offers_) // before another one wants the same address
        if (std::ranges::find(now, offer) == now.end())
            close(*offer);
    offers_ = std::move(now);
    listen();
}

void SerialOffers::listen() {
    bool trouble = false;
    for (const OfferPtr& offer : offers_) {
        if (offer->acceptor)
            continue;
        const SerialOffer& wanted = offer->wanted;
        error_code bad; // checked when host.yaml was read
        const tcp::endpoint endpoint(
            asio::ip::make_address(wanted.listen.host, bad), wanted.listen.port);
        auto listening = listen_on(loop_, {endpoint});
        if (listening) {
            offer->acceptor = std::move(listening->front());
            offer->problem.clear();
            journal_.pi(
                wanted.pi, "serial-offer",
                fmt::format(
                    "its serial port {} is offered on {}", wanted.port, wanted.listen.to_string()));
            std::function<void(Came)> came = [this, offer](Came client) {
                spawn_guarded(loop_, "client of " + offer->what(), serve(offer, std::move(client)));
            };
            spawn_guarded(
                loop_, "offer of " + offer->what(),
                accept_clients(loop_, *offer->acceptor, std::move(came)));
            continue;
        }
        trouble = true;
        const auto problem = fmt::format(
            "serial port {} is not offered: {}", offer->what(), listening.error().message);
        if (offer->problem != problem)
            journal_.problem(problem);
        offer->problem = problem;
    }
    retry_.cancel();
    if (!trouble)
        return;
    retry_.expires_after(retry_after);
    retry_.async_wait([this](const error_code& error) {
        if (!error)
            listen();
    });
}

bool SerialOffers::may(const Offer& offer, const SerialClient& came) {
    const AllowList& allow = offer.wanted.allow;
    const auto local = allow.local_net ? local_networks() : std::vector<Network>{};
    const auto address = came.address().to_string();
    if (allow.allows(address, local))
        return true;
    if (const auto unsaid = refusals_.note(address, offer.what(), Clock::now()))
        journal_.pi(
            offer.wanted.pi, "serial-refused",
            fmt::format(
                "{} may not use its serial port {} on {}: 'allow' of that offer in host.yaml does "
                "not have it{}",
                address, offer.wanted.port, offer.wanted.listen.to_string(),
                *unsaid == 0 ? "" : fmt::format(" ({} more tries before)", *unsaid)),
            address);
    return false;
}

Task<> SerialOffers::turn_away(OfferPtr offer, Came came, std::string why) {
    if (leaving_ >= max_leaving)
        co_return came->close();
    ++leaving_;
    std::string text = fmt::format("\r\nlongcord: {}: {}\r\n", offer->what(), why);
    co_await came->say_and_close(came, std::move(text));
    --leaving_;
}

Task<> SerialOffers::serve(OfferPtr offer, Came came) {
    if (!may(*offer, *came)) {
        std::string why = came->address().to_string() + " may not use this port";
        co_await turn_away(offer, came, std::move(why));
        co_return;
    }
    const auto failed = co_await try_to_serve(offer, came);
    if (failed)
        co_return;
    if (failure_log_.allow(Clock::now()))
        journal_.pi(
            offer->wanted.pi, "serial-failed",
            fmt::format(
                "{} does not get its serial port {}: {}", came->name(), offer->wanted.port,
                failed.error().message));
    std::string why = failed.error().message;
    co_await turn_away(offer, came, std::move(why));
}

Task<Result<>> SerialOffers::try_to_serve(OfferPtr offer, Came came) {
    const SerialOffer wanted = offer->wanted;
    if (offer->clients.size() >= max_clients)
        co_return fail(
            ErrorKind::full, "{} clients are connected already, which is the limit", max_clients);
    const auto pi = world_.pis.find(wanted.pi);
    if (pi == world_.pis.end() || !pi->second.linked || pi->second.plain)
        co_return fail(ErrorKind::unavailable, "Pi {} is not linked", wanted.pi);
    auto client = std::make_shared<Client>();
    client->name = came->name();
    offer->clients.push_back(client);
    DialSerial target{
        wanted.pi, pi->second.address, static_cast<std::uint16_t>(pi->second.usbip_port),
        wanted.port, client->name};
    auto far = co_await dialer_.dial_serial(std::move(target));
    Result<> done;
    if (!far)
        done = far.error();
    else if (!client->over.empty())
        done = fail(ErrorKind::unavailable, "{}", client->over);
    else
        done = carry(offer, client, came->release(), std::move(*far));
    if (!done)
        offer->forget(client);
    co_return done;
}

Result<> SerialOffers::carry(
    const OfferPtr& offer, const ClientPtr& client, UniqueFd near, DialedSerial far) {
    client->near = UniqueFd(::fcntl(near.get(), F_DUPFD_CLOEXEC, 0));
    client->wire = UniqueFd(::fcntl(far.tcp.get(), F_DUPFD_CLOEXEC, 0));
    if (client->near.get() < 0 || client->wire.get() < 0)
        return fail_errno(errno, "duplicate the descriptors of a serial stream");
    set_serial_options(far.tcp.get());
    RelayThread::Ends ends;
    ends.linger = linger;
    ends.over = [this, offer, client] {
        asio::post(loop_, [this, offer, client] { carried(offer, client); });
    };
    if (!relay_)
        relay_.emplace();
    relay_->carry(
        std::move(near), std::move(far.tcp), far.secret.from_node, far.secret.from_pi,
        std::move(ends));
    journal_.pi(
        offer->wanted.pi, "serial-opened",
        fmt::format(
            "{} is carried to its serial port {}, sealed", client->name, offer->wanted.port));
    if (!looking_)
        look_after();
    return {};
}

void SerialOffers::carried(const OfferPtr& offer, const ClientPtr& client) {
    offer->forget(client);
    journal_.pi(
        offer->wanted.pi, "serial-closed",
        fmt::format(
            "{} is carried to its serial port {} no more{}", client->name, offer->wanted.port,
            client->over.empty() ? "" : ": " + client->over));
}

/// The kernel would keep a connection to a peer that is gone for a quarter of an hour. Twice, since
/// a probe that was sent just now has its answer still to come.
void SerialOffers::look_after() {
    bool any = false;
    for (const OfferPtr& offer : offers_)
        for (const ClientPtr& client : offer->clients) {
            any = true;
            const bool suspect = client->dead();
            if (suspect && client->suspect)
                client->end(fmt::format("no answer for {} s", TcpHealth::dead_after.count()));
            client->suspect = suspect;
        }
    looking_ = any;
    if (!any)
        return;
    health_.expires_after(look_every);
    health_.async_wait([this](const error_code& error) {
        if (!error)
            look_after();
    });
}

void SerialOffers::link_down(const std::string& pi) {
    for (const OfferPtr& offer : offers_)
        if (offer->wanted.pi == pi)
            for (const ClientPtr& client : offer->clients)
                client->end(fmt::format("the link of Pi {} went down", pi));
}

std::vector<SerialOffers::Status> SerialOffers::status() const {
    std::vector<Status> out;
    for (const OfferPtr& offer : offers_)
        out.push_back({offer->wanted, offer->clients.size(), offer->problem});
    return out;
}

} // namespace longcord
