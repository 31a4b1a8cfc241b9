// SPDX-License-Identifier: MIT
#include "link/link_server.hpp"

#include "base/rate_limit.hpp"
#include "base/spawn.hpp"
#include "link/link_socket_file.hpp"

#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

namespace {

constexpr unsigned pi_messages_per_second = 200; // design, section 10
constexpr unsigned refusals_at_once = 20;
constexpr unsigned refusals_per_second = 1;
constexpr milliseconds accept_pause{100}; // out of file descriptors: others need the processor

} // namespace

struct LinkServer::Link {
    Link(asio::io_context& loop, std::shared_ptr<LineSocket> lines, Preface who, milliseconds dead)
        : socket(std::move(lines)), preface(std::move(who)), heartbeat(Clock::now(), dead),
          timer(loop) {}

    const std::string& pi() const { return preface.pi; }

    std::shared_ptr<LineSocket> socket;
    Preface preface;
    Heartbeat heartbeat;
    RateLimit messages{pi_messages_per_second, pi_messages_per_second};
    RateLimit refusals{refusals_per_second, refusals_at_once};
    unsigned unreported = 0; ///< refusals since the last one that was reported
    asio::steady_timer timer;
    TimePoint admitted = Clock::now();
    bool up = false;
    bool foreign = false; ///< its hello named a version that we do not speak
    bool ended = false;
};

LinkServer::LinkServer(
    asio::io_context& loop, Roots roots, std::string node, Handler handler, DeadAfter dead_after)
    : loop_(loop), roots_(std::move(roots)), node_(std::move(node)), handler_(std::move(handler)),
      dead_after_(std::move(dead_after)), acceptor_(loop) {}

LinkServer::~LinkServer() {
    *gone_ = true;
    for (auto& [pi, link] : links_) {
        link->ended = true;
        link->timer.cancel();
        link->socket->close();
    }
}

Task<> LinkServer::run() {
    const auto gone = gone_;
    const auto path = link_socket_path(roots_);
    if (auto listening = listen_for_links(acceptor_, path); !listening) {
        spdlog::error("no Pi can link: {}", listening.error().message);
        co_return;
    }
    for (;;) {
        auto [error, socket] = co_await acceptor_.async_accept(as_value);
        if (*gone)
            co_return;
        if (error) {
            spdlog::warn("{}: accept: {}", path.string(), error.message());
            co_await sleep_for(accept_pause);
            if (*gone)
                co_return;
            continue;
        }
        if (auto allowed = check_link_peer(socket.native_handle()); !allowed)
            spdlog::warn("{}", allowed.error().message);
        else if (strangers_ >= max_strangers)
            spdlog::warn("{}: {} connections without a first line", path.string(), strangers_);
        else
            spawn_guarded(
                loop_, "a new link", greet(std::make_shared<LineSocket>(std::move(socket))));
    }
}

Task<> LinkServer::greet(std::shared_ptr<LineSocket> socket) {
    const auto gone = gone_;
    ++strangers_;
    asio::steady_timer deadline(loop_, preface_deadline);
    deadline.async_wait([socket](const boost::system::error_code& error) {
        if (!error)
            socket->close();
    });
    const auto line = co_await socket->read_line();
    if (*gone)
        co_return;
    --strangers_;
    deadline.cancel();
    if (!line)
        co_return;
    const auto preface = parse_preface(line->text);
    if (!preface) {
        spdlog::warn("{}", preface.error().message);
        co_return socket->close();
    }
    if (preface->pairing) {
        co_await pair(socket, *preface);
        co_return;
    }
    if (!preface->command.empty()) {
        co_await push(socket, *preface);
        co_return;
    }
    auto link = admit(socket, *preface);
    if (!link) {
        const LinkError why{link.error().message, true};
        socket->send(format(HostMessage(why)));
        socket->close_when_sent();
        handler_.refused(preface->pi, link.error());
        co_return;
    }
    mark_up(**link);
    spawn_guarded(loop_, "the heartbeat of Pi " + preface->pi, beat(*link));
    co_await serve(*link);
}

