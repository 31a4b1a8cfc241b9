// SPDX-License-Identifier: MIT
#include "rules/edit.hpp"
#include "rules/parse.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static const std::string file = "100.usb.conf";

TEST_CASE("a rule is added below the others, which stay as they were written") {
    CHECK(add_rule("", "3-4", file).value().text == "3-4\n");
    CHECK(
        add_rule("# mine\n\n3-5  # five\n", " 3-4 ", file).value().text ==
        "# mine\n\n3-5  # five\n3-4\n");
    CHECK(add_rule("3-5", "3-4", file).value().text == "3-5\n3-4\n");
    CHECK(add_rule("3-5\r\n", "3-4", file).value().text == "3-5\r\n3-4\r\n");
    const auto edit = add_rule("3-5\n3-6\n", "!3-4 class=hid", file).value();
    CHECK(edit.line == 3);
    CHECK(edit.changed);
}

TEST_CASE("no second line that says the same") {
    const auto edit =
        add_rule("3-5\n3-4 10C4:EA60 serial=A # that one\n", "3-4   10c4:ea60 serial=\"A\"", file);
    CHECK_FALSE(edit.value().changed);
    CHECK(edit.value().line == 2);
    CHECK(add_rule("3-4 10c4:ea60\n", "3-4", file).value().changed);
    CHECK(add_rule("!3-4\n", "3-4", file).value().changed);
}

TEST_CASE("what is no rule is refused with what to write instead") {
    for (const char* rule : {"", "# nothing", "3-", "3-4\n3-5", "3-4 colour=red"})
        CHECK(add_rule("3-5\n", rule, file).error().kind == ErrorKind::invalid);
    CHECK(
        add_rule("", "3-4 colour=red", file).error().message.find("column 5") != std::string::npos);
}

TEST_CASE("a file with a mistake is not added to: the VM would not get the rule") {
    const auto refused = add_rule("3-5\n3-\n", "3-4", file);
    CHECK(refused.error().message.find("100.usb.conf:2:") == 0);
}

TEST_CASE("the limits of a file hold for what is added") {
    std::string full;
    for (std::size_t i = 0; i < max_rules - 1; ++i)
        full += "3-" + std::to_string(i + 1) + "\n";
    const auto last = add_rule(full, "4-1", file);
    REQUIRE(last.has_value());
    CHECK(add_rule(last.value().text, "4-2", file).error().kind == ErrorKind::invalid);
}

TEST_CASE("a rule is taken out however it is written, and nothing else") {
    CHECK(
        remove_rule("# a\n3-4 10C4:EA60 # b\n3-5\n", "3-4 10c4:ea60", file).value().text ==
        "# a\n3-5\n");
    CHECK(remove_rule("3-4\n3-5\n3-4 # twice\n", "3-4", file).value().text == "3-5\n");
    CHECK(remove_rule("3-5\n3-4", "3-4", file).value().text == "3-5\n");
    CHECK(remove_rule("3-4\n", "3-4", file).value().text.empty());
    CHECK(
        remove_rule("3-5\n3-\n", " 3- ", file).value().text ==
        "3-5\n"); // a broken line, by its text
}

TEST_CASE("what is not there cannot be taken out") {
    for (const char* rule : {"3-40", "!3-4", "3-4 class=hid", "", "#"})
        CHECK(remove_rule("3-4\n\n", rule, file).error().kind == ErrorKind::not_found);
}
