// SPDX-License-Identifier: MIT
#include "rules/edit.hpp"

#include "base/text.hpp"
#include "rules/parse.hpp"

#include <algorithm>

namespace longcord {

namespace {

const Diagnostic* first_error(const ParsedRules& parsed) {
    const auto error =
        std::find_if(parsed.diagnostics.begin(), parsed.diagnostics.end(), [](const Diagnostic& d) {
            return d.severity == Diagnostic::Severity::error;
        });
    return error == parsed.diagnostics.end() ? nullptr : &*error;
}

/// Exactly one.
Result<Rule> single_rule(std::string_view text) {
    if (text.find_first_of("\r\n") != std::string_view::npos)
        return fail(ErrorKind::invalid, "a rule is one line");
    const auto parsed = parse_rules(text);
    if (const auto* error = first_error(parsed))
        return fail(
            ErrorKind::invalid, "\"{}\", column {}: {}", printable(text, max_rule_line),
            error->column, error->message);
    if (parsed.rules.size() != 1)
        return fail(ErrorKind::invalid, "\"{}\" is no rule", printable(text, max_rule_line));
    return parsed.rules.front();
}

Error broken(const Diagnostic& error, const std::string& file) {
    return fail(ErrorKind::invalid, "{}; mend that first", format_diagnostic(file, error));
}

} // namespace

Result<RulesEdit> add_rule(std::string_view text, std::string_view rule, const std::string& file) {
    const auto wanted = single_rule(rule);
    if (!wanted)
        return wanted.error();
    const auto before = parse_rules(text);
    if (const auto* error = first_error(before))
        return broken(*error, file);
    for (const auto& known : before.rules)
        if (same_meaning(known, *wanted))
            return RulesEdit{std::string(text), known.line, false};
    RulesEdit edit{std::string(text), 0, true};
    const std::string_view end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
    if (!edit.text.empty() && !edit.text.ends_with('\n'))
        edit.text += end;
    edit.line = static_cast<unsigned>(std::count(edit.text.begin(), edit.text.end(), '\n')) + 1;
    edit.text += trim(rule);
    edit.text += end;
    const auto after = parse_rules(edit.text);
    if (const auto* error = first_error(after)) // too many, too large
        return fail(ErrorKind::invalid, "{}", format_diagnostic(file, *error));
    return edit;
}

Result<RulesEdit> remove_rule(
    std::string_view text, std::string_view rule, const std::string& file) {
    const auto wanted = single_rule(rule);
    const auto parsed = parse_rules(text);
    RulesEdit edit;
    unsigned number = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
        rest.remove_prefix(line.size());
        ++number;
        const bool meant =
            std::any_of(parsed.rules.begin(), parsed.rules.end(), [&](const Rule& known) {
                return known.line == number && wanted && same_meaning(known, *wanted);
            });
        if (!meant && (trim(rule).empty() || trim(line) != trim(rule))) {
            edit.text += line;
            continue;
        }
        if (!edit.changed)
            edit.line = number;
        edit.changed = true;
    }
    if (!edit.changed)
        return fail(
            ErrorKind::not_found, "{} has no rule \"{}\"", file, printable(rule, max_rule_line));
    return edit;
}

} // namespace longcord
