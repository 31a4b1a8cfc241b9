// SPDX-License-Identifier: MIT
// A process that looks like the QEMU of a VM, and is killed at the end.
#pragma once

#include "../base/loop_fixture.hpp"

#include <string>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace longcord {

class Child {
  public:
    explicit Child(std::vector<std::string> arguments) {
        std::vector<char*> argv;
        for (auto& argument : arguments)
            argv.push_back(argument.data());
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::execvp(argv[0], argv.data());
            ::_exit(127);
        }
        REQUIRE(pid_ > 0);
    }
    ~Child() { reap(SIGKILL); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int pid() const noexcept { return pid_; }
    void kill(int signal = SIGKILL) const { ::kill(pid_, signal); }
    void reap(int signal) {
        if (pid_ > 0) {
            kill(signal);
            ::waitpid(pid_, nullptr, 0);
        }
        pid_ = -1;
    }

  private:
    int pid_ = -1;
};

/// A shell that waits for ever for its own stop (no child of its own is left behind), and whose
/// further arguments are those of a QEMU.
inline std::vector<std::string> fake_qemu(const std::string& pidfile) {
    return {"sh", "-c", "kill -STOP $$", "qemu", "-id", "1", "-pidfile", pidfile};
}

/// Returns once the child's command line is the one that was asked for (after its exec).
inline void wait_for_exec(int pid, const std::string& word) {
    for (int round = 0; round < 10000; ++round) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
        const std::string text(std::istreambuf_iterator<char>(file), {});
        if (text.find(word) != std::string::npos)
            return;
        ::usleep(1000);
    }
    FAIL("the child did not start");
}

} // namespace longcord
