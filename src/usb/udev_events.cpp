// SPDX-License-Identifier: MIT
#include "usb/usb_events.hpp"

#include <cerrno>
#include <stdexcept>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <libudev.h>

#include <fcntl.h>

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

class UdevEvents final : public UsbEvents {
  public:
    explicit UdevEvents(asio::io_context& loop)
        : udev_(udev_new()), monitor_(udev_monitor_new_from_netlink(udev_.get(), "udev")),
          readable_(loop) {
        if (!monitor_)
            throw std::runtime_error("udev: cannot open its netlink socket");
        udev_monitor_filter_add_match_subsystem_devtype(monitor_.get(), "usb", nullptr);
        udev_monitor_set_receive_buffer_size(monitor_.get(), receive_buffer); // root only
        if (udev_monitor_enable_receiving(monitor_.get()) < 0)
            throw std::runtime_error("udev: cannot receive events");
        // libudev aborts the process if somebody else closes its socket: Asio gets one of its own.
        const int own = ::fcntl(udev_monitor_get_fd(monitor_.get()), F_DUPFD_CLOEXEC, 0);
        if (own < 0)
            throw std::runtime_error("udev: cannot duplicate its socket");
        readable_.assign(own);
    }

    Task<std::vector<UsbEvent>> next() override {
        std::vector<UsbEvent> events;
        while (events.empty()) {
            const auto [error] =
                co_await readable_.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
            if (error)
                throw boost::system::system_error(error, "udev");
            drain(events);
        }
        co_return events;
    }

  private:
    void drain(std::vector<UsbEvent>& events) {
        for (;;) {
            errno = 0;
            const UdevPtr<udev_device> device(udev_monitor_receive_device(monitor_.get()));
            if (!device && errno == EINTR)
                continue;
            if (!device && errno == ENOBUFS) {
                events.push_back(UsbEvent::lost());
                continue;
            }
            if (!device)
                return;
            const bool interface = text(udev_device_get_devtype(device.get())) == "usb_interface";
            events.push_back(UsbEvent{
                action_of(text(udev_device_get_action(device.get()))),
                text(udev_device_get_sysname(device.get())),
                text(udev_device_get_devpath(device.get())), interface, false});
        }
    }

    UdevPtr<udev> udev_;
    UdevPtr<udev_monitor> monitor_;
    asio::posix::stream_descriptor readable_;
};

} // namespace

std::unique_ptr<UsbEvents> watch_udev(asio::io_context& loop) {
    return std::make_unique<UdevEvents>(loop);
}

std::unique_ptr<UsbEvents> watch_usb(asio::io_context& loop, const Roots& roots) {
    return roots.prefix == "/" ? watch_udev(loop) : watch_usb_folder(loop, roots);
}

} // namespace longcord
