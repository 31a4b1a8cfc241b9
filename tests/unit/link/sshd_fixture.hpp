// SPDX-License-Identifier: MIT
// A real sshd on 127.0.0.1, with the drop-in that the package installs (for the user who runs the
// tests instead of `longcord`), the real longcord-keys and the real longcord-link. Needs root, as
// sshd does to run a key command.
#pragma once

#include "link/ssh_session.hpp"
#include "link_fixture.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace longcord {

/// Runs a program to its end: exit status, and what it wrote to stdout and stderr.
struct Finished {
    int status = -1;
    std::string output;
};
Finished run_program(const std::vector<std::string>& words);

class Sshd {
  public:
    /// Makes host key, user key and configuration below `world`; does not start yet.
    explicit Sshd(const std::filesystem::path& world);
    ~Sshd();

    /// Returns once it accepts connections.
    void start();
    /// Kills it and all its sessions, as a crash of the machine would.
    void kill();
    /// Its sessions stand still, as those of a machine that is out of memory; kill() ends them too.
    void stop_sessions() const;

    /// A pair of keys: FILE and FILE.pub.
    std::filesystem::path make_key(const std::string& name) const;
    void pair(const std::string& pi, const std::filesystem::path& key) const;
    void pin(const std::filesystem::path& host_key) const;
    std::string fingerprint(const std::filesystem::path& key) const;

    LinkTarget target() const;
    unsigned port() const { return port_; }
    std::string log() const;

  private:
    std::filesystem::path world_;
    unsigned port_ = 0;
    pid_t pid_ = -1;
};

} // namespace longcord
