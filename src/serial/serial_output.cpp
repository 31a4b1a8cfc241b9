// SPDX-License-Identifier: MIT
// What is on its way to a serial device: written at once where the kernel has room, and kept where
// it has not.
#include "serial/serial_device.hpp"

namespace longcord {

void SerialDevice::write(std::string_view bytes) {
    if (!tty_)
        return;
    if (queued() == 0) {
        const auto n = tty_->write(bytes);
        if (!n)
            return lose(n.error());
        bytes.remove_prefix(*n);
        if (bytes.empty())
            return;
        queue_.clear();
        sent_ = 0;
        moved_ = Clock::now();
    }
    queue_ += bytes;
    wait_to_write();
}

void SerialDevice::wait_to_write() {
    if (writing_ || !ready_ || queued() == 0)
        return;
    writing_ = true;
    ready_->async_wait(
        asio::posix::stream_descriptor::wait_write,
        [self = shared_from_this()](const boost::system::error_code& error) {
            self->writing_ = false;
            if (!error)
                self->write_some();
        });
}

void SerialDevice::write_some() {
    if (!tty_)
        return;
    if (queued() > 0) {
        const auto n = tty_->write(std::string_view(queue_).substr(sent_));
        if (!n)
            return lose(n.error());
        if (*n > 0)
            moved_ = Clock::now();
        sent_ += *n;
    }
    if (queued() == 0 || sent_ >= max_queued) { // a slow device may never have taken all of it
        queue_.erase(0, sent_);
        sent_ = 0;
    }
    if (queued() <= max_queued / 2)
        room_.cancel();
    wait_to_write();
}

Task<> SerialDevice::room() {
    if (queued() > max_queued)
        co_await room_.async_wait(as_value);
}

bool SerialDevice::stalled() const {
    return queued() > 0 && Clock::now() - moved_ >= stall;
}

Task<> SerialDevice::settled() {
    asio::steady_timer timer(loop_);
    while (queued() > 0 && !stalled()) {
        // Looked at again when room_ says so, and when it could have stalled.
        timer.expires_at(moved_ + stall);
        auto wake = [this, self = shared_from_this()](const boost::system::error_code& error) {
            if (!error)
                room_.cancel();
        };
        timer.async_wait(std::move(wake));
        co_await room_.async_wait(as_value);
    }
}

} // namespace longcord
