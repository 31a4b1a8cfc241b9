// SPDX-License-Identifier: MIT
#include "discovery/announcer.hpp"

#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <fcntl.h>

namespace longcord {

void Announcer::want(Wish wish) {
    if (wish == wish_)
        return;
    wish_ = std::move(wish);
    made_.reset();
    wake_.cancel();
}

/// False: another thing is wanted by now.
Task<bool> Announcer::announce() {
    const Wish wished = wish_;
    const std::function<Result<std::shared_ptr<Announcement>>()> job = [wished] {
        return Announcement::make(wished.node, wished.port, wished.interfaces);
    };
    constexpr milliseconds deadline{15'000};
    const auto made = co_await pool_.run<std::shared_ptr<Announcement>>("discovery", deadline, job);
    if (wished != wish_)
        co_return false;
    if (made)
        made_ = *made;
    const std::string said = made ? "" : made.error().message;
    if (said != std::exchange(said_, said))
        problem_(said);
    co_return true;
}

Task<> Announcer::run() {
    for (;;) {
        bool tried = made_ || wish_.interfaces.empty();
        while (!tried)
            tried = co_await announce();
        wake_.expires_at(TimePoint::max());
        if (!made_ && !wish_.interfaces.empty())
            wake_.expires_after(retry_after);
        if (made_) {
            // Of its own: the announcement's is closed where another one is wanted meanwhile.
            asio::posix::stream_descriptor watched(loop_, ::fcntl(made_->fd(), F_DUPFD_CLOEXEC, 0));
            auto seen = [this](const boost::system::error_code& error) {
                if (!error)
                    wake_.cancel();
            };
            watched.async_wait(asio::posix::stream_descriptor::wait_read, std::move(seen));
            co_await wake_.async_wait(as_value);
        } else {
            co_await wake_.async_wait(as_value);
        }
        if (made_ && !made_->look()) {
            made_.reset();
            said_ = "gone";
        }
    }
}

} // namespace longcord
