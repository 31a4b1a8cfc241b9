// SPDX-License-Identifier: MIT
#include "link/line_framer.hpp"
#include "link/line_gate.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

std::vector<LineFramer::Line> lines_of(LineFramer& framer, std::string_view bytes) {
    std::vector<LineFramer::Line> lines;
    framer.push(bytes);
    while (auto line = framer.next())
        lines.push_back(std::move(*line));
    return lines;
}

using Lines = std::vector<LineFramer::Line>;

} // namespace

TEST_CASE("lines come out whole, however the bytes came in") {
    const std::string bytes = "one\ntwo\n\nthree\n";
    const Lines expected = {{"one"}, {"two"}, {"three"}};
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        LineFramer framer(10);
        Lines lines;
        for (std::size_t i = 0; i < bytes.size(); i += step)
            for (auto& line : lines_of(framer, bytes.substr(i, step)))
                lines.push_back(line);
        CHECK(lines == expected);
        CHECK(framer.size() == 0);
    }
}

TEST_CASE("a line at the limit passes, one above it is reported once and skipped to its end") {
    for (std::size_t step = 1; step <= 30; ++step) {
        CAPTURE(step);
        LineFramer framer(5);
        const std::string bytes = "12345\n123456\n1234567890abc\nok\n";
        Lines lines;
        for (std::size_t i = 0; i < bytes.size(); i += step)
            for (auto& line : lines_of(framer, bytes.substr(i, step)))
                lines.push_back(line);
        CHECK(lines == Lines{{"12345"}, {"", true}, {"", true}, {"ok"}});
    }
}

TEST_CASE("an endless line costs no memory") {
    LineFramer framer(100);
    std::size_t reports = 0;
    for (int i = 0; i < 10'000; ++i) {
        reports += lines_of(framer, std::string(1000, 'x')).size();
        REQUIRE(framer.size() <= 100);
    }
    CHECK(reports == 1);
    CHECK(lines_of(framer, "\nok\n") == Lines{{"ok"}});
}

TEST_CASE("a gate that opens in the middle of a line drops the rest of it") {
    LineGate gate;
    CHECK(gate.pass("before\n").empty());
    gate.open();
    CHECK(gate.pass("whole\n") == "whole\n");
    CHECK(gate.pass("ha") == "ha");
    gate.close();
    CHECK(gate.pass("l").empty());
    gate.open();
    CHECK(gate.pass("f").empty());
    CHECK(gate.pass(" a line\nnext\nand") == "next\nand");
    gate.close();
    gate.open(); // closed and opened between two reads
    CHECK(gate.pass(" so on\nthen\n") == "then\n");
    CHECK(gate.pass("").empty());
    CHECK(gate.pass("more\n") == "more\n");
}
