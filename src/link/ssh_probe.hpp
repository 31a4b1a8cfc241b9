// SPDX-License-Identifier: MIT
// The way to a node, step by step and without disturbing a link that is there: name, TCP, host key,
// login. No channel is opened, so nothing runs on the node: a second link of this Pi would end the
// first one. Blocking, each step with its own bound: for a worker.
#pragma once

#include "base/clock.hpp"
#include "link/ssh_session.hpp"

#include <functional>
#include <string>
#include <vector>

namespace longcord {

struct ProbeStep {
    std::string name;            ///< "name", "tcp", "host key", "login"
    Result<std::string> outcome; ///< what was found, in a few words
    milliseconds took{};
};

/// `step` hears of each as it is done. The first that fails is the last.
void probe_node(const LinkTarget& target, const std::function<void(const ProbeStep&)>& step);

} // namespace longcord
