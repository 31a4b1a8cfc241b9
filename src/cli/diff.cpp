// SPDX-License-Identifier: MIT
#include "cli/diff.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace longcord {

static std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return lines;
}

std::string diff_view(
    std::string_view file, std::string_view before, std::string_view after, const Look& look) {
    if (before == after)
        return {};
    constexpr std::size_t context = 3;
    constexpr std::size_t longest = 4'000;
    const auto old_lines = lines_of(before);
    const auto new_lines = lines_of(after);
    const std::size_t shorter = std::min(old_lines.size(), new_lines.size());
    std::size_t head = 0;
    while (head < shorter && old_lines[head] == new_lines[head])
        ++head;
    std::size_t tail = 0;
    while (tail < shorter - head &&
           old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail])
        ++tail;
    std::string text = fmt::format("--- {0}\n+++ {0}\n", printable(file, longest));
    const auto put = [&](std::string_view mark, std::string_view line, Tone tone) {
        text += coloured(fmt::format("{}{}", mark, printable(line, longest)), tone, look) + '\n';
    };
    for (std::size_t i = head - std::min(head, context); i < head; ++i)
        put(" ", old_lines[i], Tone::plain);
    for (std::size_t i = head; i < old_lines.size() - tail; ++i)
        put("-", old_lines[i], Tone::bad);
    for (std::size_t i = head; i < new_lines.size() - tail; ++i)
        put("+", new_lines[i], Tone::good);
    for (std::size_t i = 0; i < std::min(tail, context); ++i)
        put(" ", old_lines[old_lines.size() - tail + i], Tone::plain);
    return text;
}

} // namespace longcord
