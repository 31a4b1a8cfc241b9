// SPDX-License-Identifier: MIT
#include "host/open_requests.hpp"

namespace longcord {

std::string busy_text(const Busy& message) {
    return message.vmid ? fmt::format("{} has it for VM {}", message.node, *message.vmid)
                        : fmt::format("{} has it", message.node);
}

OpenRequests::RequestPtr OpenRequests::begin(const std::string& pi, std::string what) {
    auto request = std::make_shared<Request>(loop_);
    request->n = ++last_;
    request->pi = pi;
    request->what = std::move(what);
    request->timer.expires_after(answer_limit);
    waiting_.emplace(request->n, request);
    return request;
}

OpenRequests::RequestPtr OpenRequests::ask(
    const Place& place, unsigned vmid, const StreamSecret& secret) {
    auto request = begin(place.pi, place.to_string());
    request->place = place;
    send_(place.pi, Open{request->n, place.busid(), vmid, secret});
    return request;
}

OpenRequests::RequestPtr OpenRequests::ask_serial(
    const std::string& pi, const std::string& port, const std::string& client,
    const StreamSecret& secret) {
    auto request = begin(pi, fmt::format("serial port {}/{}", pi, port));
    send_(pi, OpenSerial{request->n, port, client, secret});
    return request;
}

Task<Result<>> OpenRequests::answer(RequestPtr request) {
    if (!request->answer)
        co_await request->timer.async_wait(as_value);
    waiting_.erase(request->n);
    if (request->answer)
        co_return *request->answer;
    co_return fail(
        ErrorKind::timeout, "{}: its Pi has not answered \"open\" in {} ms", request->what,
        answer_limit.count());
}

void OpenRequests::close(const Place& place) {
    send_(place.pi, Close{place.busid()});
}

std::optional<Place> OpenRequests::opened(const std::string& pi, const Opened& message) {
    return settle(pi, message.n, Result<>());
}

std::optional<Place> OpenRequests::refused(const std::string& pi, const OpenRefused& message) {
    return settle(
        pi, message.n, fail(ErrorKind::unavailable, "Pi {} refuses: {}", pi, message.why));
}

std::optional<Place> OpenRequests::busy(const std::string& pi, const Busy& message) {
    return settle(pi, message.n, fail(ErrorKind::busy, "{}", busy_text(message)));
}

void OpenRequests::lost(const std::string& pi) {
    for (auto request = waiting_.begin(); request != waiting_.end();) {
        const auto next = std::next(request);
        if (request->second->pi == pi)
            settle(
                pi, request->first,
                fail(ErrorKind::unavailable, "Pi {}: its link went down meanwhile", pi));
        request = next;
    }
}

/// A Pi can answer what it was asked, and nothing else.
std::optional<Place> OpenRequests::settle(const std::string& pi, std::uint64_t n, Result<> answer) {
    const auto found = waiting_.find(n);
    if (found == waiting_.end() || found->second->pi != pi)
        return std::nullopt;
    const RequestPtr request = found->second;
    waiting_.erase(found);
    request->answer = std::move(answer);
    request->timer.cancel();
    return request->place;
}

} // namespace longcord
