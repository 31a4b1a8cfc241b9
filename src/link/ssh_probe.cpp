// SPDX-License-Identifier: MIT
#include "link/ssh_probe.hpp"

#include "link/host_key.hpp"
#include "link/ssh_login.hpp"
#include "link/tcp_connect.hpp"

#include <csignal>

#include <fmt/ranges.h>

#include <sys/eventfd.h>

namespace longcord {

namespace {

class Probe {
  public:
    Probe(const LinkTarget& target, const std::function<void(const ProbeStep&)>& step)
        : target_(target), step_(step), never_(::eventfd(0, EFD_CLOEXEC)) {}

    void run() {
        // libssh's writes to a dead peer must not end the program; a worker needs no SIGPIPE ever.
        sigset_t broken_pipe;
        ::sigemptyset(&broken_pipe);
        ::sigaddset(&broken_pipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        if (did("name", name()) && did("tcp", tcp()) && did("host key", host_key()))
            did("login", login());
    }

  private:
    Result<std::string> name() {
        began_ = Clock::now();
        const auto found = find_addresses(target_.host, target_.port);
        if (!found)
            return found.error();
        return fmt::format("{}", fmt::join(*found, ", "));
    }

    Result<std::string> tcp() {
        auto fd = connect_tcp(target_.host, target_.port, never_.get());
        if (!fd)
            return fd.error();
        tcp_ = std::move(*fd);
        return fmt::format("port {} answers", target_.port);
    }

    Result<std::string> host_key() {
        session_ = make_ssh_session(target_, tcp_.get());
        if (::ssh_connect(session_.get()) != SSH_OK)
            return ssh_lost(target_, session_.get());
        if (auto good = check_host_key(session_.get(), target_); !good)
            return good.error();
        return std::string("it is the one that this machine knows");
    }

    Result<std::string> login() {
        if (auto in = ssh_log_in(session_.get(), target_); !in)
            return in.error();
        return fmt::format("{} lets this machine's key in", target_.user);
    }

    bool did(const char* what, Result<std::string> outcome) {
        const auto now = Clock::now();
        const bool good = outcome.has_value();
        step_({what, std::move(outcome), std::chrono::duration_cast<milliseconds>(now - began_)});
        began_ = now;
        return good;
    }

    const LinkTarget& target_;
    const std::function<void(const ProbeStep&)>& step_;
    UniqueFd never_; ///< nobody interrupts it
    TimePoint began_ = Clock::now();
    UniqueFd tcp_; ///< outlives the session, which does not close it
    SshHandle session_;
};

} // namespace

void probe_node(const LinkTarget& target, const std::function<void(const ProbeStep&)>& step) {
    Probe(target, step).run();
}

} // namespace longcord
