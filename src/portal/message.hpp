// SPDX-License-Identifier: MIT
// A request of a browser and what it gets, without a word of the library that carries them: so that
// everything that judges and answers is plain functions over plain values.
#pragma once

#include "base/error.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace longcord {

class EventStream;

enum class Method { get, head, post, other };

struct PortalRequest {
    Method method = Method::other;
    std::string path; ///< as it was sent; nothing in it is decoded
    std::map<std::string, std::string> query;
    // Headers; empty where there is none. One that was sent twice is no header that is trusted.
    std::string host;
    std::string origin;
    std::string fetch_site; ///< Sec-Fetch-Site
    std::string content_type;
    std::string cookie;
    std::string csrf; ///< X-CSRF-Token
    std::string if_none_match;
    std::string body;
    std::string address; ///< the client's, without its port
    bool tls = false;
};

struct PortalResponse {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::shared_ptr<const std::string> body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::shared_ptr<EventStream> stream; ///< it never ends by itself: no body
};

/// Fills path and query of "/api/events?since=7&limit=10". False: it is no target of ours.
bool read_target(std::string_view target, PortalRequest& request);

PortalResponse json_response(const nlohmann::json& value, unsigned status = 200);
/// {"error":{"kind":"refused","message":"..."}}
PortalResponse error_response(unsigned status, const Error& error);
/// With the status that fits the kind.
PortalResponse error_response(const Error& error);

/// What every response says to the browser: no script, style or picture from elsewhere, no frame
/// around it, no guessing of types.
std::vector<std::pair<std::string, std::string>> security_headers();

} // namespace longcord
