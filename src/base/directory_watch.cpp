// SPDX-License-Identifier: MIT
#include "base/directory_watch.hpp"

namespace longcord {

// IN_MODIFY, because QEMU keeps its pidfile open: no close ever says that it is written.
static constexpr std::uint32_t changes = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                         IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF |
                                         IN_MOVE_SELF | IN_ONLYDIR;
static constexpr std::uint32_t arrivals =
    IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

DirectoryWatch::DirectoryWatch(asio::io_context& loop, std::filesystem::path directory)
    : directory_(std::move(directory)), inotify_(loop) {}

std::filesystem::path DirectoryWatch::watch_nearest() {
    auto path = directory_;
    for (;;) {
        const auto watch = inotify_.watch(path, path == directory_ ? changes : arrivals);
        if (watch) {
            if (watch_ >= 0 && watch_ != *watch)
                inotify_.forget(watch_);
            watch_ = *watch;
            return path;
        }
        if (!path.has_relative_path())
            return path; // not even "/": nothing more can be done
        path = path.parent_path();
    }
}

void DirectoryWatch::arm() {
    // Between finding a level missing and watching the one above, it may have been made: once more,
    // until two rounds agree. The bound is only for a tree that somebody remakes in a loop; then
    // there are events to wake us anyway.
    constexpr int rounds = 16;
    auto nearest = watch_nearest();
    for (int round = 0; round < rounds && nearest != directory_; ++round) {
        auto again = watch_nearest();
        if (again == nearest)
            return;
        nearest = std::move(again);
    }
}

} // namespace longcord
