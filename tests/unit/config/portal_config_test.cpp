// SPDX-License-Identifier: MIT
#include "config/portal_config.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static Result<PortalConfig> parse(std::string_view text) {
    return parse_portal_config(text, "portal.yaml");
}

TEST_CASE("an empty portal.yaml is every address, port 8080, without TLS") {
    const auto config = parse("");
    REQUIRE(config.has_value());
    CHECK(*config == PortalConfig{});
    CHECK(config->listen == std::vector<Address>{{"::", 8080}});
}

TEST_CASE("listen has addresses with or without a port") {
    const auto config = parse("listen: [ 127.0.0.1, '192.168.1.5:80', '[fd00::5]:8443', '::1' ]\n");
    REQUIRE(config.has_value());
    CHECK(
        config->listen ==
        std::vector<Address>{
            {"127.0.0.1", 8080}, {"192.168.1.5", 80}, {"fd00::5", 8443}, {"::1", 8080}});
    CHECK(config->listen_given);
}

TEST_CASE("a node's portal is for that machine only, whatever is written down") {
    const auto node = parse("role: host");
    REQUIRE(node.has_value());
    CHECK(node->addresses() == std::vector<Address>{{"127.0.0.1", 8080}, {"::1", 8080}});
    CHECK(node->check_role().has_value());
    CHECK(parse("role: host\nlisten: [ '127.0.0.2:80', '[::1]:81' ]")->check_role().has_value());
    for (const char* open : {"'::'", "0.0.0.0", "192.168.1.5", "'fd00::1'", "'127.0.0.1', '::'"}) {
        const std::string listen = fmt::format("listen: [ {} ]\n", open);
        const auto refused = parse("role: host\n" + listen)->check_role();
        REQUIRE(!refused);
        CHECK(refused.error().message.find("ssh -L 8080:127.0.0.1:8080") != std::string::npos);
        CHECK(parse(listen)->check_role().has_value()); // a Pi's
    }
    CHECK(parse("role: pi")->addresses() == std::vector<Address>{{"::", 8080}});
}

TEST_CASE("names of the public DNS can be written down") {
    CHECK(
        parse("names: [ pi.example.org, Pi2 ]")->names ==
        std::vector<std::string>{"pi.example.org", "Pi2"});
    CHECK(parse("")->names.empty());
}

TEST_CASE("what is wrong is said with its line") {
    for (const char* bad :
         {"listen: []", "listen: [ pi.local ]", "listen: [ 10.0.0.0/8 ]",
          "listen: [ '10.0.0.1:99999' ]", "tls: { key: /x }", "tls: { certificate: /x }",
          "tls: { certificate: x, key: /y }", "lisen: [ '::' ]", "role: node",
          "names: [ 'pi.example.org:80' ]", "names: [ '' ]", "names: [ 'a/b' ]"}) {
        const auto refused = parse(bad);
        REQUIRE(!refused);
        CHECK(refused.error().message.find("portal.yaml:1") != std::string::npos);
    }
    const auto tls = parse("tls: { certificate: /a.crt, key: /a.key }\n");
    REQUIRE(tls.has_value());
    CHECK(tls->tls.certificate == "/a.crt");
}
