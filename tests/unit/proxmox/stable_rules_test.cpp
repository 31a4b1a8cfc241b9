// SPDX-License-Identifier: MIT
#include "proxmox/stable_rules.hpp"

#include <doctest/doctest.h>

using namespace longcord;

namespace {

const TimePoint start{};
TimePoint at(int ms) {
    return start + milliseconds(ms);
}
RulesText rules(const std::string& text) {
    return {"/etc/pve/qemu-server/100.usb.conf", text};
}
const RulesTexts some{{100, rules("3-4\n")}};
const RulesTexts others{{100, rules("3-5\n")}};
const RulesTexts empty{{100, rules("")}};
const RulesTexts none{};

} // namespace

TEST_CASE("text counts at once, also when it changes") {
    StableRules stable;
    CHECK(stable.update(some, at(0)) == some);
    CHECK(stable.update(others, at(1)) == others);
    CHECK(stable.settled());
    CHECK_FALSE(stable.due().has_value());
}

TEST_CASE("a vanished file counts after two seconds and not before") {
    StableRules stable;
    stable.update(some, at(0));
    CHECK(stable.update(none, at(1000)) == some);
    CHECK(stable.due() == at(3000));
    CHECK(stable.update(none, at(2999)) == some);
    CHECK(stable.update(none, at(3000)) == none);
    CHECK(stable.settled());
}

TEST_CASE("an empty file likewise") {
    StableRules stable;
    stable.update(some, at(0));
    CHECK(stable.update(empty, at(0)) == some);
    CHECK(stable.update(empty, at(1999)) == some);
    CHECK(stable.update(empty, at(2000)) == empty);
    CHECK(stable.settled());
    CHECK(stable.update(empty, at(9000)) == empty);
    CHECK(stable.settled());
}

TEST_CASE("between empty and vanished it is not stable") {
    StableRules stable;
    stable.update(some, at(0));
    stable.update(empty, at(0));
    CHECK(stable.update(none, at(1500)) == some);
    CHECK(stable.update(none, at(3000)) == some);
    CHECK(stable.update(none, at(3500)) == none);
}

TEST_CASE("truncated and written anew: the old rules, then the new, never none") {
    StableRules stable;
    stable.update(some, at(0));
    CHECK(stable.update(empty, at(100)) == some);
    CHECK(stable.update(others, at(200)) == others);
    CHECK(stable.settled());
    CHECK(stable.update(empty, at(2150)) == others); // counts from here, not from the first time
    CHECK(stable.update(empty, at(4149)) == others);
    CHECK(stable.update(empty, at(4150)) == empty);
}

TEST_CASE("when nothing could be seen, stability begins anew") {
    StableRules stable;
    stable.update(some, at(0));
    stable.update(none, at(100));
    stable.interrupted();
    CHECK_FALSE(stable.due().has_value());
    CHECK(stable.update(none, at(60'000)) == some);
    CHECK(stable.update(none, at(62'000)) == none);
}

TEST_CASE("a file that is empty from the beginning is doubted, and forgotten when it goes") {
    StableRules stable;
    CHECK(stable.update(empty, at(0)) == none);
    CHECK_FALSE(stable.settled());
    CHECK(stable.update(none, at(500)) == none);
    CHECK(stable.settled());
    stable.update(empty, at(1000));
    CHECK(stable.update(empty, at(3000)) == empty);
}

TEST_CASE("each VM by itself") {
    StableRules stable;
    const RulesTexts both{{100, rules("3-4\n")}, {101, rules("3-5\n")}};
    const RulesTexts second{{101, rules("3-6\n")}};
    const RulesTexts mixed{{100, rules("3-4\n")}, {101, rules("3-6\n")}};
    stable.update(both, at(0));
    CHECK(stable.update(second, at(1000)) == mixed);
    CHECK(stable.update(none, at(2000)) == mixed);
    CHECK(stable.due() == at(3000));
    CHECK(stable.update(none, at(3000)) == second);
    CHECK(stable.due() == at(4000));
    CHECK(stable.update(none, at(4000)) == none);
}
