// SPDX-License-Identifier: MIT
#include "config/nearest.hpp"

#include <algorithm>
#include <vector>

namespace longcord {

/// Levenshtein's distance, one row at a time.
static std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
    constexpr std::size_t longest = 64; // a key that long is no slip of the hand
    if (word.size() > longest)
        return std::nullopt;
    std::optional<std::string> best;
    std::size_t best_distance = word.size() / 3 + 2;
    for (const std::string& candidate : known) {
        const std::size_t d = distance(word, candidate);
        if (d < best_distance && d < candidate.size()) {
            best = candidate;
            best_distance = d;
        }
    }
    return best;
}

} // namespace longcord
