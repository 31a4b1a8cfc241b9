// SPDX-License-Identifier: MIT
#include "pairing/pending_store.hpp"
#include "pairing/ssh_key.hpp"
#include "pairing_folder.hpp"

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

constexpr UnixTime now = 1'800'000'000;

PublicKey some_key() {
    return *public_key_of(*make_key_seed());
}

Pending pending_of(const PublicKey& key, UnixTime made = now) {
    return Pending{key, "pve1", made, made + pairing_lifetime, false, ""};
}

const Complain nobody = [](const std::filesystem::path&, const std::string&) {};

/// A node where a pairing for `workbench` is open.
struct Open {
    Open() { REQUIRE(begin_pairing(roots, "workbench", pending_of(key), now).has_value()); }
    PairingUse use(UnixTime at = now + 1, const std::string& by = "10.0.0.1") const {
        const auto used = use_pairing(roots, "workbench", print, by, at);
        REQUIRE(used.has_value());
        return *used;
    }
    std::size_t listed() const { return read_pending(roots, nobody)->size(); }

    PairingFolder folder;
    Roots roots = folder.roots();
    PublicKey key = some_key();
    std::string print = fingerprint_of(key);
};

using Kind = PairingUse::Kind;

} // namespace

TEST_CASE("what a node writes down of a pairing, any node reads") {
    Pending pending = pending_of(some_key());
    pending.replace = true;
    pending.used = "by 10.0.0.1";
    CHECK(*parse_pending(format(pending)) == pending);
    pending.expires += 1;
    CHECK(!parse_pending(format(pending))); // longer than any node allows
    for (const char* bad : {"", "[]", "{}", R"({"key":"x","made":1,"expires":2})", "\xff"})
        CHECK(!parse_pending(bad));
}

TEST_CASE("ten minutes, also where the clock is set back in between") {
    const Pending pending = pending_of(some_key());
    CHECK(is_in_time(pending, now));
    CHECK(is_in_time(pending, now + pairing_lifetime - 1));
    CHECK_FALSE(is_in_time(pending, now + pairing_lifetime));
    CHECK(is_in_time(pending, now - max_clock_skew)); // another node's clock
    CHECK_FALSE(is_in_time(pending, now - max_clock_skew - 1));
    CHECK_FALSE(is_in_time(pending, now - 365 * 86400));
}

