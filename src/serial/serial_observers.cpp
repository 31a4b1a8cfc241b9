// SPDX-License-Identifier: MIT
// Those who read along: what the device says, and nothing of what they say.
#include "base/spawn.hpp"
#include "serial/serial_server.hpp"

namespace longcord {

Task<> SerialServer::greet_observer(Self self, ClientPtr client) {
    if (observers_.size() >= max_serial_observers) {
        const std::string why =
            fmt::format("{} observers read along already, which is the limit", observers_.size());
        turn_away(client, why);
        event("serial-busy", client->address().to_string(), client->name() + ": " + why);
        co_return;
    }
    const auto observer = std::make_shared<Observer>(Observer{
        client,
        ClientTalk(
            fmt::format("longcord {} {} (read only)", LONGCORD_VERSION, options_.name),
            device_->settings(), device_->resting_lines()),
        0});
    observers_.insert(observer);
    event("serial-observer", client->address().to_string(), client->name() + " reads along");
    std::vector<char> buffer(4096);
    while (!stopped_) {
        const auto [error, n] =
            co_await client->socket().async_read_some(asio::buffer(buffer), as_value);
        // One that asks and never reads its answers goes.
        if (error || client->pending() > 2 * SerialClient::high)
            break;
        char* in = buffer.data();
        std::size_t size = n;
        while (const auto spoken = observer->talk.next(in, size)) {
            if (spoken->kind == Spoken::Kind::reply)
                client->send(spoken->reply);
            else if (spoken->kind == Spoken::Kind::command)
                client->send(observer->talk.finish(device_->settings()));
        }
        if (observer->talk.waits())
            observer->talk.give_up();
    }
    client->close();
    observers_.erase(observer);
    event("serial-observer-left", client->address().to_string(), client->name() + " has left");
    (void)self;
}

/// Who reads too slowly misses something, and is told how much.
void SerialServer::to_observer(Observer& observer, std::string_view bytes) {
    if (observer.client->pending() + bytes.size() > SerialClient::high) {
        observer.skipped += bytes.size();
        return;
    }
    if (observer.skipped > 0)
        observer.client->send(fmt::format(
            "\r\n[longcord: {} bytes are missing here: read too slowly]\r\n",
            std::exchange(observer.skipped, 0)));
    observer.client->send(observer.talk.encode(bytes, spare_));
}

} // namespace longcord
