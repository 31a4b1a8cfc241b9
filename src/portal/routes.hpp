// SPDX-License-Identifier: MIT
// What there is below /api/, in one table, and who may have it. docs/portal-api.md tells the same.
#pragma once

#include "portal/message.hpp"
#include "portal/sessions.hpp"

#include <optional>
#include <string_view>

namespace longcord {

enum class Action {
    session,
    setup,
    login,
    logout,
    password,
    stream,
    console,
    ask,  ///< a question to the service, by its verb
    tell, ///< something that changes: the same, with a body
};

struct Route {
    Method method;
    std::string_view path;
    Action action;
    bool open = false;             ///< without being logged in
    std::string_view verb{};       ///< of the control socket
    milliseconds longest{15'000};  ///< that the service may take
    bool changes_pi = false;       ///< nothing of this on a node: the portal only shows there
    std::optional<bool> on_node{}; ///< there is such a thing on a node, or a Pi, alone
};

struct RouteFound {
    const Route* route = nullptr; ///< nullptr: none, and `allowed` says which method there is
    std::string allowed{};        ///< empty: nothing is at this path
};
RouteFound find_route(Method method, std::string_view path);

/// The cookie's name. The browser itself keeps others from setting one that begins with __Host-.
std::string_view cookie_name(bool tls);

/// What keeps this request from its route: a method, another site's page, no session, no CSRF
/// token, no JSON. nullopt: nothing. Sets `session` where there is one.
std::optional<PortalResponse> refusal(
    const PortalRequest& request, const Route& route, Sessions& sessions, TimePoint now,
    const Session*& session);

/// What keeps this route from a portal of this kind. nullopt: nothing.
std::optional<PortalResponse> refusal_of_role(const Route& route, bool on_node);

/// A question has its arguments in its address. ErrorKind::invalid: "since" or "limit" is no
/// number.
Result<nlohmann::json> query_arguments(const PortalRequest& request);

/// The body's members that the service's verbs know, each of its type; others are left out.
/// ErrorKind::invalid: it is no JSON object, or one of these is of another type or too long.
Result<nlohmann::json> read_arguments(std::string_view body);

} // namespace longcord
