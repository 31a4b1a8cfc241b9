// SPDX-License-Identifier: MIT
#include "proxmox/config_watcher.hpp"

#include "base/rounds.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include <fcntl.h>

namespace longcord {

namespace {

constexpr seconds look_deadline{5};

UniqueFd duplicate(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!copy)
        throw std::system_error(errno, std::generic_category(), "fcntl(F_DUPFD_CLOEXEC)");
    return copy;
}

} // namespace

ConfigWatcher::ConfigWatcher(
    asio::io_context& loop, WorkerPool& workers, const Roots& roots, milliseconds look_every)
    : workers_(workers), look_every_(look_every), inotify_(loop), set_(loop),
      reader_(std::make_shared<PveReader>(roots, duplicate(inotify_.fd()))) {
    set_.add(inotify_.fd());
}

Task<PveSnapshot> ConfigWatcher::next() {
    for (;;) {
        inotify_.take(); // what woke us; the look tells the rest
        const std::function<Result<PveContent>()> job = [reader = reader_] {
            return reader->look(Clock::now());
        };
        const std::string key = job_key;
        auto seen = co_await workers_.run<PveContent>(key, look_deadline, job);
        auto snapshot = judge(std::move(seen), Clock::now());
        if (snapshot && told_ != snapshot) {
            told_ = snapshot;
            co_return std::move(*snapshot);
        }
        co_await set_.wait(next_look(Clock::now()));
    }
}

/// Nothing: it is not known, or not yet believed.
std::optional<PveSnapshot> ConfigWatcher::judge(Result<PveContent> seen, TimePoint now) {
    if (!seen) {
        stable_.interrupted();
        if (seen.error().kind == ErrorKind::not_found && (!told_ || !told_->present))
            return PveSnapshot{};
        tell_trouble(seen.error().message);
        return std::nullopt;
    }
    if (std::exchange(trouble_, false))
        spdlog::info("/etc/pve answers again");
    tell_problems(std::move(seen->problems));
    PveSnapshot snapshot;
    snapshot.present = true;
    snapshot.configs = std::move(seen->configs);
    snapshot.rules = stable_.update(seen->rules, now);
    snapshot.vmids = std::move(seen->vmids);
    snapshot.mappings = std::move(seen->mappings);
    snapshot.intents = std::move(seen->intents);
    snapshot.quorate = seen->quorate;
    // An empty file at the very first look: what it held before, nobody here knows.
    if (!told_ && !stable_.settled())
        return std::nullopt;
    return snapshot;
}

TimePoint ConfigWatcher::next_look(TimePoint now) const {
    const bool away = told_ && !told_->present;
    const TimePoint round = next_round(now, away ? look_every_ * elsewhere : look_every_);
    const auto due = stable_.due();
    return due ? std::min(*due, round) : round;
}

void ConfigWatcher::tell_trouble(const std::string& what) {
    if (!std::exchange(trouble_, true))
        spdlog::warn("{}; rules and locks stay as they were", what);
}

void ConfigWatcher::tell_problems(std::vector<std::string> problems) {
    for (const auto& problem : problems)
        if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end())
            spdlog::warn("{}; what it held before stays", problem);
    problems_ = std::move(problems);
}

} // namespace longcord
