// SPDX-License-Identifier: MIT
#include "cli/run_command.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <spawn.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace longcord {

namespace {

/// `out`: its stdout; -1: ours.
Result<pid_t> start(const std::vector<std::string>& words, int out) {
    std::vector<std::string> copies = words;
    std::vector<char*> argv;
    argv.reserve(copies.size() + 1);
    for (auto& word : copies)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    if (out >= 0)
        ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return fail_errno(error, "run " + words.front());
    return pid;
}

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    constexpr int signalled = 128; // as a shell says it
    return WIFEXITED(status) ? WEXITSTATUS(status) : signalled + WTERMSIG(status);
}

} // namespace

Result<int> run_command(const std::vector<std::string>& words) {
    const auto pid = start(words, -1);
    if (!pid)
        return pid.error();
    return wait_for(*pid);
}

Result<std::string> output_of(const std::vector<std::string>& words) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail_errno(errno, "make a pipe");
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const auto pid = start(words, writer.get());
    writer.reset();
    if (!pid)
        return pid.error();
    constexpr std::size_t longest = 64U * 1024;
    std::string text;
    std::array<char, 4096> chunk{};
    for (;;) {
        const ssize_t n = ::read(reader.get(), chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (text.size() < longest)
            text.append(chunk.data(), static_cast<std::size_t>(n));
    }
    const int status = wait_for(*pid);
    if (status != 0)
        return fail(ErrorKind::system, "{} failed with exit code {}", words.front(), status);
    return text;
}

} // namespace longcord
