// SPDX-License-Identifier: MIT
#include "pairing/key_folders.hpp"
#include "pairing/pair_request.hpp"
#include "pairing/ssh_key.hpp"
#include "pairing_folder.hpp"

#include <set>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

PublicKey some_key() {
    return *public_key_of(*make_key_seed());
}

std::string line_of(const PublicKey& key) {
    return key.type + ' ' + key.blob + '\n';
}

const Complain nobody = [](const std::filesystem::path&, const std::string&) {};

} // namespace

TEST_CASE("a plain host keeps its keys in /etc/longcord") {
    const PairingFolder folder;
    const auto key = some_key();
    CHECK(read_paired(folder.roots(), nobody)->empty());
    REQUIRE(write_paired(folder.roots(), "workbench", key).has_value());
    const auto paired = read_paired(folder.roots(), nobody);
    REQUIRE(paired->size() == 1);
    CHECK(paired->at("workbench").key == key);
    CHECK(paired->at("workbench").fingerprint == fingerprint_of(key));
    CHECK(paired->at("workbench").since > 0);
    CHECK_FALSE(paired->at("workbench").cluster);
    REQUIRE(remove_paired(folder.roots(), "workbench").has_value());
    CHECK(read_paired(folder.roots(), nobody)->empty());
    CHECK(remove_paired(folder.roots(), "workbench").error().kind == ErrorKind::not_found);
}

TEST_CASE("on Proxmox the cluster's word counts, also where it is a bad one") {
    const PairingFolder folder;
    folder.make_pve();
    const auto theirs = some_key();
    REQUIRE(write_paired(folder.roots(), "workbench", theirs).has_value());
    CHECK(folder.has("etc/pve/priv/longcord/pis/workbench"));
    folder.write("etc/pve/priv/longcord/pis/broken", "garbage");
    folder.write("etc/pve/priv/longcord/pis/new.tmp", line_of(theirs));
    for (const char* name : {"workbench", "broken", "local-one"})
        folder.write(std::string("etc/longcord/pis/") + name, line_of(some_key()));
    std::set<std::string> complaints;
    const auto paired = read_paired(
        folder.roots(), [&](const auto& file, const auto&) { complaints.insert(file.filename()); });
    REQUIRE(paired->size() == 3);
    CHECK(paired->at("workbench").key == theirs);
    CHECK(paired->at("broken").fingerprint.empty());
    CHECK_FALSE(paired->at("local-one").fingerprint.empty());
    CHECK(complaints == std::set<std::string>{"broken"});
}

TEST_CASE("while pmxcfs is away nobody looks unpaired: the last good copies serve") {
    const PairingFolder folder;
    folder.make_pve();
    const auto key = some_key();
    REQUIRE(write_paired(folder.roots(), "workbench", key).has_value());
    folder.write("etc/pve/priv/longcord/pis/broken", "garbage");
    folder.write("etc/longcord/pis/broken", line_of(some_key()));
    folder.write("etc/longcord/pis/local-one", line_of(key));
    REQUIRE(keep_copies(folder.roots(), *read_paired(folder.roots(), nobody)).has_value());
    folder.take_pve_away();
    CHECK(read_paired(folder.roots(), nobody).error().kind == ErrorKind::unavailable);
    CHECK(write_paired(folder.roots(), "x", key).error().kind == ErrorKind::unavailable);
    CHECK(remove_paired(folder.roots(), "workbench").error().kind == ErrorKind::unavailable);
    const auto copies = read_paired_copies(folder.roots(), nobody);
    CHECK(copies.at("workbench").key == key);
    CHECK(copies.at("broken").fingerprint.empty()); // a name does not change its owner
    CHECK(copies.contains("local-one"));
    CHECK_FALSE(folder.has("var/lib/longcord/pis/local-one")); // it needs none
}

TEST_CASE("what is unpaired is in no copy either") {
    const PairingFolder folder;
    folder.make_pve();
    for (const char* name : {"a", "b"})
        REQUIRE(write_paired(folder.roots(), name, some_key()).has_value());
    REQUIRE(keep_copies(folder.roots(), *read_paired(folder.roots(), nobody)).has_value());
    folder.write("etc/longcord/pis/a", line_of(some_key()));
    REQUIRE(remove_paired(folder.roots(), "a").has_value());
    CHECK(read_paired_copies(folder.roots(), nobody).size() == 1);
    // Another node unpaired it: the next look removes the copy.
    std::filesystem::remove(folder.path("etc/pve/priv/longcord/pis/b"));
    REQUIRE(keep_copies(folder.roots(), *read_paired(folder.roots(), nobody)).has_value());
    CHECK(read_paired_copies(folder.roots(), nobody).empty());
}

TEST_CASE("a Pi hands over its own key, and nothing else") {
    const PairRequest request{1, "longcord-pi test", some_key()};
    CHECK(*parse_pair_request(format(request), "workbench") == request);
    for (const std::string& bad :
         {std::string(), std::string("{}"), std::string(R"({"type":"hello","version":1})"),
          std::string(R"({"type":"pair","version":1})"),
          std::string(R"({"type":"pair","version":1,"key":"command=\"x\" ssh-ed25519 AAAA"})"),
          R"({"type":"pair","version":1,"key":"ecdsa-sha2-nistp256 )" +
              std::string("AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAA=\"}"),
          R"({"type":"pair","version":-1,"key":")" + request.key.type + ' ' + request.key.blob +
              "\"}",
          std::string(max_link_line + 1, 'x')}) {
        CAPTURE(bad.substr(0, 100));
        const auto parsed = parse_pair_request(bad, "workbench");
        REQUIRE(!parsed);
        CHECK(parsed.error().message.starts_with("Pi workbench: "));
    }
}
