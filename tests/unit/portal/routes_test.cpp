// SPDX-License-Identifier: MIT
#include "portal/routes.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using nlohmann::json;

namespace {

constexpr TimePoint now{};

/// A browser that is logged in.
struct World {
    Sessions sessions;
    Sessions::New made = sessions.begin({1}, {2}, now);
    PortalRequest request;

    World() {
        request.method = Method::post;
        request.path = "/api/mode";
        request.host = "pi:8080";
        request.origin = "http://pi:8080";
        request.content_type = "application/json";
        request.cookie = "longcord=" + made.token;
        request.csrf = made.csrf;
    }
    /// 0: it may pass.
    unsigned status() {
        const auto found = find_route(request.method, request.path);
        REQUIRE(found.route);
        const Session* session = nullptr;
        const auto refused = refusal(request, *found.route, sessions, now, session);
        return refused ? refused->status : 0;
    }
};

std::string kind_of(const PortalResponse& response) {
    return json::parse(*response.body)["error"]["kind"].get<std::string>();
}

} // namespace

TEST_CASE("nothing that changes anything is done by GET") {
    for (const char* path :
         {"/api/mode", "/api/detach", "/api/resume", "/api/test", "/api/join", "/api/leave",
          "/api/setup", "/api/login", "/api/logout", "/api/password", "/api/serial-allow"}) {
        CHECK(!find_route(Method::get, path).route);
        CHECK(!find_route(Method::head, path).route);
        CHECK(find_route(Method::get, path).allowed == "POST");
        CHECK(find_route(Method::post, path).route);
    }
    CHECK(find_route(Method::post, "/api/status").allowed == "GET, HEAD");
    CHECK(find_route(Method::other, "/api/status").allowed == "GET, HEAD");
    for (const char* stream : {"/api/stream", "/api/console"})
        for (const Method method : {Method::head, Method::post})
            CHECK(find_route(method, stream).allowed == "GET"); // it has no end, and no head alone
    CHECK(find_route(Method::get, "/api/nothing").allowed.empty());
    CHECK(!find_route(Method::get, "/api/status/").route);
}

TEST_CASE("a request of the page itself may pass") {
    World world;
    CHECK(world.status() == 0);
    world.request.content_type = "Application/JSON; charset=utf-8";
    CHECK(world.status() == 0);
    world.request.origin.clear(); // no browser
    CHECK(world.status() == 0);
}

TEST_CASE("without a session everything but the way to one is refused") {
    World world;
    world.request.cookie = "longcord=" + std::string(43, 'A');
    CHECK(world.status() == 401);
    world.request.cookie.clear();
    CHECK(world.status() == 401);
    world.request.path = "/api/login";
    CHECK(world.status() == 0);
    world.request.method = Method::get;
    for (const char* path :
         {"/api/status", "/api/events", "/api/stream", "/api/console", "/api/explain",
          "/api/discovered"}) {
        world.request.path = path;
        CHECK(world.status() == 401);
    }
    world.request.path = "/api/session";
    CHECK(world.status() == 0);
}

TEST_CASE("a page of another site changes nothing, also not by logging in") {
    for (const char* path : {"/api/mode", "/api/login", "/api/setup"})
        for (const char* origin :
             {"http://evil.example", "null", "http://pi", "http://pi:8081",
              "https://pi:8080.evil.example", "pi:8080"}) {
            World world;
            world.request.path = path;
            world.request.origin = origin;
            CHECK(world.status() == 403);
        }
    World world;
    world.request.origin.clear();
    for (const char* site : {"cross-site", "same-site", "none"}) {
        world.request.fetch_site = site;
        CHECK(world.status() == 403);
    }
    world.request.origin = "http://pi:8080"; // it may not contradict the other
    CHECK(world.status() == 403);
    world.request.fetch_site = "same-origin";
    CHECK(world.status() == 0);
}

TEST_CASE("the CSRF token must be this session's") {
    World world;
    const auto other = world.sessions.begin({3}, {4}, now);
    for (const std::string& csrf : {std::string(), other.csrf, world.made.token}) {
        world.request.csrf = csrf;
        CHECK(world.status() == 403);
    }
}

TEST_CASE("a form of HTML sends no JSON") {
    World world;
    for (const char* type :
         {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
          "application/jsonx"}) {
        world.request.content_type = type;
        CHECK(world.status() == 415);
    }
}

TEST_CASE("by TLS the cookie has another name, so that one from http is none") {
    World world;
    world.request.tls = true;
    CHECK(world.status() == 401);
    world.request.cookie = "__Host-longcord=" + world.made.token;
    CHECK(world.status() == 0);
}

