// SPDX-License-Identifier: MIT
#include "proxmox/snippets.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace longcord;

/// Empty: nowhere.
static std::string path_of(std::string_view volume, std::string_view storage_cfg) {
    const auto path = snippet_path(volume, storage_cfg);
    return path ? path->string() : std::string();
}

static const char* const storages =
    "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\n"
    "lvmthin: local-lvm\n\tthinpool data\n\n"
    "nfs: share\n\tserver 10.0.0.9\n\texport /x\n\n"
    "dir: fast\n\tpath /mnt/fast\n\tcontent snippets\n"
    "dir: odd\n\tpath /mnt/odd\n\tcontent-dirs snippets=scripts\n";

TEST_CASE("a snippet lies in its storage's folder") {
    CHECK(path_of("local:snippets/x", storages) == "/var/lib/vz/snippets/x");
    CHECK(path_of("fast:snippets/x.py", storages) == "/mnt/fast/snippets/x.py");
    CHECK(path_of("share:snippets/x", storages) == "/mnt/pve/share/snippets/x");
}

TEST_CASE("the storage local is known without storage.cfg, and may lie elsewhere with one") {
    CHECK(path_of("local:snippets/x", "") == "/var/lib/vz/snippets/x");
    CHECK(path_of("local:snippets/x", "dir: local\n\tpath /srv\n") == "/srv/snippets/x");
}

TEST_CASE("what is not known is not guessed") {
    CHECK_FALSE(snippet_path("gone:snippets/x", storages));
    CHECK_FALSE(snippet_path("odd:snippets/x", storages));
    CHECK_FALSE(snippet_path("local:iso/x", storages));
    CHECK_FALSE(snippet_path("local:snippets/", storages));
    CHECK_FALSE(snippet_path("local:snippets/../../etc/passwd", storages));
    CHECK_FALSE(snippet_path(":snippets/x", storages));
    CHECK_FALSE(snippet_path("", storages));
}
