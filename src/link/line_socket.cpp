// SPDX-License-Identifier: MIT
#include "link/line_socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace longcord {

Task<Result<LineFramer::Line>> LineSocket::read_line() {
    const auto self = shared_from_this();
    for (;;) {
        if (auto line = framer_.next())
            co_return std::move(*line);
        const auto buffer = asio::buffer(chunk_);
        const auto [error, size] = co_await socket_.async_read_some(buffer, as_value);
        if (error)
            co_return fail(ErrorKind::unavailable, "{}", error.message());
        heard_ = Clock::now();
        framer_.push({chunk_.data(), size});
    }
}

bool LineSocket::send(std::string_view line) {
    if (!socket_.is_open() || closing_)
        return false;
    if (queue_.size() + sending_.size() + line.size() + 1 > max_queued) {
        overflowed_ = true;
        close();
        return false;
    }
    queue_ += line;
    queue_ += '\n';
    if (!writing_)
        write_queue();
    return true;
}

void LineSocket::write_queue() {
    writing_ = true;
    sending_.swap(queue_);
    auto done = [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
        self->writing_ = false;
        self->sending_.clear();
        if (!error && !self->queue_.empty())
            self->write_queue();
        else if (error || self->closing_)
            self->close();
    };
    asio::async_write(socket_, asio::buffer(sending_), std::move(done));
}

void LineSocket::close_when_sent() {
    closing_ = true;
    if (!writing_)
        close();
}

void LineSocket::close() {
    boost::system::error_code ignored; // it is gone either way
    socket_.close(ignored);
}

} // namespace longcord
