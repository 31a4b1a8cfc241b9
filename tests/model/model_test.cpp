// SPDX-License-Identifier: MIT
// The planner against a model of everything around it: random lives, and those that once broke a
// law. MODEL_SEED=N begins with that life, MODEL_STEPS=N makes at least so many plans.
#include "play.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>
#include <fmt/ranges.h>

using namespace longcord;
using namespace longcord::model;

namespace {

constexpr std::size_t happenings = 250; ///< in a life

std::uint32_t from_environment(const char* name, std::uint32_t otherwise) {
    const char* text = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return text ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : otherwise;
}

std::string told(const Life& life) {
    Play play;
    play.keep_log = true;
    play.run(life);
    constexpr std::size_t enough = 100; // lines; one that comes to no rest has thousands
    std::string text;
    for (std::size_t i = 0; i < std::min(enough, play.log().size()); ++i)
        text += play.log()[i] + (play.log()[i].ends_with('\n') ? "" : "\n");
    return text;
}

/// Fails with the shortest life that breaks the same law, ready to be kept as a seed.
void explain_failure(const std::string& name, const Life& life, const std::string& law) {
    // Words differ by places and numbers; up to the first of those they name the law.
    const std::string same = law.substr(0, law.find_first_of(":("));
    const Life shortest = shrunk(life, [&](const Life& shorter) {
        return Play().run(shorter).starts_with(same.substr(0, 12));
    });
    FAIL(
        name, ": ", law, "\nThe shortest life that does so, to be kept in tests/model/seeds:\n\n",
        format_life(shortest), "\nand what happens in it:\n\n", told(shortest));
}

} // namespace

TEST_CASE("random lives: the laws hold at every step, and everything comes to rest") {
    const std::uint32_t first = from_environment("MODEL_SEED", 1);
    const std::size_t steps = from_environment("MODEL_STEPS", 1'000'000);
    std::size_t plans = 0;
    std::array<std::size_t, std::variant_size_v<Action>> begun{};
    std::uint32_t seed = first;
    for (; plans < steps; ++seed) {
        const Life life = random_life(seed, happenings);
        Play play;
        const std::string law = play.run(life);
        plans += play.plans();
        for (std::size_t kind = 0; kind < begun.size(); ++kind)
            begun.at(kind) += play.begun().at(kind);
        if (!law.empty())
            explain_failure(fmt::format("MODEL_SEED={}", seed), life, law);
    }
    MESSAGE(fmt::format("lives {} to {}: {} plans, {} actions", first, seed - 1, plans, begun));
    // Laws of what never happens hold, too.
    for (const auto count : begun)
        CHECK(count > steps / 10000);
}

TEST_CASE("lives that once broke a law") {
    unsigned lives = 0;
    for (const auto& file : std::filesystem::directory_iterator(LONGCORD_MODEL_SEEDS)) {
        std::stringstream text;
        text << std::ifstream(file.path()).rdbuf();
        const auto life = parse_life(text.str());
        REQUIRE_MESSAGE(life.has_value(), file.path().string());
        const std::string law = Play().run(*life);
        if (!law.empty())
            explain_failure(file.path().string(), *life, law);
        ++lives;
    }
    CHECK(lives > 0);
}

TEST_CASE("a life that is written down is the same life") {
    const Life life = random_life(7, 500);
    const auto again = parse_life("# why it is kept\n" + format_life(life));
    REQUIRE(again.has_value());
    CHECK(*again == life);
    CHECK_FALSE(parse_life("pi_plug 1").has_value());
    CHECK_FALSE(parse_life("sleep 1 2").has_value());
}

TEST_CASE("a life is made shorter until nothing can be left out") {
    const auto fails = [](const Life& life) {
        const auto has = [&](What what, std::uint32_t a) {
            return std::any_of(life.begin(), life.end(), [&](const Happening& one) {
                return one.what == what && one.a == a;
            });
        };
        return has(What::quiesce, 3) && has(What::wake, 5);
    };
    Life life = random_life(11, 300);
    life.insert(life.begin() + 20, {What::quiesce, 3, 0, false});
    life.insert(life.begin() + 250, {What::wake, 5, 0, false});
    REQUIRE(fails(life));
    CHECK(shrunk(life, fails).size() == 2);
}
