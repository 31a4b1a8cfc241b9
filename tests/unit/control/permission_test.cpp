// SPDX-License-Identifier: MIT
#include "control/permission.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

using namespace longcord;

TEST_CASE("root and the service's own user may ask everything, strangers nothing") {
    const std::vector<std::string_view> for_portal{"status"};
    CHECK(check_permission(Peer{0, 0, 1}, "pair", for_portal).has_value());
    CHECK(check_permission(Peer{::geteuid(), 0, 1}, "pair", for_portal).has_value());
    for (const char* verb : {"status", "pair", ""}) {
        const auto refused = check_permission(Peer{65533, 0, 1}, verb, for_portal);
        REQUIRE(!refused);
        CHECK(refused.error().kind == ErrorKind::refused);
        CHECK(refused.error().message == "only root may ask this service; you are user 65533");
    }
    // SO_PEERCRED that could not be read.
    CHECK(!check_permission(Peer{}, "status", for_portal));
}
