// SPDX-License-Identifier: MIT
#include "serial/telnet.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace longcord;
using Kind = TelnetEvent::Kind;
using Speaks = TelnetReader::Speaks;

static std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values)
        out += static_cast<char>(value);
    return out;
}

namespace {

struct Said {
    std::string data;                  // all data, joined
    std::vector<std::string> commands; // "WILL 44", "SB 44 ...", "243"
};

} // namespace

static void take(TelnetReader& reader, std::string_view in, Said& said) {
    while (const auto event = reader.next(in)) {
        if (event->kind == Kind::data)
            said.data += event->data;
        else if (event->kind == Kind::option)
            said.commands.push_back(
                std::to_string(event->command) + " " + std::to_string(event->option));
        else if (event->kind == Kind::subnegotiation)
            said.commands.push_back(
                "SB " + std::to_string(event->option) + " " + std::string(event->data));
        else
            said.commands.push_back(std::to_string(event->command));
    }
    CHECK(in.empty());
}

/// The same, whether it comes in one piece or byte by byte.
static Said all(std::string_view in, Speaks speaks) {
    TelnetReader whole;
    Said said;
    take(whole, in, said);
    CHECK(whole.speaks() == speaks);
    TelnetReader single;
    Said again;
    for (std::size_t i = 0; i < in.size(); ++i)
        take(single, in.substr(i, 1), again);
    CHECK(single.speaks() == speaks);
    CHECK(again.data == said.data);
    CHECK(again.commands == said.commands);
    return said;
}

static std::string every_byte() {
    std::string out;
    for (int value = 0; value < 256; ++value)
        out += static_cast<char>(value);
    return out;
}

static const std::string opener = bytes({255, 251, 44});

TEST_CASE("a client that never sends 0xff stays undecided, and its bytes are data") {
    CHECK(all("hello\r\n", Speaks::undecided).data == "hello\r\n");
}

TEST_CASE("all 256 byte values of a raw client are data, 0xff not undoubled") {
    const std::string text = every_byte() + every_byte();
    const Said said = all(text, Speaks::raw);
    CHECK(said.data == text);
    CHECK(said.commands.empty());
}

TEST_CASE("0xff 0xff as the first 0xff makes a raw client: both bytes are data") {
    const std::string text = bytes({255, 255, 'x', 255, 253, 1});
    CHECK(all(text, Speaks::raw).data == text);
}

TEST_CASE("an erased flash image is data") {
    const std::string text = "\xe9" + std::string(1000, '\xff') + bytes({251, 44, 255, 251, 44});
    CHECK(all(text, Speaks::raw).data == text);
}

TEST_CASE("at the start of a connection any command makes a telnet client") {
    CHECK(
        all(bytes({255, 253, 99}), Speaks::telnet).commands == std::vector<std::string>{"253 99"});
    CHECK(all(bytes({255, 246}), Speaks::telnet).commands == std::vector<std::string>{"246"});
    CHECK(all(bytes({255, 243, 'a'}), Speaks::telnet).data == "a");
    CHECK(all(opener, Speaks::telnet).commands == std::vector<std::string>{"251 44"});
}

TEST_CASE("after data, only an option that telnet clients negotiate makes one") {
    const Said said = all("hi" + opener + bytes({255, 255}), Speaks::telnet);
    CHECK(said.data == bytes({'h', 'i', 255}));
    CHECK(said.commands == std::vector<std::string>{"251 44"});
    CHECK(all("hi" + bytes({255, 250, 44, 5, 8, 255, 240}), Speaks::telnet).commands.size() == 1);
    for (const std::string& text :
         {"hi" + bytes({255, 251, 99}), "hi" + bytes({255, 243}), "hi" + bytes({255, 250, 24})})
        CHECK(all(text, Speaks::raw).data == text);
}

TEST_CASE("a lone 0xff waits for what follows, and is data when nothing does") {
    TelnetReader reader;
    Said said;
    take(reader, "x\xff", said);
    CHECK(said.data == "x");
    CHECK(reader.waits());
    CHECK(reader.give_up() == "\xff");
    CHECK(reader.speaks() == Speaks::raw);
    CHECK_FALSE(reader.waits());
    take(reader, bytes({251, 44}) + opener, said);
    CHECK(said.data == "x" + bytes({251, 44}) + opener);
    CHECK(reader.give_up().empty());
}

TEST_CASE("a telnet client's doubled 0xff is one, wherever the reads are cut") {
    std::string doubled = opener;
    append_doubled(doubled, every_byte() + bytes({255, 255, 255}) + "end");
    CHECK(all(doubled, Speaks::telnet).data == every_byte() + bytes({255, 255, 255}) + "end");
}

TEST_CASE("0xff is doubled in data and nothing else is") {
    std::string out;
    append_doubled(out, bytes({255, 1, 255, 255}));
    CHECK(out == bytes({255, 255, 1, 255, 255, 255, 255}));
    out.clear();
    append_doubled(out, "");
    CHECK(out.empty());
}

TEST_CASE("0xff inside a subnegotiation is doubled: a mask of 255, a rate with 0xff in it") {
    CHECK(subnegotiation(44, bytes({111, 255})) == bytes({255, 250, 44, 111, 255, 255, 255, 240}));
    const Said said =
        all(opener + bytes({255, 250, 44, 1, 0, 255, 255, 255, 255, 0, 255, 240}), Speaks::telnet);
    CHECK(said.commands.back() == "SB 44 " + bytes({1, 0, 255, 255, 0}));
}

TEST_CASE("a subnegotiation of the greatest length is taken, a longer one is dropped whole") {
    const auto sub = [](std::size_t size) {
        return bytes({255, 250, 44}) + std::string(size, 'a') + bytes({255, 240});
    };
    CHECK(all(opener + sub(max_subnegotiation), Speaks::telnet).commands.size() == 2);
    const Said said = all(opener + sub(max_subnegotiation + 1) + "after" + sub(1), Speaks::telnet);
    CHECK(said.commands == std::vector<std::string>{"251 44", "SB 44 a"});
    CHECK(said.data == "after");
    const std::string ff(2 * (max_subnegotiation + 1), '\xff');
    CHECK(
        all(opener + bytes({255, 250, 44}) + ff + bytes({255, 240}), Speaks::telnet)
            .commands.size() == 1);
}

TEST_CASE("a subnegotiation that is left without its end is dropped, and the command counts") {
    const Said said =
        all(opener + bytes({255, 250, 44, 5, 255, 251, 3, 'x', 255, 250, 44, 5, 8, 255, 240}),
            Speaks::telnet);
    CHECK(said.commands == std::vector<std::string>{"251 44", "251 3", "SB 44 \x05\x08"});
    CHECK(said.data == "x");
}

TEST_CASE("a subnegotiation of nothing ends where it says so, and swallows nothing") {
    const Said said = all(
        opener + bytes({255, 250, 255, 240}) + "after" + bytes({255, 250, 255, 251, 3}) + "wards",
        Speaks::telnet);
    CHECK(said.data == "afterwards");
    CHECK(said.commands == std::vector<std::string>{"251 44", "SB 255 ", "251 3"});
}

TEST_CASE("commands without a meaning are no data") {
    const Said said = all(opener + bytes({255, 240, 255, 7, 255, 241, 'x'}), Speaks::telnet);
    CHECK(said.data == "x");
    CHECK(said.commands == std::vector<std::string>{"251 44", "241"});
}
