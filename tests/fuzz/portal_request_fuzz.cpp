// SPDX-License-Identifier: MIT
// What any machine of the network can send to the portal: bytes of HTTP, through the parser with
// its bounds, to the route, the gate and the arguments. Whatever comes, nothing passes the gate
// that has no session, and every refusal is an answer.
#include "must.hpp"
#include "portal/beast.hpp"
#include "portal/login_limit.hpp"
#include "portal/own_names.hpp"
#include "portal/routes.hpp"

#include <boost/beast/http/parser.hpp>

using namespace longcord;
namespace http = boost::beast::http;

static void judge(const PortalRequest& request) {
    Sessions sessions;
    const auto made = sessions.begin({1}, {2}, TimePoint{});
    const auto found = find_route(request.method, request.path);
    limited_address(request.host);
    static_cast<void>(OwnNames({"pi.example.org"}).has(request.host));
    static_cast<void>(read_arguments(request.body));
    static_cast<void>(query_arguments(request));
    if (!found.route)
        return;
    const Session* session = nullptr;
    const auto refused = refusal(request, *found.route, sessions, TimePoint{}, session);
    must(
        request.cookie.find(made.token) != std::string::npos || !session,
        "nobody guesses 32 bytes");
    must(refused || session || found.route->open, "without a session only what is open passes");
    if (refused)
        must(
            refused->status >= 400 && refused->body && !refused->body->empty(),
            "a refusal is an answer");
    if (!refused && found.route->method == Method::post)
        must(
            request.method == Method::post && !request.content_type.empty(),
            "what changes something is a POST with JSON");
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(8 * 1024);
    parser.body_limit(64 * 1024);
    parser.eager(true);
    boost::system::error_code error;
    std::size_t used = 0;
    while (!error && used < size && !parser.is_done()) {
        const auto n = parser.put(boost::asio::buffer(data + used, size - used), error);
        if (n == 0)
            break;
        used += n;
    }
    if (parser.is_done()) {
        const auto request = from_beast(parser.get());
        if (request)
            judge(*request);
    }
    PortalRequest request;
    static_cast<void>(read_target({reinterpret_cast<const char*>(data), size}, request));
    static_cast<void>(cookie_value({reinterpret_cast<const char*>(data), size}, "longcord"));
    return 0;
}
