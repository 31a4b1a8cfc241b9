// SPDX-License-Identifier: MIT
#include "pi/hand_over.hpp"

#include "usb/sysfs_reader.hpp"
#include "usbip/export.hpp"
#include "usbip/serve.hpp"

#include <cerrno>
#include <thread>

#include <sys/socket.h>

namespace longcord {

/// The kernel tells nobody when usbip_status changes: no uevent, no sysfs notification.
static constexpr milliseconds look_again{20};

static Result<unsigned> wait_until_not_used(
    const Roots& roots, const std::string& busid, milliseconds at_most) {
    const auto end = Clock::now() + at_most;
    for (;;) {
        auto status = UsbipHost(roots).status(busid);
        if (!status || *status != status_used || Clock::now() >= end)
            return status;
        std::this_thread::sleep_for(look_again);
    }
}

static OpStatus wire_status(const Error& error) {
    switch (error.kind) {
    case ErrorKind::busy:
        return OpStatus::device_busy;
    case ErrorKind::not_found:
        return OpStatus::no_device;
    case ErrorKind::unavailable:
        return OpStatus::device_error;
    default:
        return OpStatus::not_available;
    }
}

/// A few hundred bytes on a fresh connection: they fit into its buffer, or it is of no use.
static Result<> send_all(int socket, std::string_view bytes) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return fail_errno(errno, "answer the client");
    if (static_cast<std::size_t>(sent) != bytes.size())
        return fail(ErrorKind::unavailable, "the client does not read its answer");
    return {};
}

Result<UniqueFd> hand_over(const Roots& roots, const std::string& busid, UniqueFd socket) {
    const auto refuse = [&](const Error& why) {
        (void)send_all(socket.get(), format_import_refusal(wire_status(why)));
        return why;
    };
    const auto local = read_local_device(roots, busid);
    if (!local)
        return refuse(local.error());
    const auto reply = format_import_reply(describe(*local));
    if (!reply)
        return refuse(reply.error());
    const auto free = wait_until_not_used(roots, busid, reset_time);
    if (!free)
        return refuse(free.error());
    if (const auto served = UsbipHost(roots).serve(busid, socket.get()); !served)
        return refuse(served.error());
    if (const auto told = send_all(socket.get(), *reply); !told) {
        ::shutdown(socket.get(), SHUT_RDWR); // the kernel lets go too
        return told.error();
    }
    return socket;
}

Result<unsigned> wait_for_end(const Roots& roots, const std::string& busid) {
    return wait_until_not_used(roots, busid, reset_time);
}

} // namespace longcord
