// SPDX-License-Identifier: MIT
#include "qemu.hpp"

#include "qmp/unix_connect.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace longcord::test {

Qemu::Qemu(std::vector<std::string> options) {
    std::vector<std::string> words = {
        "qemu-system-x86_64",
        "-nodefaults",
        "-display",
        "none",
        "-accel",
        "tcg",
        "-m",
        "32",
        "-chardev",
        "socket,id=qmp,server=on,wait=off,path=" + socket_.string(),
        "-device",
        "pci-bridge,id=pci.1,chassis_nr=1,bus=pci.0,addr=0x1e",
        "-device",
        "qemu-xhci,id=longcord,p2=15,p3=15,bus=pci.1,addr=0x1f"};
    bool monitor = false;
    for (auto& option : options) {
        monitor = monitor || option == "-mon";
        words.push_back(std::move(option));
    }
    if (!monitor)
        words.insert(words.end(), {"-mon", "chardev=qmp,mode=control"});
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (connect_unix(socket_).has_error()) {
        int status = 0;
        const bool runs = ::waitpid(pid_, &status, WNOHANG) == 0;
        if (!runs)
            pid_ = -1;
        REQUIRE_MESSAGE(
            runs, "qemu-system-x86_64 ended at once; is the package qemu-system-x86 installed?");
        REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "QEMU makes no socket");
        ::usleep(10'000);
    }
}

Qemu::~Qemu() {
    if (pid_ <= 0)
        return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

} // namespace longcord::test
