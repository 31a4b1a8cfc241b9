// SPDX-License-Identifier: MIT
#include "portal/live.hpp"

#include "base/spawn.hpp"

#include <spdlog/spdlog.h>

namespace longcord {

using nlohmann::json;

static std::string text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Live::Live(asio::io_context& loop, std::filesystem::path socket)
    : loop_(loop), link_(
                       loop, std::move(socket),
                       {[this](json events) {
                            events_.assign(events.begin(), events.end());
                            problem_.reset();
                            spdlog::info("the service answers");
                            tell(stream_event("history", text_of(events)));
                            look_soon();
                        },
                        [this](json event) {
                            tell(stream_event("happened", text_of(event)));
                            events_.push_back(std::move(event));
                            if (events_.size() > ControlLink::history)
                                events_.pop_front();
                            look_soon();
                        },
                        [this] { look_soon(); }, [this](const Error& why) { down(why); }}),
      wake_(loop) {}

void Live::down(const Error& why) {
    const auto text =
        stream_event("down", text_of({{"kind", to_string(why.kind)}, {"message", why.message}}));
    if (problem_ && *problem_ == *text)
        return;
    spdlog::warn("{}", why.message);
    problem_ = text;
    status_.reset();
    tell(text);
}

void Live::look_soon() {
    changed_ = true;
    wake_.cancel();
}

Task<> Live::watch() {
    for (;;) {
        if (!changed_) {
            wake_.expires_after(look_again);
            co_await wake_.async_wait(as_value);
        }
        drop_closed();
        const bool anybody = !pages_.empty();
        if (problem_ || !anybody) {
            changed_ = false;
            status_.reset(); // it is asked for when somebody looks
            continue;
        }
        co_await sleep_for(gather);
        changed_ = false;
        constexpr milliseconds wait{15'000};
        auto status = co_await link_.call("status", json::object(), wait);
        if (!status) {
            co_await sleep_for(ControlLink::retry_after);
            changed_ = !problem_;
            continue;
        }
        auto text = stream_event("status", text_of(*status));
        if (status_ && *status_ == *text)
            continue;
        status_ = std::move(text);
        tell(status_);
    }
}

Result<std::shared_ptr<EventStream>> Live::open(std::function<bool()> allowed) {
    drop_closed();
    if (streams_.size() >= max_streams)
        return fail(
            ErrorKind::full, "{} pages and consoles are open already; close one", max_streams);
    auto stream = std::make_shared<EventStream>(loop_, std::move(allowed));
    streams_.push_back(stream);
    return stream;
}

void Live::join(const std::shared_ptr<EventStream>& stream) {
    stream->send(stream_event("history", text_of(json(events_))));
    if (problem_)
        stream->send(problem_);
    if (status_)
        stream->send(status_);
    pages_.push_back(stream);
    look_soon();
}

void Live::close_those_not_allowed() {
    const auto streams = streams_;
    for (const auto& stream : streams)
        stream->close_if_not_allowed();
    drop_closed();
}

void Live::drop_closed() {
    const auto closed = [](const auto& stream) { return !stream->open(); };
    std::erase_if(streams_, closed);
    std::erase_if(pages_, closed);
}

void Live::tell(const StreamText& text) {
    for (const auto& page : pages_)
        page->send(text);
}

} // namespace longcord
