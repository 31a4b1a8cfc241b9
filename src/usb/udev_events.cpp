// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "usb/usb_events.hpp"

#include <cerrno>
#include <cstdint>
#include <map>
#include <stdexcept>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <libudev.h>

#include <sys/epoll.h>

namespace longcord {

namespace {

struct Unref {
    void operator()(udev* context) const { udev_unref(context); }
    void operator()(udev_monitor* monitor) const { udev_monitor_unref(monitor); }
    void operator()(udev_device* device) const { udev_device_unref(device); }
};
template <class T> using UdevPtr = std::unique_ptr<T, Unref>;

/// A hub with many devices, or a node that wakes up, sends hundreds of events at once.
constexpr int receive_buffer = 4 * 1024 * 1024;

std::string text(const char* value) {
    return value ? value : "";
}

UsbEvent::Action action_of(std::string_view action) {
    using Action = UsbEvent::Action;
    if (action == "add")
        return Action::add;
    if (action == "remove")
        return Action::remove;
    if (action == "change")
        return Action::change;
    if (action == "bind")
        return Action::bind;
    if (action == "unbind")
        return Action::unbind;
    return Action::other;
}

UdevPtr<udev_monitor> listen_to(udev* context, const char* who) {
    UdevPtr<udev_monitor> monitor(udev_monitor_new_from_netlink(context, who));
    if (!monitor)
        throw std::runtime_error("udev: cannot open its netlink socket");
    udev_monitor_filter_add_match_subsystem_devtype(monitor.get(), "usb", nullptr);
    udev_monitor_set_receive_buffer_size(monitor.get(), receive_buffer); // root only
    if (udev_monitor_enable_receiving(monitor.get()) < 0)
        throw std::runtime_error("udev: cannot receive events");
    return monitor;
}

/// What nobody has to wait for udev's rules to hear: that the kernel has done with a device that
/// came (it has its driver and so its configuration, or none on a claimed port), or that it is
/// gone.
bool is_the_kernels(const UsbEvent& event) {
    using Action = UsbEvent::Action;
    return !event.interface && (event.action == Action::bind || event.action == Action::remove);
}

class UdevEvents final : public UsbEvents {
  public:
    explicit UdevEvents(asio::io_context& loop)
        : udev_(udev_new()), kernel_(listen_to(udev_.get(), "kernel")),
          rules_(listen_to(udev_.get(), "udev")), readable_(loop) {
        // libudev aborts the process if somebody else closes its sockets: Asio gets what holds
        // both.
        const int both = ::epoll_create1(EPOLL_CLOEXEC);
        if (both < 0)
            throw std::runtime_error("udev: cannot wait for its sockets");
        readable_.assign(both);
        for (udev_monitor* monitor : {kernel_.get(), rules_.get()}) {
            epoll_event event{};
            event.events = EPOLLIN;
            if (::epoll_ctl(both, EPOLL_CTL_ADD, udev_monitor_get_fd(monitor), &event) < 0)
                throw std::runtime_error("udev: cannot wait for its socket");
        }
    }

    Task<std::vector<UsbEvent>> next() override {
        std::vector<UsbEvent> events;
        while (events.empty()) {
            const auto [error] =
                co_await readable_.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
            if (error)
                throw boost::system::system_error(error, "udev");
            // In this order: what came after a removal is read, and so never taken for what went.
            drain(*kernel_, events, [this](const UsbEvent& event, std::uint64_t number) {
                if (!is_the_kernels(event))
                    return false;
                if (event.action == UsbEvent::Action::bind)
                    bound_[event.sysname] = number;
                else
                    bound_.erase(event.sysname);
                return true;
            });
            drain(*rules_, events, [this](const UsbEvent& event, std::uint64_t number) {
                const auto bound = bound_.find(event.sysname);
                return !is_the_kernels(event) && (bound == bound_.end() || bound->second < number);
            });
        }
        co_return events;
    }

  private:
    template <class Wanted>
    static void drain(udev_monitor& monitor, std::vector<UsbEvent>& events, Wanted wanted) {
        for (;;) {
            errno = 0;
            const UdevPtr<udev_device> device(udev_monitor_receive_device(&monitor));
            if (!device && errno == EINTR)
                continue;
            if (!device && errno == ENOBUFS) {
                events.push_back(UsbEvent::lost());
                continue;
            }
            if (!device)
                return;
            const bool interface = text(udev_device_get_devtype(device.get())) == "usb_interface";
            UsbEvent event{
                action_of(text(udev_device_get_action(device.get()))),
                text(udev_device_get_sysname(device.get())),
                text(udev_device_get_devpath(device.get())),
                interface,
                0,
                false};
            if (const char* number = udev_device_get_property_value(device.get(), "DEVNUM"))
                event.devnum = parse_decimal(number).value_or(0);
            if (wanted(event, udev_device_get_seqnum(device.get())))
                events.push_back(std::move(event));
        }
    }

    UdevPtr<udev> udev_;
    UdevPtr<udev_monitor> kernel_;
    UdevPtr<udev_monitor> rules_;
    asio::posix::stream_descriptor readable_;
    std::map<std::string, std::uint64_t> bound_; ///< the kernel's number of a device's last `bind`
};

} // namespace

std::unique_ptr<UsbEvents> watch_udev(asio::io_context& loop) {
    return std::make_unique<UdevEvents>(loop);
}

std::unique_ptr<UsbEvents> watch_usb(asio::io_context& loop, const Roots& roots) {
    return roots.prefix == "/" ? watch_udev(loop) : watch_usb_folder(loop, roots);
}

} // namespace longcord
