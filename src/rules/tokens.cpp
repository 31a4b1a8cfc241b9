// SPDX-License-Identifier: MIT
#include "rules/tokens.hpp"

#include "base/text.hpp"
#include "rules/suggest.hpp"

#include <array>

namespace longcord {

static bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}
static bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

struct Lookalike {
    std::string_view bytes;
    std::string_view is;
    std::string_view instead;
};

/// What web pages and word processors turn plain characters into.
static constexpr std::array lookalikes{
    Lookalike{"\u00a0", "a non-breaking space", "an ordinary blank"},
    Lookalike{"\u2007", "a non-breaking space", "an ordinary blank"},
    Lookalike{"\u202f", "a non-breaking space", "an ordinary blank"},
    Lookalike{"\u200b", "an invisible space", "nothing in its place"},
    Lookalike{"\ufeff", "an invisible byte order mark", "nothing in its place"},
    Lookalike{"\u2010", "a typographic hyphen", "-"},
    Lookalike{"\u2011", "a typographic hyphen", "-"},
    Lookalike{"\u2012", "a typographic dash", "-"},
    Lookalike{"\u2013", "a typographic dash", "-"},
    Lookalike{"\u2014", "a typographic dash", "-"},
    Lookalike{"\u2212", "a minus sign of typography", "-"},
    Lookalike{"\u201c", "a typographic quote", "\""},
    Lookalike{"\u201d", "a typographic quote", "\""},
    Lookalike{"\u201e", "a typographic quote", "\""},
    Lookalike{"\u00ab", "a typographic quote", "\""},
    Lookalike{"\u00bb", "a typographic quote", "\""},
};

class Splitter {
  public:
    explicit Splitter(std::string_view line) : line_(line) {}

    Tokens split() {
        while (!out_.error) {
            while (at_ < line_.size() && is_blank(line_[at_]))
                ++at_;
            if (at_ >= line_.size() || line_[at_] == '#')
                break;
            take_token();
        }
        return std::move(out_);
    }

  private:
    void fail(std::size_t offset, std::string message) {
        out_.error = LineError{offset, std::move(message)};
    }

    bool ends_token() const {
        return at_ >= line_.size() || is_blank(line_[at_]) || line_[at_] == '#';
    }

    void take_token() {
        Token token;
        token.offset = token.value_offset = at_;
        while (!out_.error && !ends_token()) {
            const char c = line_[at_];
            if (c == '=' && !token.has_key && at_ > token.offset) {
                token.has_key = true;
                token.key = line_.substr(token.offset, at_ - token.offset);
                token.value_offset = ++at_;
                token.value.clear();
                if (at_ < line_.size() && line_[at_] == '"')
                    take_quoted(token);
                else if (at_ < line_.size() && line_[at_] == '\'')
                    fail(at_, "single quotes do not quote: write " + token.key + "=\"...\"");
                continue;
            }
            if (c == '"')
                return fail(at_, "quotes stand around a whole value: write product=\"Board #1\"");
            take_character(token);
        }
        token.raw = line_.substr(token.offset, at_ - token.offset);
        out_.end = at_;
        if (token.has_key && at_ < line_.size() && line_[at_] == '#')
            out_.warning = LineError{
                at_, "what follows # is a comment; if it belongs to the value, write " + token.key +
                         "=\"" + printable(token.value) + "#...\""};
        out_.tokens.push_back(std::move(token));
    }

    void take_character(Token& token) {
        const auto rest = line_.substr(at_);
        for (const auto& lookalike : lookalikes)
            if (rest.starts_with(lookalike.bytes))
                return fail(at_, lookalike_message(lookalike));
        std::size_t length = 1;
        while (length < rest.size() && (static_cast<unsigned char>(rest[length]) & 0xc0) == 0x80)
            ++length;
        if (check(rest.substr(0, length))) {
            token.value += rest.substr(0, length);
            at_ += length;
        }
    }

    bool check(std::string_view character) {
        if (!is_utf8(character))
            fail(at_, "this is not UTF-8: save the file as UTF-8");
        else if (is_control(character.front()))
            fail(at_, "there is a control character here: remove it");
        return !out_.error;
    }

    void take_quoted(Token& token) {
        const auto open = at_++;
        while (at_ < line_.size() && line_[at_] != '"') {
            if (line_[at_] == '\\') {
                if (at_ + 1 >= line_.size() || (line_[at_ + 1] != '"' && line_[at_ + 1] != '\\'))
                    return fail(
                        at_, "a backslash says that \\ or \" follows: write \\\\ for a backslash "
                             "itself");
                ++at_;
            }
            std::size_t length = 1;
            while (at_ + length < line_.size() &&
                   (static_cast<unsigned char>(line_[at_ + length]) & 0xc0) == 0x80)
                ++length;
            if (!check(line_.substr(at_, length)))
                return;
            token.value += line_.substr(at_, length);
            at_ += length;
        }
        if (at_ >= line_.size())
            return fail(open, "the closing quote is missing: write " + token.key + "=\"...\"");
        ++at_;
        if (!ends_token())
            fail(at_, "the value ends at the closing quote: write a blank after it");
    }

    static std::string lookalike_message(const Lookalike& lookalike) {
        return "this is " + std::string(lookalike.is) + ", pasted perhaps: type " +
               std::string(lookalike.instead);
    }

    std::string_view line_;
    std::size_t at_ = 0;
    Tokens out_;
};

Tokens split_line(std::string_view line) {
    return Splitter(line).split();
}

} // namespace longcord
