// SPDX-License-Identifier: MIT
#include "rules/parse.hpp"

#include "rules/rule_line.hpp"

#include <algorithm>
#include <map>

namespace longcord {

bool ParsedRules::ok() const noexcept {
    return std::none_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
        return diagnostic.severity == Diagnostic::Severity::error;
    });
}

namespace {

class FileParser {
  public:
    ParsedRules parse(std::string_view text) {
        using Severity = Diagnostic::Severity;
        if (text.size() > max_rules_file) {
            report(
                Severity::error, 1, 1,
                fmt::format(
                    "the file is larger than {} KiB: no rules are read from it",
                    max_rules_file / 1024));
            return std::move(out_);
        }
        if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
            report(Severity::error, 1, 1, "the file is UTF-16: save it as UTF-8");
            return std::move(out_);
        }
        if (constexpr std::string_view mark = "\xef\xbb\xbf"; text.starts_with(mark))
            text.remove_prefix(mark.size());
        while (!text.empty() && !full()) {
            const auto newline = text.find('\n');
            ++line_;
            take_line(text.substr(0, newline));
            text.remove_prefix(newline == text.npos ? text.size() : newline + 1);
        }
        return std::move(out_);
    }

    ParsedRules parse(std::span<const RuleText> texts) {
        for (const RuleText& rule : texts) {
            if (full())
                break;
            line_ = rule.line;
            first_column_ = rule.column;
            take_line(rule.text);
        }
        return std::move(out_);
    }

  private:
    /// Where the byte at `offset` stands, in characters: bytes that continue a UTF-8 one are none.
    unsigned column_of(std::string_view line, std::size_t offset) const {
        const auto before = line.substr(0, offset);
        return first_column_ + static_cast<unsigned>(
                                   std::count_if(before.begin(), before.end(), [](unsigned char c) {
                                       return (c & 0xc0) != 0x80;
                                   }));
    }

    void report(
        Diagnostic::Severity severity, unsigned line, unsigned column, std::string message) {
        errors_ += severity == Diagnostic::Severity::error ? 1 : 0;
        out_.diagnostics.push_back({severity, line, column, std::move(message)});
    }

    bool full() {
        if (too_many_rules_ || errors_ < max_rule_errors)
            return too_many_rules_;
        report(
            Diagnostic::Severity::error, line_, 1,
            fmt::format("{} errors: the rest of the file is not looked at", max_rule_errors));
        return true;
    }

    void take_line(std::string_view line) {
        using Severity = Diagnostic::Severity;
        while (line.ends_with('\r'))
            line.remove_suffix(1);
        if (line.size() > max_rule_line)
            return report(
                Severity::error, line_, column_of(line, max_rule_line),
                fmt::format(
                    "the line is longer than {} bytes: shorten it, or write "
                    "several rules",
                    max_rule_line));
        if (const auto cr = line.find('\r'); cr != line.npos) // it would hide rules in a comment
            return report(
                Severity::error, line_, column_of(line, cr),
                "a carriage return stands inside the line: save the file with Unix line "
                "ends");
        auto parsed = parse_rule_line(line);
        if (parsed.warning && !parsed.error)
            report(
                Severity::warning, line_, column_of(line, parsed.warning->offset),
                std::move(parsed.warning->message));
        if (parsed.error)
            report(
                Severity::error, line_, column_of(line, parsed.error->offset),
                std::move(parsed.error->message));
        if (parsed.rule) {
            parsed.rule->line = line_;
            parsed.rule->column = column_of(line, line.find_first_not_of(" \t"));
            take_rule(std::move(*parsed.rule));
        }
    }

    void take_rule(Rule rule) {
        if (out_.rules.size() == max_rules) {
            too_many_rules_ = true;
            return report(
                Diagnostic::Severity::error, rule.line, rule.column,
                fmt::format(
                    "a file has at most {} rules: write one rule for a hub in "
                    "place of one for each of its ports",
                    max_rules));
        }
        if (!compare_with_earlier(rule))
            return;
        out_.rules.push_back(std::move(rule));
    }

    /// The order of lines means nothing, so two lines must not ask for two things at once.
    bool compare_with_earlier(const Rule& rule) {
        const auto [earlier, is_new] =
            selections_.emplace((rule.deny ? "!" : "") + format_selection(rule), rule);
        if (is_new) {
            compare_guest_ports(rule);
            return true;
        }
        if (same_meaning(earlier->second, rule)) {
            report(
                Diagnostic::Severity::warning, rule.line, rule.column,
                fmt::format("this is line {} again: remove one", earlier->second.line));
            return true;
        }
        report(
            Diagnostic::Severity::error, rule.line, rule.column,
            fmt::format(
                "line {} is for the same devices with other options: write one line with "
                "the options that you want",
                earlier->second.line));
        return false;
    }

    void compare_guest_ports(const Rule& rule) {
        if (!rule.guest_port)
            return;
        const auto [earlier, is_new] = guest_ports_.emplace(*rule.guest_port, rule.line);
        if (!is_new)
            report(
                Diagnostic::Severity::warning, rule.line, rule.column,
                fmt::format(
                    "guest port {} is asked for in line {} too, and only one device can "
                    "have it: write another port=, or leave it out",
                    *rule.guest_port, earlier->second));
    }

    ParsedRules out_;
    unsigned line_ = 0;
    unsigned first_column_ = 1; ///< of what take_line() is given, in its file's line
    std::size_t errors_ = 0;
    bool too_many_rules_ = false;
    std::map<std::string, Rule> selections_;
    std::map<unsigned, unsigned> guest_ports_; ///< to the line that asked first
};

} // namespace

ParsedRules parse_rules(std::string_view text) {
    return FileParser().parse(text);
}

ParsedRules parse_rules(std::span<const RuleText> texts) {
    return FileParser().parse(texts);
}

} // namespace longcord
