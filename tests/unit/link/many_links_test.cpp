// SPDX-License-Identifier: MIT
// Fifty Pis and one real sshd with its default MaxStartups (10:30:100): all come back after it was
// killed, and a Pi that is refused does not keep its neighbour out.
#include "base/spawn.hpp"
#include "link/ssh_link.hpp"
#include "link_fixture.hpp"
#include "sshd_fixture.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include <unistd.h>

using namespace longcord;
using namespace std::chrono_literals;

namespace {

constexpr int many = 50;

struct OnePi {
    OnePi(asio::io_context& loop, LinkTarget target)
        : link(
              loop, std::move(target),
              {.up = [] {}, .message = [this](HostMessage m) { take(m); }, .down = [](Error) {}}) {
        spawn_guarded(loop, "one of many", link.run());
    }
    void take(const HostMessage& message) {
        if (!std::holds_alternative<Welcome>(message))
            return;
        link.send(Hello{});
        link.send(Devices{});
    }
    LinkClient link;
};

} // namespace

TEST_CASE("fifty links come back after sshd was killed, and a refused one hurts nobody") {
    REQUIRE_MESSAGE(::geteuid() == 0, "run as root: sshd runs its key command as another user");
    TemporaryFolder folder;
    const Roots roots{folder.path()};
    Sshd sshd(folder.path());
    asio::io_context loop(1);
    Service service(loop, roots);
    std::vector<std::unique_ptr<OnePi>> pis;
    sshd.start();
    for (int i = 0; i < many; ++i) {
        auto target = sshd.target();
        target.identity = sshd.make_key("key" + std::to_string(i));
        sshd.pair("pi" + std::to_string(i), target.identity);
        pis.push_back(std::make_unique<OnePi>(loop, target));
    }
    auto stranger = sshd.target();
    stranger.identity = sshd.make_key("stranger");
    OnePi refused(loop, stranger);

    const auto linked = [&] {
        return std::ranges::count_if(pis, [](const auto& pi) { return pi->link.linked(); });
    };
    REQUIRE_MESSAGE(
        run_until(
            loop, [&] { return linked() == many; }, 300s),
        linked());
    for (int round = 0; round < 2; ++round) {
        sshd.kill();
        REQUIRE(run_until(
            loop, [&] { return linked() == 0; }, 60s));
        sshd.start();
        REQUIRE_MESSAGE(
            run_until(
                loop, [&] { return linked() == many; }, 300s),
            linked());
    }
    CHECK_FALSE(refused.link.linked());
    CHECK(refused.link.last_problem().find("sshd refuses") != std::string::npos);
}

TEST_CASE("a refused Pi stays below what sshd penalises an address for") {
    // sshd_config(5), PerSourcePenalties, from OpenSSH 9.8: authfail:5s, in force from min:15s on.
    constexpr seconds authfail{5};
    constexpr seconds in_force{15};
    seconds penalty{0};
    for (int attempt = 0; attempt < 100; ++attempt) {
        penalty += authfail;
        CHECK(penalty < in_force);
        penalty -= std::min<seconds>(
            penalty, std::chrono::duration_cast<seconds>(ReconnectDelay::after_refusal));
    }
}
