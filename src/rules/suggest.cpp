// SPDX-License-Identifier: MIT
#include "rules/suggest.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <vector>

namespace longcord {

bool is_ascii_alnum(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

/// Damerau's edit distance (optimal string alignment).
static std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

std::string_view closest(std::string_view text, std::span<const std::string_view> candidates) {
    constexpr std::size_t longest_word = 40; // nothing that can be meant is longer
    std::string_view best;
    std::size_t best_distance = 3;
    const auto lower = ascii_lower(text.substr(0, longest_word));
    for (const auto candidate : candidates) {
        const auto d = distance(lower, candidate);
        if (d < best_distance && 2 * d < candidate.size()) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t limit = 60;
    auto shown = printable(text, limit);
    if (text.size() > limit)
        shown += "...";
    return '"' + shown + '"';
}

} // namespace longcord
