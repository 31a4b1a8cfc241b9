// SPDX-License-Identifier: MIT
// A session without a socket, against a VM without QEMU.
#pragma once

#include "fake_vm.hpp"
#include "qmp/session.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace longcord::test {

inline std::vector<nlohmann::json> commands_in(std::string_view bytes) {
    JsonFramer framer;
    framer.feed(bytes);
    std::vector<nlohmann::json> all;
    for (auto value = framer.next(); value && *value; value = framer.next())
        all.push_back(nlohmann::json::parse(**value));
    return all;
}

/// What QEMU sends for what it was sent.
using Transform = std::function<std::string(std::vector<std::string> replies)>;

inline std::string joined(const std::vector<std::string>& replies) {
    std::string all;
    for (const auto& reply : replies)
        all += reply;
    return all;
}

/// Runs the session until it is done, or waits for bytes that `vm` will not send.
inline SessionAction drive(Session& session, FakeVm& vm, const Transform& transform = joined) {
    session.resume(Connected{});
    SessionAction action = session.resume(BytesRead{FakeVm::greeting});
    while (action.kind == SessionAction::Kind::write) {
        std::vector<std::string> replies;
        for (const auto& command : commands_in(action.bytes))
            replies.push_back(vm.reply(command));
        CHECK(session.resume(Written{}).kind == SessionAction::Kind::read);
        const std::string sent = transform(std::move(replies));
        action = session.resume(BytesRead{sent});
    }
    return action;
}

} // namespace longcord::test
