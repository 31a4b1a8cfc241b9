// SPDX-License-Identifier: MIT
#include "portal/api.hpp"

#include "base/spawn.hpp"
#include "base/text.hpp"

#include <spdlog/spdlog.h>

#include <sys/random.h>

namespace longcord {

using nlohmann::json;

namespace {

Result<Sessions::Random> random_bytes() {
    Sessions::Random bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        return fail_errno(errno, "getrandom");
    return bytes;
}

std::string cookie(const PortalRequest& request, std::string_view token, bool ends) {
    return fmt::format(
        "{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", cookie_name(request.tls), token,
        request.tls ? "; Secure" : "", ends ? "; Max-Age=0" : "");
}

std::string text_of(const json& args, const char* key) {
    const auto found = args.find(key);
    return found == args.end() ? std::string() : found->get<std::string>();
}

} // namespace

std::string PortalApi::token_of(const PortalRequest& request) const {
    return cookie_value(request.cookie, cookie_name(request.tls));
}

/// One at a time, since each takes a processor for a while. The others wait for their turn: a setup
/// code is used up by then.
Task<Result<>> PortalApi::hash(std::function<Result<>()> job) {
    const TimePoint last = Clock::now() + hash_deadline;
    while (pool_.in_flight("password") && Clock::now() < last)
        co_await sleep_for(turn);
    const auto done = co_await pool_.run("password", hash_deadline, std::move(job));
    if (!done && done.error().kind == ErrorKind::busy)
        co_return fail(ErrorKind::busy, "somebody else is logging in; try again");
    co_return done;
}

PortalResponse PortalApi::session(const PortalRequest& request) {
    const Session* session = sessions_.find(token_of(request), Clock::now());
    const char* state = session ? "ready" : password_.is_set() ? "login" : "setup";
    return json_response(
        {{"state", state},
         {"csrf", session ? json(session->csrf) : json()},
         {"role", on_node_ ? "host" : "pi"},
         {"version", LONGCORD_VERSION}});
}

PortalResponse PortalApi::welcome(const PortalRequest& request) {
    const auto token = random_bytes();
    const auto csrf = random_bytes();
    if (!token || !csrf)
        return error_response(token ? csrf.error() : token.error());
    sessions_.end(token_of(request));
    const auto made = sessions_.begin(*token, *csrf, Clock::now());
    auto response = json_response({{"state", "ready"}, {"csrf", made.csrf}});
    response.headers.emplace_back("Set-Cookie", cookie(request, made.token, false));
    return response;
}

std::optional<PortalResponse> PortalApi::too_often(const PortalRequest& request) {
    const auto wait = limit_.take(limited_address(request.address), Clock::now());
    if (!wait)
        return std::nullopt;
    auto response = error_response(
        429,
        fail(ErrorKind::busy, "too many tries; the next one is possible in {} s", wait->count()));
    response.headers.emplace_back("Retry-After", std::to_string(wait->count()));
    return response;
}

Task<PortalResponse> PortalApi::set_up(PortalRequest request, json args) {
    const std::string password = text_of(args, "password");
    if (const auto good = check_password(password); !good)
        co_return error_response(good.error());
    if (auto refused = too_often(request))
        co_return std::move(*refused);
    json code{{"code", text_of(args, "code")}};
    constexpr milliseconds wait{15'000};
    const auto good = co_await live_.link().call("portal-code-use", std::move(code), wait);
    if (!good) {
        // There is no such code: that is no wrong path.
        const bool none = good.error().kind == ErrorKind::not_found;
        co_return none ? error_response(403, good.error()) : error_response(good.error());
    }
    std::function<Result<>()> job = [file = password_, password] { return file.set(password); };
    const auto set = co_await hash(std::move(job));
    if (!set)
        co_return error_response(set.error());
    spdlog::info("{}: set the password with a setup code", request.address);
    limit_.forget(limited_address(request.address));
    sessions_.end_all(); // whoever knew the old one
    live_.close_those_not_allowed();
    co_return welcome(request);
}

Task<PortalResponse> PortalApi::log_in(PortalRequest request, json args) {
    if (!password_.is_set())
        co_return error_response(
            409, fail(
                     ErrorKind::not_found,
                     "no password is set: run \"longcord portal-code\" on this machine, as root"));
    if (auto refused = too_often(request))
        co_return std::move(*refused);
    const std::string password = text_of(args, "password");
    std::function<Result<>()> job = [file = password_, password] { return file.verify(password); };
    const auto good = co_await hash(std::move(job));
    if (!good) {
        spdlog::warn("{}: login: {}", request.address, good.error().message);
        const bool wrong = good.error().kind == ErrorKind::refused;
        co_return wrong ? error_response(401, good.error()) : error_response(good.error());
    }
    limit_.forget(limited_address(request.address));
    spdlog::info("{}: logged in", request.address);
    co_return welcome(request);
}

Task<PortalResponse> PortalApi::change_password(PortalRequest request, json args) {
    const std::string wanted = text_of(args, "new");
    if (const auto good = check_password(wanted); !good)
        co_return error_response(good.error());
    if (auto refused = too_often(request))
        co_return std::move(*refused);
    const std::string password = text_of(args, "password");
    std::function<Result<>()> job = [file = password_, password, wanted]() -> Result<> {
        if (auto good = file.verify(password); !good)
            return good;
        return file.set(wanted);
    };
    const auto done = co_await hash(std::move(job));
    if (!done)
        co_return error_response(done.error());
    spdlog::info("{}: changed the password", request.address);
    limit_.forget(limited_address(request.address));
    sessions_.end_all();
    live_.close_those_not_allowed();
    co_return welcome(request);
}

Task<PortalResponse> PortalApi::ask(const Route* route, json args) {
    const auto reply =
        co_await live_.link().call(std::string(route->verb), std::move(args), route->longest);
    if (!reply)
        co_return error_response(reply.error());
    co_return json_response(*reply);
}

Task<PortalResponse> PortalApi::open_stream(PortalRequest request, bool console) {
    std::function<bool()> allowed = [this, token = token_of(request)] {
        return sessions_.is_alive(token, Clock::now());
    };
    const auto stream = live_.open(std::move(allowed));
    if (!stream)
        co_return error_response(stream.error());
    if (console) {
        const auto name = request.query.find("name");
        std::string port = name == request.query.end() ? "" : name->second;
        const auto begun = co_await live_.link().console(std::move(port), *stream);
        if (!begun) {
            (*stream)->close();
            co_return error_response(begun.error());
        }
        (*stream)->send(stream_event("begins", begun->dump()));
    } else {
        live_.join(*stream);
    }
    PortalResponse response;
    response.content_type = "text/event-stream";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.stream = *stream;
    co_return response;
}

Task<PortalResponse> PortalApi::answer(PortalRequest request) {
    if (!names_.has(request.host))
        co_return error_response(
            421, fail(
                     ErrorKind::refused,
                     "this portal does not know itself as {}; if that is its name, add it to "
                     "\"names\" in portal.yaml",
                     printable(request.host)));
    const auto found = find_route(request.method, request.path);
    if (!found.route && !found.allowed.empty()) {
        auto response = error_response(
            405, fail(ErrorKind::invalid, "{}: not by this method", printable(request.path)));
        response.headers.emplace_back("Allow", found.allowed);
        co_return response;
    }
    const bool reads = request.method == Method::get || request.method == Method::head;
    if (!found.route && web_.has(request.path)) {
        if (reads)
            co_return web_.answer(request);
        auto response =
            error_response(405, fail(ErrorKind::invalid, "this is only there to be read"));
        response.headers.emplace_back("Allow", "GET, HEAD");
        co_return response;
    }
    if (!found.route)
        co_return error_response(
            404, fail(ErrorKind::not_found, "{}: there is no such thing", printable(request.path)));
    const Session* session = nullptr;
    if (auto refused = refusal(request, *found.route, sessions_, Clock::now(), session))
        co_return std::move(*refused);
    if (auto refused = refusal_of_role(*found.route, on_node_))
        co_return std::move(*refused);
    const bool tells = request.method == Method::post;
    auto read = tells ? read_arguments(request.body) : query_arguments(request);
    if (!read)
        co_return error_response(read.error());
    json args = std::move(*read);
    PortalResponse response;
    switch (found.route->action) {
    case Action::session:
        response = this->session(request);
        break;
    case Action::setup:
        response = co_await set_up(std::move(request), std::move(args));
        break;
    case Action::login:
        response = co_await log_in(std::move(request), std::move(args));
        break;
    case Action::logout:
        sessions_.end(token_of(request));
        live_.close_those_not_allowed();
        response = json_response({{"state", "login"}});
        response.headers.emplace_back("Set-Cookie", cookie(request, "", true));
        break;
    case Action::password:
        response = co_await change_password(std::move(request), std::move(args));
        break;
    case Action::stream:
    case Action::console: {
        const bool console = found.route->action == Action::console;
        response = co_await open_stream(std::move(request), console);
        break;
    }
    case Action::ask:
    case Action::tell:
        response = co_await ask(found.route, std::move(args));
        break;
    }
    co_return response;
}

} // namespace longcord
