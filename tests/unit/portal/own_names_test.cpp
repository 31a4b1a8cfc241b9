// SPDX-License-Identifier: MIT
#include "portal/own_names.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("an address, and a name that only the local network can have, is this portal's") {
    const OwnNames none({});
    for (const char* host :
         {"10.77.0.2", "10.77.0.2:8080", "[fd00::5]:8080", "[::1]", "[fe80::1%25eth0]:8080",
          "workbench", "WORKBENCH:8080", "localhost:8080", "workbench.local", "workbench.local.:80",
          "workbench.lan", "pi.home.arpa", "pi.internal"})
        CHECK_MESSAGE(none.has(host), host);
}

TEST_CASE("a name of the public DNS is not, until it is written down") {
    const OwnNames none({});
    for (const char* host :
         {"evil.example", "evil.example:8080", "10.77.0.2.evil.example", "local.evil.com",
          "pi.locals", "workbench.fritz.box", "a.b", "[evil.example]", "10.0.0.1.2"})
        CHECK_MESSAGE(!none.has(host), host);
    const OwnNames some({"pi.example.org", "Workbench.Fritz.Box"});
    CHECK(some.has("PI.example.org:8080"));
    CHECK(some.has("workbench.fritz.box"));
    CHECK(!some.has("evil.pi.example.org"));
    CHECK(!some.has("pi.example.org.evil.example"));
}
