// SPDX-License-Identifier: MIT
#include "doctor/port_checks.hpp"

#include "base/unique_fd.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

namespace longcord {

namespace {

using nlohmann::json;

struct Knock {
    std::string subject;
    std::string target; ///< "10.77.0.2, port 3240"
    UniqueFd socket;
    int error = EINPROGRESS; ///< of connect(2); 0: connected
};

void begin(Knock& knock, const std::string& address, unsigned port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    knock.error = EHOSTUNREACH;
    if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
        return;
    knock.socket.reset(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const bool done = ::connect(knock.socket.get(), found->ai_addr, found->ai_addrlen) == 0;
    knock.error = done ? 0 : errno;
    ::freeaddrinfo(found);
}

/// Null where there is none.
const json& member(const json& object, const char* key) {
    static const json none;
    if (!object.is_object())
        return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

std::vector<Knock> begin_all(const json& status) {
    std::vector<Knock> knocks;
    const json& pis = member(status, "pis");
    if (!pis.is_array())
        return knocks;
    for (const json& pi : pis) {
        const json& linked = member(pi, "linked");
        const json& name = member(pi, "name");
        const json& address = member(pi, "address");
        const json& port = member(pi, "usbip_port");
        if (!linked.is_boolean() || !linked.get<bool>() || !name.is_string() ||
            !address.is_string() || !port.is_number_unsigned())
            continue;
        Knock knock;
        knock.subject = "Pi " + name.get<std::string>();
        knock.target = fmt::format("{}, port {}", address.get<std::string>(), port.get<unsigned>());
        begin(knock, address.get<std::string>(), port.get<unsigned>());
        knocks.push_back(std::move(knock));
    }
    return knocks;
}

void finish(std::vector<Knock>& knocks, milliseconds patience) {
    const auto end = Clock::now() + patience;
    for (Knock& knock : knocks) {
        if (knock.error != EINPROGRESS)
            continue;
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        pollfd waiting{knock.socket.get(), POLLOUT, 0};
        const auto wait = std::max(left, milliseconds(0));
        socklen_t size = sizeof knock.error;
        if (::poll(&waiting, 1, static_cast<int>(wait.count())) <= 0)
            knock.error = ETIMEDOUT;
        else
            ::getsockopt(knock.socket.get(), SOL_SOCKET, SO_ERROR, &knock.error, &size);
    }
}

Finding judge(const Knock& knock) {
    if (knock.error == 0)
        return good(knock.subject, "can be reached at " + knock.target);
    if (knock.error == ECONNREFUSED)
        return bad(
            knock.subject, fmt::format("nobody listens at {}", knock.target),
            "on the Pi: longcord doctor says who has the port");
    return bad(
        knock.subject,
        fmt::format(
            "cannot be reached at {}: {}", knock.target,
            std::strerror(knock.error)), // NOLINT(concurrency-mt-unsafe): one thread
        "is it blocked by a firewall? let this node connect to it; or set address: for this Pi in "
        "host.yaml");
}

} // namespace

Findings check_pi_ports(const json& status, milliseconds patience) {
    auto knocks = begin_all(status);
    finish(knocks, patience);
    Findings findings;
    for (const Knock& knock : knocks)
        findings.push_back(judge(knock));
    return findings;
}

} // namespace longcord