TEST_CASE("arguments have their types and lengths; what nobody knows is left out") {
    const auto args = read_arguments(R"({"place":"1-1.2","mode":"off","all":true,"evil":{"a":1}})");
    REQUIRE(args.has_value());
    CHECK(*args == json{{"place", "1-1.2"}, {"mode", "off"}, {"all", true}});
    for (const char* bad :
         {"", "[]", "\"x\"", "{", "{\"place\":7}", "{\"all\":\"yes\"}", "{\"token\":null}",
          "{\"place\":{\"a\":1}}", "{\"address\":7}", "{\"remove\":1}"}) {
        const auto refused = read_arguments(bad);
        REQUIRE(!refused);
        CHECK(refused.error().kind == ErrorKind::invalid);
    }
    CHECK(read_arguments(json{{"token", std::string(4096, 'x')}}.dump()).has_value());
    CHECK(!read_arguments(json{{"token", std::string(4097, 'x')}}.dump()));
}

TEST_CASE("a Pi and a node have each what is theirs, and a node's portal changes nothing there") {
    const auto status = [](Method method, const char* path, bool on_node) {
        const auto refused = refusal_of_role(*find_route(method, path).route, on_node);
        return refused ? refused->status : 0;
    };
    for (const char* path :
         {"/api/mode", "/api/detach", "/api/resume", "/api/test", "/api/join", "/api/leave",
          "/api/serial-allow"}) {
        CHECK(status(Method::post, path, true) == 403);
        CHECK(status(Method::post, path, false) == 0);
    }
    for (const bool on_node : {false, true}) {
        CHECK(status(Method::get, "/api/status", on_node) == 0);
        CHECK(status(Method::post, "/api/password", on_node) == 0);
        CHECK(status(Method::get, "/api/explain", on_node) == (on_node ? 0 : 404));
        CHECK(status(Method::get, "/api/console", on_node) == (on_node ? 404 : 0));
        CHECK(status(Method::get, "/api/discovered", on_node) == (on_node ? 404 : 0));
    }
}

TEST_CASE("numbers of a question are numbers, and the rest is text") {
    PortalRequest request;
    request.query = {{"since", "7"}, {"limit", "0"}, {"place", "7"}};
    CHECK(*query_arguments(request) == json{{"since", 7}, {"limit", 0}, {"place", "7"}});
    for (const char* bad : {"", "x", "-1", "1.5", "99999999999"}) {
        request.query = {{"since", bad}};
        REQUIRE(!query_arguments(request));
        CHECK(query_arguments(request).error().kind == ErrorKind::invalid);
    }
}

TEST_CASE("however deep a body is, it is refused or read") {
    for (const std::string& open : {std::string("["), std::string("{\"place\":")}) {
        std::string deep;
        while (deep.size() < 60'000)
            deep += open;
        CHECK(!read_arguments(deep));
    }
    std::string closed = "{\"evil\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}";
    CHECK(*read_arguments(closed) == json::object());
    closed.replace(2, 4, "code");
    CHECK(!read_arguments(closed));
    CHECK(read_arguments(R"({"place":"1-1","place":"1-2"})")->at("place") == "1-2");
}

TEST_CASE("an address is path and arguments") {
    PortalRequest request;
    REQUIRE(read_target("/api/events?since=7&limit=10", request));
    CHECK(request.path == "/api/events");
    CHECK(request.query == std::map<std::string, std::string>{{"since", "7"}, {"limit", "10"}});
    REQUIRE(read_target("/api/console?name=1-1.2%3A1.1&x", request));
    CHECK(request.query["name"] == "1-1.2:1.1");
    CHECK(request.query["x"].empty());
    for (const std::string& bad :
         {std::string(), std::string("http://x/"), std::string("*"), std::string("/?a=%"),
          std::string("/?a=%zz"), "/" + std::string(2048, 'x'), "/?" + std::string(17, '&') + "a"})
        if (bad.find("&&") == std::string::npos)
            CHECK(!read_target(bad, request));
    CHECK(read_target("/" + std::string(2047, 'x'), request));
}

TEST_CASE("an error is JSON with the status that fits") {
    CHECK(error_response(fail(ErrorKind::invalid, "x")).status == 400);
    CHECK(error_response(fail(ErrorKind::refused, "x")).status == 403);
    CHECK(error_response(fail(ErrorKind::not_found, "x")).status == 404);
    CHECK(error_response(fail(ErrorKind::busy, "x")).status == 409);
    CHECK(error_response(fail(ErrorKind::unavailable, "x")).status == 503);
    CHECK(error_response(fail(ErrorKind::timeout, "x")).status == 504);
    const auto response = error_response(fail(ErrorKind::system, "\xff <b>"));
    CHECK(response.status == 502);
    CHECK(response.content_type == "application/json");
    CHECK(kind_of(response) == "system");
}

TEST_CASE("no script, style or frame of another site, and none that is written into the page") {
    const auto headers = security_headers();
    const auto policy = headers.front();
    CHECK(policy.first == "Content-Security-Policy");
    CHECK(policy.second.find("default-src 'none'") != std::string::npos);
    CHECK(policy.second.find("frame-ancestors 'none'") != std::string::npos);
    CHECK(policy.second.find("unsafe") == std::string::npos);
    CHECK(policy.second.find('*') == std::string::npos);
}
