// SPDX-License-Identifier: MIT
// A monitor socket in this process, for what a real QEMU does not do: a thread that accepts clients
// one after the other and lets a script talk to each.
#pragma once

#include "base/unique_fd.hpp"
#include "qmp/json_framer.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

namespace longcord::test {

/// A directory that goes away with everything in it.
class Folder {
  public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path path;
};

/// One accepted client, blocking.
class Peer {
  public:
    explicit Peer(UniqueFd fd) : fd_(std::move(fd)) {}
    void send(std::string_view bytes);
    /// Null: the client has left.
    nlohmann::json receive();
    void wait_for_end();

  private:
    UniqueFd fd_;
    JsonFramer framer_;
};

class FakeMonitor {
  public:
    using Script = std::function<void(Peer&)>;
    /// The script is run for the first client; then the monitor ends.
    FakeMonitor(std::filesystem::path socket, Script script);
    ~FakeMonitor();

  private:
    UniqueFd listener_;
    std::thread thread_;
};

/// Connects and stays. Blocks until accepted or in the backlog.
UniqueFd raw_client(const std::filesystem::path& socket);

} // namespace longcord::test
