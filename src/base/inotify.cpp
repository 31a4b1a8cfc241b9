// SPDX-License-Identifier: MIT
#include "base/inotify.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include <unistd.h>

namespace longcord {

static int open_inotify() {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        throw std::system_error(
            errno, std::generic_category(), "inotify_init1 (see fs.inotify.max_user_instances)");
    return fd;
}

Inotify::Inotify(asio::io_context& loop) : fd_(open_inotify()), descriptor_(loop, fd_) {}

Result<int> add_watch(int inotify, const std::filesystem::path& path, std::uint32_t mask) {
    const int watch = ::inotify_add_watch(inotify, path.c_str(), mask);
    if (watch < 0)
        return fail_errno(errno, "watch " + path.string());
    return watch;
}

void Inotify::forget(int watch) const noexcept {
    ::inotify_rm_watch(fd_, watch);
}

static void append_events(std::string_view bytes, std::vector<InotifyEvent>& events) {
    // The kernel hands out whole events only; the check guards our arithmetic.
    while (bytes.size() >= sizeof(inotify_event)) {
        inotify_event head;
        std::memcpy(&head, bytes.data(), sizeof head);
        bytes.remove_prefix(sizeof head);
        const auto padded = bytes.substr(0, head.len);
        bytes.remove_prefix(padded.size());
        const auto name = padded.substr(0, padded.find('\0')); // padded with NULs
        events.push_back(InotifyEvent{head.wd, head.mask, std::string(name)});
    }
}

std::vector<InotifyEvent> Inotify::take() {
    std::vector<InotifyEvent> events;
    std::array<char, 16384> buffer;
    for (;;) {
        const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return events;
        append_events({buffer.data(), static_cast<std::size_t>(n)}, events);
    }
}

Task<std::vector<InotifyEvent>> Inotify::next() {
    for (;;) {
        auto events = take();
        if (!events.empty())
            co_return events;
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
    }
}

} // namespace longcord
