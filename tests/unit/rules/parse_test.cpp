// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <random>

using namespace longcord;

TEST_CASE("limits: the last that is allowed, and the first that is not") {
    CHECK(parse_rules(std::string(max_rules_file - 1, '\n') + '\n').ok());
    const auto large = parse_rules(std::string(max_rules_file + 1, '\n'));
    REQUIRE(large.diagnostics.size() == 1);
    CHECK(large.diagnostics[0].message.find("64 KiB") != std::string::npos);

    const auto line = [](std::size_t size) {
        return "3-4 #" + std::string(size - 5, 'x') + "\r\n";
    };
    CHECK(parse_rules(line(max_rule_line)).ok());
    CHECK_FALSE(parse_rules(line(max_rule_line + 1)).ok());

    std::string many;
    for (std::size_t i = 1; i <= max_rules; ++i)
        many += "1-" + std::to_string(i) + '\n';
    CHECK(parse_rules(many).ok());
    CHECK(parse_rules(many).rules.size() == max_rules);
    CHECK_FALSE(parse_rules(many + "2-1").ok());

    const std::string text(max_device_string, 'x');
    CHECK(parse_rules("3-4 serial=" + text).ok());
    CHECK_FALSE(parse_rules("3-4 serial=" + text + 'x').ok());
}

TEST_CASE("columns are counted in characters, from 1") {
    const auto parsed = parse_rules("\n\t3-4 product=\"K\u00fcche\" port=16");
    REQUIRE(parsed.diagnostics.size() == 1);
    CHECK(parsed.diagnostics[0].line == 2);
    CHECK(parsed.diagnostics[0].column == 27);
    CHECK(
        format_diagnostic("/etc/pve/qemu-server/100.usb.conf", parsed.diagnostics[0]) ==
        "/etc/pve/qemu-server/100.usb.conf:2:27: error: port=16 is out of range: write a number "
        "from 1 to 15");
}

TEST_CASE("a rule knows where it stands and how it was written") {
    const auto parsed = parse_rules("# first\n  !3-4   class=HID  # second\n");
    REQUIRE(parsed.rules.size() == 1);
    CHECK(parsed.rules[0].line == 2);
    CHECK(parsed.rules[0].column == 3);
    CHECK(parsed.rules[0].text == "!3-4   class=HID");
    CHECK(format_rule(parsed.rules[0]) == "!3-4 class=hid");
}

TEST_CASE("rules that stand in another file have its lines and columns, and are compared as in one "
          "file") {
    const std::vector<RuleText> texts = {{"3-4", 8, 9}, {"3-5 serial=", 9, 10}, {"3-4", 10, 9}};
    const auto parsed = parse_rules(texts);
    REQUIRE(parsed.rules.size() == 2);
    CHECK(parsed.rules[0].line == 8);
    CHECK(parsed.rules[0].column == 9);
    REQUIRE(parsed.diagnostics.size() == 2);
    CHECK(parsed.diagnostics[0].severity == Diagnostic::Severity::error);
    CHECK(parsed.diagnostics[0].line == 9);
    CHECK(parsed.diagnostics[0].column == 21);
    CHECK(parsed.diagnostics[1].severity == Diagnostic::Severity::warning);
    CHECK(parsed.diagnostics[1].message.find("line 8 again") != std::string::npos);
}

TEST_CASE("properties have the types QMP wants") {
    const auto rule = test::rule("3-4 guest-reset=off isobufs=16 pipeline=yes");
    CHECK(rule.properties.at("guest-reset") == PropertyValue(false));
    CHECK(rule.properties.at("isobufs") == PropertyValue(std::int64_t{16}));
    CHECK(rule.properties.at("pipeline") == PropertyValue(true));
}

