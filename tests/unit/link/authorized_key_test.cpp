// SPDX-License-Identifier: MIT
#include "link/authorized_key.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static const std::string blob =
    "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
static const std::string key = "ssh-ed25519 " + blob;

TEST_CASE("a public key line as ssh-keygen writes it") {
    const PublicKey expected{"ssh-ed25519", blob};
    CHECK(*parse_public_key(key) == expected);
    CHECK(*parse_public_key(key + "\n") == expected);
    CHECK(*parse_public_key(key + " root@workbench\n") == expected);
    CHECK(*parse_public_key(key + " a \"comment\", command=\"x\"\r\n") == expected);
    CHECK(
        authorized_keys_line(
            "/usr/libexec/longcord/longcord-link", "workbench", "SHA256:x", expected) ==
        "restrict,command=\"/usr/libexec/longcord/longcord-link --pi workbench --key SHA256:x\" " +
            key);
}

TEST_CASE("options, garbage and more than one line are refused") {
    for (const std::string& bad : {
             std::string(),
             std::string("\n"),
             "command=\"/bin/sh\" " + key,
             "restrict " + key,
             "cert-authority " + key,
             "#" + key,
             key + "\n" + key + "\n",
             key + "\n\n",
             "\n" + key,
             key + std::string("\0x", 2),
             key + " \xff",
             key + "\rcommand=\"/bin/sh\" " + key,
             std::string("ssh-ed25519"),
             std::string("ssh-ed25519 AAAA"),
             "ssh-rsa " + blob,
             "ssh-dss " + blob,
             "ssh-ed25519-cert-v01@openssh.com " + blob,
             "ssh-ed25519 " + blob + "=",
             "ssh-ed25519 " + blob.substr(0, blob.size() - 1) + "!",
             "ssh-ed25519 " + blob.substr(0, 20),
             "ssh-ed25519 \"" + blob + "\"",
             std::string("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n"),
         }) {
        CAPTURE(bad);
        CHECK(!parse_public_key(bad));
    }
}
