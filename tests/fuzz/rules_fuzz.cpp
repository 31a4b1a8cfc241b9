// SPDX-License-Identifier: MIT
// A VM's rules file, whatever is in it: bounds, places of diagnostics, the canonical form of each
// rule, and what `rules add` and `rules remove` make of the file.
#include "base/text.hpp"
#include "must.hpp"
#include "rules/edit.hpp"
#include "rules/parse.hpp"

#include <algorithm>

using namespace longcord;

static void check_rule(const Rule& rule) {
    must(rule.line > 0 && rule.column > 0, "a rule stands somewhere");
    const std::string text = format_rule(rule);
    must(text.find('\n') == std::string::npos, "a rule is one line");
    const auto again = parse_rules(text);
    if (text.size() > max_rule_line)
        return; // quoting can make it longer than a line may be
    must(again.ok() && again.rules.size() == 1, "what we write is understood");
    must(same_meaning(again.rules.front(), rule), "it means the same");
    must(format_rule(again.rules.front()) == text, "it has one form");
}

/// As `longcord rules add` and `remove` do it.
static void edit(std::string_view text, const Rule& rule) {
    const auto removed = remove_rule(text, rule.text, "100.usb.conf");
    if (!removed)
        return must(!removed.error().message.empty(), "a refusal has a reason");
    must(removed->text.size() <= text.size(), "nothing is added by taking out");
    const auto added = add_rule(removed->text, rule.text, "100.usb.conf");
    if (!added)
        return must(!added.error().message.empty(), "a refusal has a reason");
    const auto there = parse_rules(added->text);
    must(there.ok(), "an edited file is right");
    must(
        std::ranges::any_of(there.rules, [&](const Rule& r) { return same_meaning(r, rule); }),
        "what was added is there");
    const auto twice = add_rule(added->text, rule.text, "100.usb.conf");
    must(twice && !twice->changed && twice->text == added->text, "twice is once");
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = parse_rules(text);
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    must(parsed.rules.size() <= max_rules, "a file has at most 500 rules");
    must(
        std::ranges::count_if(
            parsed.diagnostics,
            [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; }) <=
            static_cast<std::ptrdiff_t>(max_rule_errors) + 1,
        "errors have their limit");
    for (const auto& found : parsed.diagnostics) {
        must(found.line >= 1 && found.line <= lines && found.column >= 1, "it is in the file");
        must(!found.message.empty() && is_utf8(found.message), "it can be shown");
    }
    for (const auto& rule : parsed.rules)
        check_rule(rule);
    if (parsed.ok() && !parsed.rules.empty())
        edit(text, parsed.rules[size % parsed.rules.size()]);
    return 0;
}
