// SPDX-License-Identifier: MIT
#include "cli/table.hpp"

#include <algorithm>

namespace longcord {

std::string coloured(std::string_view text, Tone tone, const Look& look) {
    std::string_view code;
    switch (tone) {
    case Tone::plain:
        break;
    case Tone::strong:
        code = "1";
        break;
    case Tone::good:
        code = "32";
        break;
    case Tone::warning:
        code = "33";
        break;
    case Tone::bad:
        code = "31";
        break;
    case Tone::faint:
        code = "2";
        break;
    }
    if (!look.colour || code.empty() || text.empty())
        return std::string(text);
    return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

std::size_t display_width(std::string_view text) noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    std::vector<std::string> lines{""};
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (lines.back().empty())
            lines.back() = word;
        else if (display_width(lines.back()) + 1 + display_width(word) <= width)
            lines.back().append(" ").append(word);
        else
            lines.emplace_back(word);
    }
    return lines;
}

void Table::add(std::vector<Cell> row) {
    row.resize(headings_.size(), Cell(""));
    rows_.push_back(std::move(row));
}

static std::string padded(std::string text, std::size_t shown, std::size_t width) {
    text.append(width > shown ? width - shown : 0, ' ');
    return text;
}

std::string Table::render(const Look& look, std::size_t indent) const {
    constexpr std::size_t gap = 2;
    constexpr std::size_t narrowest = 20; // a last column with less is not worth wrapping
    std::vector<std::size_t> columns;
    std::vector<std::size_t> widths(headings_.size());
    for (std::size_t c = 0; c < headings_.size(); ++c) {
        std::size_t widest = 0;
        for (const auto& row : rows_)
            widest = std::max(widest, display_width(row[c].text));
        widths[c] = std::max(widest, display_width(headings_[c]));
        if (widest > 0)
            columns.push_back(c);
    }
    std::size_t before = indent;
    for (std::size_t i = 0; i + 1 < columns.size(); ++i)
        before += widths[columns[i]] + gap;
    const bool narrow = look.width >= before + narrowest;

    std::string out;
    const auto line = [&](const std::vector<Cell>& cells) {
        std::string text(indent, ' ');
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const Cell& cell = cells[columns[i]];
            if (i + 1 < columns.size()) {
                text += padded(
                    coloured(cell.text, cell.tone, look), display_width(cell.text),
                    widths[columns[i]] + gap);
                continue;
            }
            const auto parts =
                narrow ? wrap(cell.text, look.width - before) : std::vector<std::string>{cell.text};
            for (std::size_t part = 0; part < parts.size(); ++part) {
                if (part > 0)
                    text += "\n" + std::string(before, ' ');
                text += coloured(parts[part], cell.tone, look);
            }
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + "\n";
    };
    if (std::ranges::any_of(headings_, [](const std::string& h) { return !h.empty(); })) {
        std::vector<Cell> heading;
        for (const std::string& text : headings_)
            heading.emplace_back(text, Tone::faint);
        line(heading);
    }
    for (const auto& row : rows_)
        line(row);
    return out;
}

} // namespace longcord
