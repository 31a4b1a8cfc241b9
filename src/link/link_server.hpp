// SPDX-License-Identifier: MIT
// The node's end of all links: /run/longcord/link.sock, where one longcord-link a Pi connects. It
// greets, pings, reads with a limit, refuses nonsense by name, and tells the app the rest. What one
// Pi does costs the others nothing: each has its own bounded buffers and its own reader.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/roots.hpp"
#include "base/task.hpp"
#include "link/heartbeat.hpp"
#include "link/line_socket.hpp"
#include "link/message.hpp"
#include "link/preface.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace longcord {

struct LinkUp {
    std::string pi;
    std::string address; ///< the link's own peer address, from sshd
    bool operator==(const LinkUp&) const = default;
};

class LinkServer {
  public:
    static constexpr std::size_t max_pis = 256;
    /// Connections that have not said yet whose they are, and for how long they may.
    static constexpr unsigned max_strangers = 32;
    static constexpr milliseconds preface_deadline{5000};
    /// For a Pi that is being paired: to hand its key over.
    static constexpr milliseconds pairing_deadline{10'000};

    struct Handler {
        /// A link is there, or speaks again after silence. `welcome` was sent; hello and devices
        /// follow.
        std::function<void(LinkUp)> up;
        /// hello, devices, added, removed. (pong stays here.)
        std::function<void(std::string pi, PiMessage)> message;
        /// A message that was dropped; the link stays. At most 20 at once and one a second after
        /// that.
        std::function<void(std::string pi, Error)> refused;
        /// The link is gone, or silent for dead_after.
        std::function<void(std::string pi, Error why)> down;
        /// The one line that a throw-away key is good for; what comes back is said to the Pi.
        std::function<Task<HostMessage>(Preface, std::string line)> pair{};
        /// A command of a Pi without our package: one answer, and the connection is over.
        std::function<Task<Done>(Preface)> push{};
    };

    /// How long that Pi may be silent.
    using DeadAfter = std::function<milliseconds(const std::string& pi)>;

    LinkServer(
        asio::io_context& loop, Roots roots, std::string node, Handler handler,
        DeadAfter dead_after = [](const std::string&) { return Heartbeat::default_dead_after; });
    /// Ends all links. What is under way on the loop ends by itself.
    ~LinkServer();
    LinkServer(const LinkServer&) = delete;
    LinkServer& operator=(const LinkServer&) = delete;

    /// Serves for ever; ends only where the socket cannot be made (logged).
    Task<> run();

    /// The node's name from now on, for links that come; and `dead_after` may say something else
    /// now: Pis for which it does are welcomed anew.
    void set(std::string node);

    /// Dropped where the Pi is not linked now: it will be told anew after its next hello.
    void send(const std::string& pi, HostMessage message);
    std::optional<milliseconds> round_trip(const std::string& pi) const;

    /// The cluster's other nodes, for every welcome from now on; linked Pis are welcomed anew where
    /// the list is another one than before.
    void set_nodes(std::vector<NodeAddress> nodes);
    const std::vector<NodeAddress>& nodes() const noexcept { return nodes_; }

    /// Whose links these are, and by which key (empty: not known). Of those that were there at
    /// `before`: a link is as new as its key can be.
    struct LinkedKey {
        std::string pi;
        std::string key;
    };
    std::vector<LinkedKey> linked_keys(TimePoint before) const;
    /// Ends this Pi's link for good: its SSH session is told why, and ends.
    void expel(const std::string& pi, const std::string& why);

  private:
    struct Link;
    using LinkPtr = std::shared_ptr<Link>;

    Task<> greet(std::shared_ptr<LineSocket> socket);
    Task<> pair(std::shared_ptr<LineSocket> socket, Preface preface);
    Task<> push(std::shared_ptr<LineSocket> socket, Preface preface);
    void welcome(Link& link);
    Task<> serve(LinkPtr link);
    Task<> beat(LinkPtr link);
    Result<LinkPtr> admit(std::shared_ptr<LineSocket> socket, const Preface& preface);
    void take(Link& link, const LineFramer::Line& line);
    void take(Link& link, PiMessage message);
    void refuse(Link& link, Error error);
    void mark_up(Link& link);
    void mark_down(Link& link, Error why);
    void end(Link& link, Error why);

    asio::io_context& loop_;
    Roots roots_;
    std::string node_;
    Handler handler_;
    DeadAfter dead_after_;
    asio::local::stream_protocol::acceptor acceptor_;
    unsigned strangers_ = 0;
    std::vector<NodeAddress> nodes_;
    /// Coroutines under way hold it, and stop once it says that this object is gone.
    std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
    std::map<std::string, LinkPtr> links_;
};

} // namespace longcord