TEST_CASE("sshd is told what the throw-away key may do, and until when") {
    const PublicKey key{"ssh-ed25519", "AAAA"};
    CHECK(
        pairing_keys_line(
            "/usr/libexec/longcord/longcord-link", "workbench", "SHA256:x",
            pending_of(key, 1'799'999'400)) ==
        "restrict,expiry-time=\"20270115080000Z\",command=\"/usr/libexec/longcord/longcord-link "
        "--pair workbench --key SHA256:x\" ssh-ed25519 AAAA");
}

TEST_CASE("a token is good once") {
    const Open open;
    CHECK(open.use().kind == Kind::first);
    const auto again = open.use(now + 2, "10.0.0.2");
    CHECK(again.kind == Kind::again);
    CHECK(again.pending.used == "10.0.0.1");
    CHECK(open.listed() == 1); // sshd lets the key in, to be refused in words
    CHECK(use_pairing(open.roots, "other", open.print, "x", now)->kind == Kind::unknown);
    CHECK(use_pairing(open.roots, "workbench", "SHA256:none", "x", now)->kind == Kind::unknown);
}

TEST_CASE("of many nodes that take one token at the same moment, one gets it") {
    for (int round = 0; round < 20; ++round) {
        const Open open;
        std::atomic<int> first = 0;
        std::atomic<int> again = 0;
        std::vector<std::thread> nodes;
        for (int i = 0; i < 8; ++i)
            nodes.emplace_back([&] {
                const auto use = use_pairing(open.roots, "workbench", open.print, "x", now);
                if (use)
                    ++(use->kind == Kind::first ? first : again);
            });
        for (auto& node : nodes)
            node.join();
        CHECK(first == 1);
        CHECK(again == 7);
    }
}

TEST_CASE("a token that is late is nobody's, and is swept away") {
    const Open open;
    CHECK(open.use(now + pairing_lifetime).kind == Kind::unknown);
    sweep_pairings(open.roots, now + pairing_lifetime - 1);
    CHECK(open.listed() == 1);
    sweep_pairings(open.roots, now + pairing_lifetime);
    CHECK(open.listed() == 0);
}

TEST_CASE("five wrong uses close a pairing, used or not") {
    for (const bool used : {false, true}) {
        CAPTURE(used);
        const Open open;
        if (used)
            CHECK(open.use().kind == Kind::first);
        for (unsigned i = 1; i < max_wrong_uses; ++i) {
            CHECK(*count_wrong_use(open.roots, "workbench", open.print) == i);
            sweep_pairings(open.roots, now); // keeps what is under way
            CHECK(open.listed() == 1);
        }
        CHECK(*count_wrong_use(open.roots, "workbench", open.print) == max_wrong_uses);
        CHECK(open.listed() == 0);
        CHECK(open.use().kind == Kind::unknown);
    }
}

TEST_CASE("a second `pair` of the same name makes the first token worthless") {
    const Open open;
    const auto second = pending_of(some_key());
    REQUIRE(begin_pairing(open.roots, "workbench", second, now).has_value());
    CHECK(open.use().kind == Kind::unknown);
    CHECK(
        use_pairing(open.roots, "workbench", fingerprint_of(second.key), "x", now)->kind ==
        Kind::first);
}

TEST_CASE("so many pairings can be under way, and no more") {
    const PairingFolder folder;
    for (std::size_t i = 0; i < max_pending; ++i)
        REQUIRE(begin_pairing(folder.roots(), "pi" + std::to_string(i), pending_of(some_key()), now)
                    .has_value());
    const auto more = begin_pairing(folder.roots(), "more", pending_of(some_key()), now);
    CHECK(more.error().kind == ErrorKind::full);
    const UnixTime later = now + pairing_lifetime; // by then the others have gone
    CHECK(begin_pairing(folder.roots(), "more", pending_of(some_key(), later), later).has_value());
}

TEST_CASE("files that nobody of us wrote change nothing") {
    const Open open;
    for (const char* name :
         {"x", "workbench", "workbench.", "workbench.0123", "../x",
          "workbench.0123456789abcdef.more", "A.0123456789abcdef"})
        if (std::string(name).find('/') == std::string::npos)
            open.folder.write("etc/longcord/pairing/" + std::string(name), "garbage");
    open.folder.write("etc/longcord/pairing/other.0123456789abcdef", "garbage");
    CHECK(open.listed() == 1);
    sweep_pairings(open.roots, now);
    CHECK(open.use().kind == Kind::first);
}

TEST_CASE("on Proxmox pairings are the cluster's, and wait while pmxcfs is away") {
    const PairingFolder folder;
    folder.make_pve();
    const auto key = some_key();
    REQUIRE(begin_pairing(folder.roots(), "workbench", pending_of(key), now).has_value());
    CHECK(folder.has("etc/pve/priv/longcord/pairing"));
    CHECK_FALSE(folder.has("etc/longcord/pairing"));
    folder.take_pve_away();
    CHECK(
        begin_pairing(folder.roots(), "x", pending_of(key), now).error().kind ==
        ErrorKind::unavailable);
    CHECK(
        use_pairing(folder.roots(), "workbench", fingerprint_of(key), "x", now).error().kind ==
        ErrorKind::unavailable);
    folder.bring_pve_back();
    CHECK(
        use_pairing(folder.roots(), "workbench", fingerprint_of(key), "x", now)->kind ==
        Kind::first);
}
