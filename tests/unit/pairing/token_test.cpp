// SPDX-License-Identifier: MIT
#include "pairing/token.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

PairingToken example() {
    PairingToken token;
    token.pi = "workbench";
    for (std::size_t i = 0; i < token.seed.size; ++i)
        token.seed.data()[i] = static_cast<std::uint8_t>(i);
    const std::string print = fingerprint_text(std::string(32, 'h'));
    token.nodes.push_back({"pve1", 22, "ssh-ed25519", print, {"10.77.0.1", "fd00::1"}});
    token.nodes.push_back({"pve2", 2222, "ssh-rsa", print, {"pve2.lan"}});
    return token;
}

std::string error_of(std::string_view text) {
    const auto token = parse_token(text);
    return token ? "" : token.error().message;
}

} // namespace

TEST_CASE("a token carries the Pi's name, the seed and the nodes") {
    const auto token = example();
    const std::string text = format_token(token);
    CHECK(*parse_token(text) == token);
    CHECK(
        text.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == text.npos);
    CHECK(text.size() < 300);
}

TEST_CASE("the bytes of a token stay what they are: an older Pi must read it") {
    PairingToken token;
    token.pi = "a";
    token.nodes.push_back(
        {"n", 22, "ssh-ed25519", fingerprint_text(std::string(32, '\0')), {"::1"}});
    CHECK(
        format_token(token) ==
        "AQFhAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAW4AFgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAEDOjoxEdNnkg");
}

TEST_CASE("a paste that was broken into lines is whole") {
    const auto token = example();
    std::string text = format_token(token);
    text.insert(80, "\r\n  ");
    CHECK(*parse_token("  " + text + "\n") == token);
}

TEST_CASE("a token at its limits, and beyond") {
    PairingToken token = example();
    const TokenNode node{"n", 65535, "ssh-rsa", token.nodes[0].fingerprint, {"a", "b", "c", "d"}};
    token.nodes.assign(max_token_nodes, node);
    CHECK(*parse_token(format_token(token)) == token);
    PairingToken more = token;
    more.nodes.push_back(node);
    more.nodes[0].addresses.emplace_back("e");
    CHECK(*parse_token(format_token(more)) == token);
    CHECK(error_of(std::string(max_token + 1, 'A')).find("longer than 4096") != std::string::npos);
    CHECK(error_of(std::string(max_token, 'A')).find("checksum") != std::string::npos);
    CHECK(error_of(std::string(100 * max_token, ' ')).find("empty") != std::string::npos);
}

TEST_CASE("every single character that is lost or changed is noticed, and said in a sentence") {
    const std::string text = format_token(example());
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        const auto why = error_of(changed);
        CHECK_MESSAGE(why.starts_with("the token "), changed);
        CHECK(error_of(text.substr(0, i) + text.substr(i + 1)).starts_with("the token "));
        CHECK(error_of(text.substr(0, i)).starts_with("the token "));
        // What is wrong is said without the secret.
        CHECK(why.size() < 120);
    }
    CHECK(error_of("") == "the token is empty; `longcord pair NAME` on the node prints it");
    CHECK(error_of("longcord join").starts_with("the token is empty"));
    CHECK(error_of(text + "!").find("character that no token has") != std::string::npos);
    CHECK(*parse_token(" longcord join " + text) == example());
}

TEST_CASE("a token with a good checksum and nonsense inside is refused") {
    const auto with = [](auto change) {
        PairingToken token = example();
        change(token);
        return error_of(format_token(token));
    };
    CHECK(with([](auto& t) { t.pi = "../x"; }).find("names no Pi") != std::string::npos);
    CHECK(with([](auto& t) { t.nodes.clear(); }).find("names no node") != std::string::npos);
    CHECK(with([](auto& t) { t.nodes[0].port = 0; }).find("cannot be") != std::string::npos);
    CHECK(with([](auto& t) {
              t.nodes[0].key_type = "ssh-dss";
          }).find("cannot be") != std::string::npos);
    CHECK(
        with([](auto& t) { t.nodes[1].addresses.clear(); }).find("cannot be") != std::string::npos);
    for (const char* bad : {"", "a b", "-oProxyCommand=x", "a;b", "a\nb"})
        CHECK(with([&](auto& t) {
                  t.nodes[0].addresses[0] = bad;
              }).find("address") != std::string::npos);
}

TEST_CASE("no bytes make it stumble") {
    std::mt19937 random(1);
    for (int round = 0; round < 3000; ++round) {
        std::string text(random() % 200, 'A');
        for (char& c : text)
            c = static_cast<char>(random());
        CHECK(!parse_token(text));
    }
}
