// SPDX-License-Identifier: MIT
// What the tests of servers and sessions share: a world below a temporary directory, a loop that
// runs until something is so, a LinkServer that keeps what it was told, and a peer on its socket.
#pragma once

#include "base/clock.hpp"
#include "base/roots.hpp"
#include "link/link_server.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace longcord {

/// Removed with all that is in it. In /run, which is root's: sshd refuses programs below /tmp.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// False where it is not so after `patience`.
bool run_until(
    asio::io_context& loop, const std::function<bool()>& so,
    milliseconds patience = milliseconds(20'000));

/// A service's end: every call of the handler, in words or as values.
struct Service {
    Service(
        asio::io_context& loop, const Roots& roots,
        milliseconds dead_after = Heartbeat::default_dead_after);

    std::map<std::string, milliseconds> dead_after_of; ///< of Pis that have their own
    std::vector<LinkUp> ups;
    std::vector<std::pair<std::string, PiMessage>> messages;
    std::vector<std::pair<std::string, Error>> refused;
    std::vector<std::pair<std::string, Error>> downs;
    LinkServer server;

    std::size_t messages_of(const std::string& pi) const;
};

/// A raw end of link.sock: what longcord-link would be.
class Peer {
  public:
    Peer(asio::io_context& loop, const Roots& roots);
    ~Peer();
    /// With the preface.
    Peer(asio::io_context& loop, const Roots& roots, const Preface& preface);

    void send(const std::string& bytes);
    /// Non-blocking: keeps what has come.
    void read();
    bool closed = false;
    std::string received;
    int fd = -1;
};

} // namespace longcord
