// SPDX-License-Identifier: MIT
#include "usb/host_use_events.hpp"

#include "base/rounds.hpp"

#include <array>

#include <libudev.h>

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace longcord {

namespace {

/// Nothing depends on it: an event that was lost only makes the look come later.
constexpr seconds slow_turn{60};

UniqueFd open_link_events() {
    UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    if (fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fd.reset();
    return fd;
}

} // namespace

struct HostUseEvents::Sources {
    Sources()
        : context(udev_new()),
          blocks(context ? udev_monitor_new_from_netlink(context, "udev") : nullptr),
          links(open_link_events()),
          mounts(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
          swaps(::open("/proc/swaps", O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
          exceptional(::epoll_create1(EPOLL_CLOEXEC)) {
        if (blocks) {
            udev_monitor_filter_add_match_subsystem_devtype(blocks, "block", nullptr);
            udev_monitor_enable_receiving(blocks);
        }
        // These two tell of a change by POLLPRI (fs/proc_namespace.c, mm/swapfile.c), which a
        // WaitSet does not ask for; an epoll descriptor that holds them is simply readable then.
        for (const int fd : {mounts.get(), swaps.get()}) {
            epoll_event event{};
            event.events = EPOLLPRI | EPOLLET;
            if (fd >= 0)
                ::epoll_ctl(exceptional.get(), EPOLL_CTL_ADD, fd, &event);
        }
    }
    ~Sources() {
        if (blocks)
            udev_monitor_unref(blocks);
        if (context)
            udev_unref(context);
    }
    Sources(const Sources&) = delete;
    Sources& operator=(const Sources&) = delete;

    udev* context;
    udev_monitor* blocks;
    UniqueFd links, mounts, swaps, exceptional;
};

HostUseEvents::HostUseEvents(asio::io_context& loop, const Roots& roots) : set_(loop) {
    if (roots.prefix != "/")
        return;
    sources_ = std::make_unique<Sources>();
    if (sources_->blocks)
        set_.add(udev_monitor_get_fd(sources_->blocks));
    for (const int fd : {sources_->links.get(), sources_->exceptional.get()})
        if (fd >= 0)
            set_.add(fd);
    drain(); // both files count as changed until they are asked for the first time
}

HostUseEvents::~HostUseEvents() = default;

void HostUseEvents::drain() {
    if (!sources_)
        return;
    std::array<char, 32768> thrown_away;
    while (sources_->links &&
           ::recv(sources_->links.get(), thrown_away.data(), thrown_away.size(), 0) > 0)
        ;
    std::array<epoll_event, 2> events{};
    ::epoll_wait(sources_->exceptional.get(), events.data(), events.size(), 0);
    while (sources_->blocks)
        if (udev_device* device = udev_monitor_receive_device(sources_->blocks))
            udev_device_unref(device);
        else
            break;
}

Task<> HostUseEvents::next() {
    co_await set_.wait(next_round(Clock::now(), slow_turn));
    drain();
}

} // namespace longcord
