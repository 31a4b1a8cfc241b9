// SPDX-License-Identifier: MIT
// corpus/good and corpus/bad: each NAME.usb.conf has NAME.expected beside it. A new case needs no
// code: add the file, run with LONGCORD_WRITE_EXPECTED=1, read what was written.
#include "support.hpp"

using namespace longcord;

static std::string outcome(const std::string& file, const ParsedRules& parsed) {
    std::string text;
    for (const auto& rule : parsed.rules)
        text += std::to_string(rule.line) + ": " + format_rule(rule) + '\n';
    for (const auto& diagnostic : parsed.diagnostics)
        text += format_diagnostic(file, diagnostic) + '\n';
    return text;
}

static void walk(const std::string& folder, bool ok) {
    unsigned cases = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test::data / "corpus" / folder)) {
        const auto& path = entry.path();
        if (path.extension() != ".conf")
            continue;
        const auto parsed = parse_rules(test::slurp(path));
        INFO(path.string());
        CHECK(parsed.ok() == ok);
        auto expected = path;
        expected.replace_extension().replace_extension(".expected");
        test::check_golden(expected, outcome(path.filename(), parsed));
        for (const auto& rule : parsed.rules) {
            const auto again = parse_rules(format_rule(rule));
            REQUIRE(again.rules.size() == 1);
            CHECK(same_meaning(again.rules.front(), rule));
        }
        ++cases;
    }
    CHECK(cases > 0);
}

TEST_CASE("good files: what is understood, and what is warned of") {
    walk("good", true);
}
TEST_CASE("bad files: each error has its place and says what to write") {
    walk("bad", false);
}

TEST_CASE("in a bad file every error says what to do") {
    // Not by chance: a message that only complains has no colon.
    for (const auto& entry : std::filesystem::directory_iterator(test::data / "corpus/bad"))
        if (entry.path().extension() == ".conf")
            for (const auto& found : parse_rules(test::slurp(entry.path())).diagnostics) {
                INFO(entry.path().string(), ":", found.line, " ", found.message);
                CHECK(found.message.find(": ") != std::string::npos);
            }
}