static Rule random_rule(std::mt19937& random) {
    const auto one_in = [&](unsigned n) { return random() % n == 0; };
    const auto text = [&] {
        static const std::vector<std::string> pieces{"a", "B", "0",      " ", "#", "\"",    "\\",
                                                     "=", "!", "\u00fc", "'", "-", "\u2013"};
        std::string out;
        do
            out += pieces[random() % pieces.size()];
        while (!one_in(4));
        return out;
    };
    static const std::vector<std::string> places{
        "*/*",
        "3-4.1",
        "workbench",
        "workbench/12-3.10",
        "pci-0000:00:14.0/4.1",
        "w/platform-fe9c0000.xhci/1.2",
        "/devices/pci0000:00/0000:00:14.0/usb3/3-1/3-1.2"};
    Rule rule;
    rule.place = PlacePattern::parse(places[random() % places.size()]).value();
    rule.deny = one_in(4);
    if (one_in(2))
        rule.id = UsbId{static_cast<std::uint16_t>(random()), static_cast<std::uint16_t>(random())};
    if (one_in(2))
        rule.serial = text();
    if (one_in(2))
        rule.product = text();
    if (one_in(2))
        rule.device_class = static_cast<std::uint8_t>(random());
    if (rule.deny)
        return rule;
    rule.force = one_in(3);
    if (one_in(3))
        rule.guest_port = 1 + random() % max_guest_port;
    if (one_in(3))
        rule.configuration = 1 + random() % max_configuration;
    if (one_in(3))
        rule.properties["guest-reset"] = one_in(2);
    if (one_in(3))
        rule.properties["isobufs"] = static_cast<std::int64_t>(1 + random() % 64);
    return rule;
}

TEST_CASE("the text of a rule parses back to the same rule") {
    std::mt19937 random(42);
    for (int i = 0; i < 5000; ++i) {
        const auto rule = random_rule(random);
        const auto text = format_rule(rule);
        const auto parsed = parse_rules(text);
        INFO(text, parsed.diagnostics.empty() ? "" : ": " + parsed.diagnostics[0].message);
        REQUIRE(parsed.rules.size() == 1);
        CHECK(same_meaning(parsed.rules[0], rule));
        CHECK(format_rule(parsed.rules[0]) == text);
    }
}

static void survive(const std::string& text) {
    const auto parsed = parse_rules(text);
    CHECK(parsed.rules.size() <= max_rules);
    for (const auto& found : parsed.diagnostics) {
        CHECK(found.line >= 1);
        CHECK(found.column >= 1);
        CHECK(is_utf8(found.message));
        CHECK(found.message.find('\n') == std::string::npos);
        CHECK(found.message.size() < 4 * max_rule_line);
    }
    for (const auto& rule : parsed.rules)
        CHECK(parse_rules(format_rule(rule)).rules.size() == 1);
}

TEST_CASE("any bytes give rules and diagnostics, never a crash") {
    std::mt19937 random(3);
    for (int i = 0; i < 3000; ++i) {
        std::string bytes(random() % 200, '\0');
        for (char& c : bytes)
            c = static_cast<char>(random());
        survive(bytes);
    }
}

TEST_CASE("words in any order, cut anywhere, with any byte changed, never a crash") {
    static const std::vector<std::string> words{
        "3-4",
        "!",
        "workbench/1-1.2",
        "pci-0000:00:14.0/4.1",
        "*/*",
        "10c4:ea60",
        "0x",
        "serial",
        "=",
        "\"",
        "\\",
        "product=\"a b\"",
        "#",
        "class=",
        "hid",
        "force",
        "port=5",
        "config=2",
        "\t",
        " ",
        "\n",
        "\r",
        "/",
        "/devices/",
        "usb3",
        "/dev/",
        "-usb-0:",
        "3-4:1.0",
        "\u2013",
        "\u00a0",
        "12",
        ".",
        "-",
        ":",
        "host=3-4",
        "usb0:",
        "Bus",
        "deny",
        "guest-reset=off",
        "platform-",
        "pci-",
        "\xff"};
    std::mt19937 random(4);
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (auto n = random() % 10; n > 0; --n)
            text += words[random() % words.size()] + (random() % 2 == 0 ? " " : "");
        if (!text.empty() && random() % 3 == 0)
            text[random() % text.size()] = static_cast<char>(random());
        survive(text.substr(0, random() % (text.size() + 1)));
    }
}
