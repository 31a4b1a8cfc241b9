// SPDX-License-Identifier: MIT
// Aligned columns for people. A column that is empty in every row is left out; the last one is
// wrapped below itself where the terminal is known to be narrower.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

enum class Tone { plain, strong, good, warning, bad, faint };

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
    Cell(std::string words, Tone how = Tone::plain) : text(std::move(words)), tone(how) {}
    Cell(const char* words) : text(words) {}
};

/// How things are drawn: colours or none, and the terminal's width (0: no limit).
struct Look {
    bool colour = false;
    std::size_t width = 0;
};

std::string coloured(std::string_view text, Tone tone, const Look& look);

/// Columns a text takes on a terminal, each character one.
std::size_t display_width(std::string_view text) noexcept;

/// Lines of at most `width` columns, broken at blanks; a longer word has a line of its own.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

class Table {
  public:
    explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

    void add(std::vector<Cell> row);
    bool empty() const noexcept { return rows_.empty(); }
    /// Each line begins with `indent` blanks.
    std::string render(const Look& look, std::size_t indent = 2) const;

  private:
    std::vector<std::string> headings_;
    std::vector<std::vector<Cell>> rows_;
};

} // namespace longcord