Task<> LinkServer::push(std::shared_ptr<LineSocket> socket, Preface preface) {
    if (!handler_.push)
        co_return socket->close();
    const auto gone = gone_;
    const Done done = co_await handler_.push(std::move(preface));
    if (*gone)
        co_return;
    socket->send(format(HostMessage(done)));
    socket->close_when_sent();
}

/// One line each way. Whoever holds a token may come again and again, so they count as strangers.
Task<> LinkServer::pair(std::shared_ptr<LineSocket> socket, Preface preface) {
    const auto gone = gone_;
    ++strangers_;
    asio::steady_timer deadline(loop_, pairing_deadline);
    deadline.async_wait([socket](const boost::system::error_code& error) {
        if (!error)
            socket->close();
    });
    const auto line = co_await socket->read_line();
    if (*gone)
        co_return;
    if (line && handler_.pair) {
        // One that is too long comes as an empty one, which is no request either.
        const HostMessage reply = co_await handler_.pair(std::move(preface), line->text);
        if (*gone)
            co_return;
        socket->send(format(reply));
    }
    --strangers_;
    deadline.cancel();
    socket->close_when_sent();
}

Result<LinkServer::LinkPtr> LinkServer::admit(
    std::shared_ptr<LineSocket> socket, const Preface& preface) {
    if (const auto at = links_.find(preface.pi); at != links_.end()) {
        const LinkPtr older = at->second;
        if (older->preface.started > preface.started)
            return fail(
                ErrorKind::busy, "Pi {}: a newer link from {} is there", preface.pi,
                older->preface.address);
        const LinkError why{"replaced by a newer link from " + preface.address, true};
        older->socket->send(format(HostMessage(why)));
        older->socket->close_when_sent();
        end(*older, fail(ErrorKind::unavailable, "Pi {}: {}", preface.pi, why.message));
    } else if (links_.size() >= max_pis) {
        return fail(
            ErrorKind::full, "Pi {}: {} Pis are linked to {} already, which is the limit",
            preface.pi, max_pis, node_);
    }
    auto link = std::make_shared<Link>(loop_, std::move(socket), preface, dead_after_(preface.pi));
    links_[preface.pi] = link;
    return link;
}

Task<> LinkServer::serve(LinkPtr link) {
    for (;;) {
        const auto line = co_await link->socket->read_line();
        if (link->ended)
            co_return;
        if (!line)
            break;
        link->heartbeat.heard(link->socket->heard());
        if (!link->up)
            mark_up(*link);
        take(*link, *line);
        const milliseconds pause = link->messages.take(Clock::now());
        if (pause > milliseconds(0)) {
            co_await sleep_for(pause);
            link->heartbeat.heard(
                Clock::now()); // it has more to say: we are slow, it is not silent
        }
    }
    if (link->socket->overflowed())
        end(*link,
            fail(ErrorKind::full, "Pi {} does not read what it is sent: link closed", link->pi()));
    else
        end(*link, fail(ErrorKind::unavailable, "Pi {}: link closed", link->pi()));
}

Task<> LinkServer::beat(LinkPtr link) {
    while (!link->ended) {
        const TimePoint now = Clock::now();
        link->heartbeat.heard(link->socket->heard());
        if (!link->heartbeat.turn(now) && link->up)
            mark_down(
                *link, fail(
                           ErrorKind::timeout, "Pi {}: silent for {} ms", link->pi(),
                           link->heartbeat.dead_after().count()));
        if (const auto n = link->heartbeat.ping(now))
            link->socket->send(format(HostMessage(Ping{*n})));
        link->timer.expires_at(link->heartbeat.next_turn());
        co_await link->timer.async_wait(as_value);
    }
}

void LinkServer::take(Link& link, const LineFramer::Line& line) {
    if (line.too_long)
        return refuse(
            link, fail(
                      ErrorKind::invalid, "Pi {}: line: is longer than {} bytes", link.pi(),
                      max_link_line));
    auto message = parse_pi_message(line.text, link.pi());
    if (!message)
        return refuse(link, message.error());
    take(link, std::move(*message));
}

