// SPDX-License-Identifier: MIT
#include "portal/beast.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace longcord {

namespace http = boost::beast::http;

/// Empty where it is not there, or there twice: two proxies may each believe another one.
template <class Name> static std::string only(const BeastRequest& request, Name name) {
    const auto [begin, end] = request.equal_range(name);
    if (begin == end || std::next(begin) != end)
        return {};
    return std::string(begin->value());
}

static Method method_of(http::verb verb) {
    switch (verb) {
    case http::verb::get:
        return Method::get;
    case http::verb::head:
        return Method::head;
    case http::verb::post:
        return Method::post;
    default:
        return Method::other;
    }
}

Result<PortalRequest> from_beast(const BeastRequest& request) {
    PortalRequest out;
    const auto target = request.target();
    if (!read_target({target.data(), target.size()}, out))
        return fail(ErrorKind::invalid, "the request's address cannot be read");
    out.method = method_of(request.method());
    out.host = only(request, http::field::host);
    if (out.host.empty())
        return fail(ErrorKind::invalid, "the request has no Host, or more than one");
    out.origin = only(request, http::field::origin);
    if (out.origin.empty() && request.count(http::field::origin) > 0)
        out.origin = "null"; // two of them, or an empty one: from nowhere
    out.fetch_site = only(request, "Sec-Fetch-Site");
    out.content_type = only(request, http::field::content_type);
    out.cookie = only(request, http::field::cookie);
    out.csrf = only(request, "X-CSRF-Token");
    out.if_none_match = only(request, http::field::if_none_match);
    out.body = request.body();
    return out;
}

BeastResponse to_beast(const PortalResponse& answer, bool keep_alive) {
    BeastResponse response{static_cast<http::status>(answer.status), 11};
    for (const auto& [name, value] : security_headers())
        response.set(name, value);
    for (const auto& [name, value] : answer.headers)
        response.insert(name, value);
    response.set(http::field::content_type, answer.content_type);
    response.keep_alive(keep_alive);
    return response;
}

bool waits_for_go_on(const BeastRequest& request) {
    return request.version() >= 11 &&
           boost::beast::iequals(request[http::field::expect], "100-continue");
}

unsigned status_of(const boost::system::error_code& error) {
    if (error == http::error::body_limit)
        return 413;
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        return 431;
    return 400;
}

bool nobody_there(const boost::system::error_code& error) {
    return error.category() != http::make_error_code(http::error::end_of_stream).category() ||
           error == http::error::end_of_stream || error == http::error::partial_message;
}

} // namespace longcord
