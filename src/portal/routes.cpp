// SPDX-License-Identifier: MIT
#include "portal/routes.hpp"

#include "base/text.hpp"

#include <array>

namespace longcord {

using nlohmann::json;

namespace {

constexpr std::size_t max_argument = 4'096; ///< a token is the longest (docs/protocol.md)

// A join tries up to nine nodes, four addresses each; what the service takes for a test, a leave or
// a device to come to rest stands in node_test.hpp, joiner.hpp and app.hpp of the room pi.
constexpr milliseconds for_list{15'000};
constexpr milliseconds for_rest{20'000};
constexpr milliseconds for_test{90'000};
constexpr milliseconds for_leave{60'000};
constexpr milliseconds for_join{600'000};

constexpr std::array<Route, 18> routes{{
    {Method::get, "/api/session", Action::session, true},
    {Method::post, "/api/setup", Action::setup, true},
    {Method::post, "/api/login", Action::login, true},
    {Method::post, "/api/logout", Action::logout},
    {Method::post, "/api/password", Action::password},
    {Method::get, "/api/stream", Action::stream},
    {Method::get, "/api/console", Action::console, false, "console", for_list, false, false},
    {Method::get, "/api/status", Action::ask, false, "status"},
    {Method::get, "/api/events", Action::ask, false, "events"},
    {Method::get, "/api/explain", Action::ask, false, "explain", for_list, false, true},
    {Method::get, "/api/discovered", Action::ask, false, "discovered", for_list, false, false},
    {Method::post, "/api/mode", Action::tell, false, "mode", for_rest, true},
    {Method::post, "/api/detach", Action::tell, false, "detach", for_rest, true},
    {Method::post, "/api/resume", Action::tell, false, "resume", for_rest, true},
    {Method::post, "/api/test", Action::tell, false, "test", for_test, true},
    {Method::post, "/api/join", Action::tell, false, "join", for_join, true},
    {Method::post, "/api/leave", Action::tell, false, "leave", for_leave, true},
    {Method::post, "/api/serial-allow", Action::tell, false, "serial-allow", for_list, true},
}};

bool is_json(std::string_view content_type) {
    const auto type = trim(content_type.substr(0, content_type.find(';')));
    constexpr std::string_view wanted = "application/json";
    return std::equal(type.begin(), type.end(), wanted.begin(), wanted.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
    });
}

/// A browser says where a request comes from that changes something; other programs do not.
bool comes_from_elsewhere(const PortalRequest& request) {
    if (!request.fetch_site.empty() && request.fetch_site != "same-origin")
        return true;
    if (request.origin.empty())
        return false;
    const auto scheme = request.origin.find("://");
    return scheme == std::string::npos || request.origin.substr(scheme + 3) != request.host;
}

/// A stream has no end, and so nothing that HEAD could tell of it.
bool is_stream(const Route& route) {
    return route.action == Action::stream || route.action == Action::console;
}

} // namespace

RouteFound find_route(Method method, std::string_view path) {
    RouteFound found;
    for (const Route& route : routes) {
        if (route.path != path)
            continue;
        const bool reads = route.method == Method::get && !is_stream(route);
        if (method == route.method || (reads && method == Method::head))
            return {&route, {}};
        found.allowed = reads ? "GET, HEAD" : route.method == Method::get ? "GET" : "POST";
    }
    return found;
}

std::string_view cookie_name(bool tls) {
    return tls ? "__Host-longcord" : "longcord";
}

std::optional<PortalResponse> refusal(
    const PortalRequest& request, const Route& route, Sessions& sessions, TimePoint now,
    const Session*& session) {
    session = sessions.find(cookie_value(request.cookie, cookie_name(request.tls)), now);
    const bool changes = route.method == Method::post;
    if (changes && comes_from_elsewhere(request))
        return error_response(
            403, fail(ErrorKind::refused, "this comes from a page of another site"));
    if (changes && !is_json(request.content_type))
        return error_response(
            415, fail(ErrorKind::invalid, "the body must be of the type application/json"));
    if (route.open)
        return std::nullopt;
    if (!session)
        return error_response(401, fail(ErrorKind::refused, "log in first"));
    if (changes && !equal_secrets(request.csrf, session->csrf))
        return error_response(
            403, fail(ErrorKind::refused, "the header X-CSRF-Token is not this session's"));
    return std::nullopt;
}

std::optional<PortalResponse> refusal_of_role(const Route& route, bool on_node) {
    if (on_node && route.changes_pi)
        return error_response(
            403, fail(ErrorKind::refused, "the portal of a node only shows; use the command line"));
    if (route.on_node.value_or(on_node) != on_node)
        return error_response(
            404,
            fail(
                ErrorKind::not_found, "{}: this is the portal of a {}, which has no such thing",
                route.path, on_node ? "node" : "Pi"));
    return std::nullopt;
}

Result<json> query_arguments(const PortalRequest& request) {
    json args = json::object();
    for (const auto& [key, value] : request.query) {
        if (key != "since" && key != "limit") {
            args[key] = value;
            continue;
        }
        const auto number = parse_decimal(value);
        if (!number)
            return fail(ErrorKind::invalid, "\"{}\" is no number", key);
        args[key] = *number;
    }
    return args;
}

Result<json> read_arguments(std::string_view body) {
    const json value = json::parse(body, nullptr, false);
    if (!value.is_object())
        return fail(ErrorKind::invalid, "the body is no JSON object");
    constexpr std::array texts{"place",    "mode", "id",   "serial", "node",   "token",
                               "password", "new",  "code", "name",   "address"};
    constexpr std::array switches{"all", "remove"};
    json out = json::object();
    for (const char* key : texts) {
        const auto found = value.find(key);
        if (found == value.end())
            continue;
        if (!found->is_string() || found->get_ref<const std::string&>().size() > max_argument)
            return fail(
                ErrorKind::invalid, "\"{}\" is no text of at most {} bytes", key, max_argument);
        out[key] = *found;
    }
    for (const char* key : switches) {
        const auto found = value.find(key);
        if (found == value.end())
            continue;
        if (!found->is_boolean())
            return fail(ErrorKind::invalid, "\"{}\" is neither true nor false", key);
        out[key] = *found;
    }
    return out;
}

} // namespace longcord