void LinkServer::take(Link& link, PiMessage message) {
    if (const auto* pong = std::get_if<Pong>(&message))
        return link.heartbeat.pong(pong->n, Clock::now());
    if (const auto* hello = std::get_if<Hello>(&message)) {
        link.foreign = !speaks_link_version(hello->version);
        if (link.foreign)
            return refuse(
                link, fail(
                          ErrorKind::refused,
                          "Pi {} ({}) speaks version {} of the link's language, {} ({}) "
                          "speaks version {}: update the older one",
                          link.pi(), hello->software, hello->version, node_, LONGCORD_VERSION,
                          link_version));
    }
    if (!link.foreign)
        handler_.message(link.pi(), std::move(message));
}

void LinkServer::refuse(Link& link, Error error) {
    if (!link.refusals.allow(Clock::now())) {
        ++link.unreported;
        return;
    }
    if (link.unreported > 0)
        error.message += fmt::format(" (and {} more messages refused)", link.unreported);
    link.unreported = 0;
    link.socket->send(format(HostMessage(LinkError{error.message})));
    handler_.refused(link.pi(), std::move(error));
}

void LinkServer::welcome(Link& link) {
    Welcome welcome;
    welcome.node = node_;
    welcome.software = "longcord-host " LONGCORD_VERSION;
    welcome.pi = link.pi();
    welcome.dead_after = link.heartbeat.dead_after();
    welcome.nodes = nodes_;
    link.socket->send(format(HostMessage(welcome)));
}

void LinkServer::set(std::string node) {
    node_ = std::move(node);
    for (auto& [pi, link] : links_) {
        const milliseconds dead_after = dead_after_(pi);
        if (dead_after == link->heartbeat.dead_after())
            continue;
        link->heartbeat.set_dead_after(dead_after);
        if (link->up)
            welcome(*link);
    }
}

void LinkServer::set_nodes(std::vector<NodeAddress> nodes) {
    if (nodes == nodes_)
        return;
    nodes_ = std::move(nodes);
    for (auto& [pi, link] : links_)
        if (link->up)
            welcome(*link);
}

std::vector<LinkServer::LinkedKey> LinkServer::linked_keys(TimePoint before) const {
    std::vector<LinkedKey> keys;
    for (const auto& [pi, link] : links_)
        if (link->admitted < before)
            keys.push_back({pi, link->preface.key});
    return keys;
}

void LinkServer::expel(const std::string& pi, const std::string& why) {
    const auto at = links_.find(pi);
    if (at == links_.end())
        return;
    const LinkPtr link = at->second;
    const LinkError last{why, true};
    link->socket->send(format(HostMessage(last)));
    link->socket->close_when_sent();
    end(*link, fail(ErrorKind::refused, "Pi {}: {}", pi, why));
}

void LinkServer::mark_up(Link& link) {
    link.up = true;
    welcome(link);
    handler_.up(LinkUp{link.pi(), link.preface.address});
}

void LinkServer::mark_down(Link& link, Error why) {
    link.up = false;
    handler_.down(link.pi(), std::move(why));
}

void LinkServer::end(Link& link, Error why) {
    link.ended = true;
    link.timer.cancel();
    const auto at = links_.find(link.pi());
    if (at == links_.end() || at->second.get() != &link)
        return;
    const LinkPtr keep = at->second;
    links_.erase(at);
    if (link.up)
        mark_down(link, std::move(why));
}

void LinkServer::send(const std::string& pi, HostMessage message) {
    const auto at = links_.find(pi);
    if (at != links_.end() && at->second->up)
        at->second->socket->send(format(message));
}

std::optional<milliseconds> LinkServer::round_trip(const std::string& pi) const {
    const auto at = links_.find(pi);
    return at == links_.end() ? std::nullopt : at->second->heartbeat.round_trip();
}

} // namespace longcord
