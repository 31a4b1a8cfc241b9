// SPDX-License-Identifier: MIT
#include "serial/esp_reset.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

/// Plays a client's commands ("D1", "R0", "W100" waits 100 ms) and writes down what stood on the
/// wire, as "ms:DTR,RTS".
struct Bench {
    EspReset reset{ModemLines{}};
    TimePoint start{};
    TimePoint now{};
    std::string wire;

    void note(const std::optional<ModemLines>& lines) {
        if (!lines)
            return;
        const auto ms = std::chrono::duration_cast<milliseconds>(now - start).count();
        wire += (wire.empty() ? "" : " ") + std::to_string(ms) + ":" +
                std::to_string(int{lines->dtr}) + std::to_string(int{lines->rts});
    }
    void pass(milliseconds time) {
        const TimePoint until = now + time;
        while (reset.wake_at() && *reset.wake_at() <= until) {
            now = *reset.wake_at();
            note(reset.tick(now));
        }
        now = until;
    }
    std::string play(const std::string& script) {
        for (std::size_t at = 0; at < script.size();) {
            const std::size_t end = std::min(script.find(' ', at), script.size());
            const std::string word = script.substr(at, end - at);
            if (word[0] == 'W')
                pass(milliseconds(std::stoi(word.substr(1))));
            else
                note(reset.control(word[0] == 'D', word[1] == '1', now));
            at = end + 1;
        }
        pass(milliseconds(5000));
        return wire;
    }
};

} // namespace

static std::string played(const std::string& script) {
    return Bench{}.play(script);
}

TEST_CASE("esptool's classic reset is played whole: reset, loader, with no step between") {
    CHECK(played("D0 R1 W100 D1 R0 W50 D0") == "100:01 200:10 250:00");
}

TEST_CASE("the same as esptool sends it, with DTR repeated after each RTS") {
    CHECK(played("D0 R1 D0 W100 D1 R0 D1 W50 D0") == "100:01 200:10 250:00");
}

TEST_CASE("the same after pyserial has opened the port with both lines on") {
    CHECK(played("D1 R1 W500 D0 R1 W100 D1 R0 W50 D0") == "0:10 0:11 500:00 600:01 700:10 750:00");
}

TEST_CASE("commands that the network has held up change nothing in what is played") {
    CHECK(played("D0 W300 R1 W700 D1 W900 R0 W30 D0") == "1900:01 2000:10 2050:00");
}

TEST_CASE("a client that wants the boot pin low for longer gets it") { // esptool's second try
    CHECK(played("D0 R1 W100 D1 R0 W550 D0") == "100:01 200:10 650:00");
}

TEST_CASE("a hard reset is played whole, however short the client's own was") {
    CHECK(played("R1 W100 R0") == "100:01 200:00");
    CHECK(played("R1 R0") == "0:01 100:00");
    CHECK(played("R1 W5000 R0") == "5000:01 5100:00");
}

TEST_CASE("no client resets the board by connecting, in whichever order it sets its lines") {
    for (const char* script :
         {"D1 R1", "D0 R0", "D0 R1", "D1 R0", "R1 D1", "R0 D0", "R1 D0", "R0 D1", "R1", "D1",
          "D1 R1 W1000 D0 R0", "D1 R1 W1000 R0 D0", "D0 R1 W3000 D1"}) {
        CAPTURE(script);
        CHECK(played(script).find(":01") == std::string::npos);
    }
}

TEST_CASE("both lines on, which may be the middle of a pattern, follow late") {
    CHECK(played("R1 D1 W5000 R0") == "1500:11 5000:10");
}

TEST_CASE("levels follow") {
    CHECK(played("D1 W10 R1 W10 R0 W10 D0") == "0:10 10:11 20:10 30:00");
}

TEST_CASE("RTS alone never stands on the wire outside a pattern") {
    CHECK(played("R1 W2000") == "");
    CHECK(played("D1 R1 W10 D0 W2000") == "0:10 0:11 10:00");
}

TEST_CASE("steps too far apart are no loader pattern") {
    CHECK(played("R1 W1501 D1 W10 R0 W10 D0").find(":01") == std::string::npos);
    CHECK(played("R1 W100 D1 W1501 R0 W10 D0").find(":01") == std::string::npos);
    CHECK(played("R1 W1500 D1 W1499 R0 W10 D0").find(":01") != std::string::npos);
}

TEST_CASE("a second pattern during the first starts anew") {
    CHECK(played("R1 W10 R0 W50 R1 W10 R0") == "10:01 170:00");
}

TEST_CASE("a step that comes late holds the next one back") {
    Bench bench;
    for (const auto& [dtr, on] : {std::pair(false, true), {true, true}, {false, false}})
        bench.note(bench.reset.control(dtr, on, bench.now));
    REQUIRE(bench.reset.playing());
    bench.now += milliseconds(400); // the loop was busy
    bench.note(bench.reset.tick(bench.now));
    CHECK(*bench.reset.wake_at() == bench.now + EspReset::boot_hold);
    CHECK_FALSE(bench.reset.tick(bench.now).has_value());
}

TEST_CASE("a step that the adapter was slow to take lasts as long as it must") {
    Bench bench;
    for (const auto& [dtr, on] : {std::pair(false, true), {true, true}, {false, false}})
        bench.note(bench.reset.control(dtr, on, bench.now));
    bench.now += milliseconds(30); // RTS stands only now
    bench.reset.on_wire(bench.now);
    CHECK(*bench.reset.wake_at() == bench.now + EspReset::reset_hold);
    bench.now = *bench.reset.wake_at();
    bench.note(bench.reset.tick(bench.now));
    bench.now += milliseconds(40); // DTR
    bench.reset.on_wire(bench.now);
    CHECK(*bench.reset.wake_at() == bench.now + EspReset::boot_hold);
}
