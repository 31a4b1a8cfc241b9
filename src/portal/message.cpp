// SPDX-License-Identifier: MIT
#include "portal/message.hpp"

#include "base/text.hpp"

namespace longcord {

using nlohmann::json;

static constexpr std::size_t max_target = 2'048;
static constexpr std::size_t max_query = 16; ///< pairs

/// RFC 3986, 2.1; nullopt: a percent sign that begins no byte.
static std::optional<std::string> decode_percent(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto byte =
            i + 2 < text.size() ? parse_hex(text.substr(i + 1, 2), 0xff) : std::nullopt;
        if (!byte)
            return std::nullopt;
        out += static_cast<char>(*byte);
        i += 2;
    }
    return out;
}

bool read_target(std::string_view target, PortalRequest& request) {
    if (!target.starts_with('/') || target.size() > max_target)
        return false;
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    request.query.clear();
    std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto pair = rest.substr(0, end);
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
        const auto equals = pair.find('=');
        const auto key = decode_percent(pair.substr(0, equals));
        const auto value =
            decode_percent(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
        if (!key || !value || request.query.size() >= max_query)
            return false;
        request.query[*key] = *value;
    }
    return true;
}

/// Device strings are in it: whatever is no UTF-8 is replaced.
PortalResponse json_response(const json& value, unsigned status) {
    PortalResponse response;
    response.status = status;
    response.body = std::make_shared<const std::string>(
        value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

PortalResponse error_response(unsigned status, const Error& error) {
    return json_response(
        {{"error", {{"kind", to_string(error.kind)}, {"message", error.message}}}}, status);
}

static unsigned status_of(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::invalid:
        return 400;
    case ErrorKind::refused:
        return 403;
    case ErrorKind::not_found:
        return 404;
    case ErrorKind::busy:
        return 409;
    case ErrorKind::full:
    case ErrorKind::unavailable:
        return 503;
    case ErrorKind::timeout:
    case ErrorKind::unknown:
        return 504;
    case ErrorKind::protocol:
    case ErrorKind::system:
        break;
    }
    return 502;
}

PortalResponse error_response(const Error& error) {
    return error_response(status_of(error.kind), error);
}

std::vector<std::pair<std::string, std::string>> security_headers() {
    return {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
         "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), usb=(), serial=()"},
    };
}

} // namespace longcord
