// SPDX-License-Identifier: MIT
#include "happening.hpp"

#include "base/text.hpp"

#include <array>
#include <random>
#include <sstream>

namespace longcord::model {

namespace {

struct Kind {
    What what;
    std::string_view name;
    unsigned often; ///< of all that happens, in parts
};

// Ends of actions and what is told come often enough that most lives get somewhere.
constexpr std::array kinds{
    Kind{What::wait, "wait", 6},
    Kind{What::wake, "wake", 8},
    Kind{What::tell, "tell", 60},
    Kind{What::pi_up, "pi_up", 4},
    Kind{What::pi_down, "pi_down", 2},
    Kind{What::pi_unpaired, "pi_unpaired", 1},
    Kind{What::pi_plug, "pi_plug", 12},
    Kind{What::pi_unplug, "pi_unplug", 4},
    Kind{What::elsewhere, "elsewhere", 2},
    Kind{What::available, "available", 2},
    Kind{What::stream_dies, "stream_dies", 3},
    Kind{What::enumerate, "enumerate", 20},
    Kind{What::hub_removes, "hub_removes", 10},
    Kind{What::guest_selects, "guest_selects", 2},
    Kind{What::local_plug, "local_plug", 6},
    Kind{What::local_unplug, "local_unplug", 2},
    Kind{What::host_uses, "host_uses", 2},
    Kind{What::host_leaves, "host_leaves", 2},
    Kind{What::usb_line, "usb_line", 1},
    Kind{What::vm_start, "vm_start", 8},
    Kind{What::vm_stop, "vm_stop", 2},
    Kind{What::vm_state, "vm_state", 2},
    Kind{What::vm_lock, "vm_lock", 2},
    Kind{What::vm_controller, "vm_controller", 2},
    Kind{What::hand_del, "hand_del", 2},
    Kind{What::script_plugs, "script_plugs", 1},
    Kind{What::lets_go, "lets_go", 1},
    Kind{What::rules, "rules", 4},
    Kind{What::attach, "attach", 2},
    Kind{What::detach, "detach", 2},
    Kind{What::resume, "resume", 2},
    Kind{What::quiesce, "quiesce", 1},
    Kind{What::release, "release", 2},
    Kind{What::foreign, "foreign", 1},
    Kind{What::foreign_gone, "foreign_gone", 1},
    Kind{What::half, "half", 10},
    Kind{What::end, "end", 100},
    Kind{What::restart, "restart", 1},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kinds.size(); ++i)
        if (static_cast<std::size_t>(kinds[i].what) != i)
            return false;
    return true;
}
static_assert(in_order(), "format_life() finds a name by its number");

const Kind* by_name(std::string_view name) {
    for (const auto& kind : kinds)
        if (kind.name == name)
            return &kind;
    return nullptr;
}

} // namespace

namespace {

/// Most lives begin with something to lose: Pis, VMs that run, rules, devices.
Life beginning(std::mt19937& random) {
    Life life;
    const auto happens = [&](What what, std::uint32_t a, std::uint32_t b) {
        life.push_back({what, a, b, true});
    };
    for (std::uint32_t who = 0; who < 3; ++who) {
        if (random() % 8 != 0)
            happens(What::pi_up, who, 0);
        if (random() % 4 != 0)
            happens(What::vm_start, who, static_cast<std::uint32_t>(random() % 2 * 5));
        // Few lines a VM: with many of them everybody wants everything, and there are conflicts
        // only.
        happens(What::rules, who, static_cast<std::uint32_t>(random() & random() & 0xff));
    }
    for (int i = 0; i < 6; ++i) {
        const auto a = static_cast<std::uint32_t>(random() % 64);
        happens(
            i % 3 == 0 ? What::local_plug : What::pi_plug, a,
            static_cast<std::uint32_t>(random() % 256));
    }
    return life;
}

} // namespace

Life random_life(std::uint32_t seed, std::size_t length) {
    std::mt19937 random(seed);
    unsigned all = 0;
    for (const auto& kind : kinds)
        all += kind.often;
    Life life = random() % 8 == 0 ? Life{} : beginning(random);
    while (life.size() < length) {
        auto drawn = random() % all;
        const Kind* kind = kinds.data();
        for (; drawn >= kind->often; ++kind)
            drawn -= kind->often;
        const auto a = static_cast<std::uint32_t>(random() % 64);
        auto b = static_cast<std::uint32_t>(random() % 256);
        if (kind->what == What::rules)
            b &= static_cast<std::uint32_t>(random());
        life.push_back({kind->what, a, b, random() % 4 == 0});
    }
    return life;
}

std::string format_life(const Life& life) {
    std::string text;
    for (const auto& one : life)
        text += fmt::format(
            "{} {} {}{}\n", kinds.at(static_cast<std::size_t>(one.what)).name, one.a, one.b,
            one.together ? " +" : "");
    return text;
}

Result<Life> parse_life(std::string_view text) {
    Life life;
    std::istringstream lines{std::string(text)};
    unsigned number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (line.empty() || line.front() == '#')
            continue;
        std::istringstream words(line);
        std::string name;
        std::string plus;
        Happening one;
        words >> name >> one.a >> one.b;
        const bool whole = !words.fail();
        words >> plus;
        const Kind* kind = by_name(name);
        if (!kind || !whole || !(plus.empty() || plus == "+"))
            return fail(
                ErrorKind::invalid, "line {}: \"{}\" is nothing that happens", number, line);
        one.what = kind->what;
        one.together = plus == "+";
        life.push_back(one);
    }
    return life;
}

} // namespace longcord::model
