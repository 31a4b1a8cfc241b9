// SPDX-License-Identifier: MIT
#include "portal/event_stream.hpp"

#include <fmt/format.h>

namespace longcord {

StreamText stream_event(std::string_view name, std::string_view data) {
    return std::make_shared<const std::string>(fmt::format("event: {}\ndata: {}\n\n", name, data));
}

void EventStream::send(StreamText text) {
    if (!open_)
        return;
    // One large text alone may go: it is what the browser asked for.
    if (!waiting_.empty() && bytes_ + text->size() > backlog)
        return close();
    bytes_ += text->size();
    waiting_.push_back(std::move(text));
    wake_.cancel();
}

void EventStream::close() {
    if (!open_)
        return;
    open_ = false;
    wake_.cancel();
    if (on_close_)
        std::exchange(on_close_, nullptr)();
}

Task<StreamText> EventStream::next() {
    if (open_ && waiting_.empty()) {
        wake_.expires_after(heartbeat);
        co_await wake_.async_wait(as_value);
    }
    if (open_ && !allowed_())
        close();
    if (!open_)
        co_return nullptr;
    if (waiting_.empty())
        co_return std::make_shared<const std::string>(": still here\n\n");
    StreamText text = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= text->size();
    co_return text;
}

} // namespace longcord
