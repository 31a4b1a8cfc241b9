// SPDX-License-Identifier: MIT
// What can stand where the cursor is, on a command line made of every kind of argument.
#include "cli/completion.hpp"

#include <algorithm>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <doctest/doctest.h>

using namespace longcord;
using Kind = Completion::Kind;

namespace {

struct Line {
    Line() {
        app.add_subcommand("status", "Show it")->group("Verbs")->add_option("VMID", vmid);
        CLI::App* mode = app.add_subcommand("mode", "Say what it is for");
        mode->group("Verbs");
        mode->add_option("PLACE", text)->required();
        mode->add_option("MODE", text)->check(CLI::IsMember({"usbip", "serial"}));
        mode->add_option("--serial", text)->option_text("NUMBER");
        mode->add_option("--on", text)->option_text("host|pi");
        mode->add_flag("--json", flag, "Print JSON");
        CLI::App* rules = app.add_subcommand("rules", "Check rules");
        rules->group("Verbs");
        rules->add_subcommand("check", "Find errors")->add_option("FILE", texts);
        app.add_subcommand("unpair", "Forget")->group("Verbs")->add_option("NAME", text);
        app.add_subcommand("pair", "Introduce")->group("Verbs")->add_option("NAME", text);
        app.add_subcommand("secret", "Not shown")->group("");
    }
    Completion at(const std::vector<std::string>& words) { return complete(app, words); }

    CLI::App app{"A line"};
    unsigned vmid = 0;
    bool flag = false;
    std::string text;
    std::vector<std::string> texts;
};

std::vector<std::string> words_of(const Completion& completion) {
    std::vector<std::string> words;
    for (const auto& each : completion.words)
        words.push_back(each.word);
    std::sort(words.begin(), words.end());
    return words;
}

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("first come the verbs, with what they do; hidden ones stay hidden") {
    Line line;
    const auto verbs = line.at({""});
    CHECK(words_of(verbs) == Words{"mode", "pair", "rules", "status", "unpair"});
    CHECK(line.at({}) == verbs);
    CHECK(std::ranges::find(verbs.words, Candidate{"status", "Show it"}) != verbs.words.end());
    CHECK(words_of(line.at({"rules", ""})) == Words{"check"});
}

TEST_CASE("an argument is completed by its name in --help") {
    Line line;
    CHECK(line.at({"status", "1"}).kind == Kind::vmid);
    CHECK(line.at({"mode", ""}).kind == Kind::place);
    CHECK(line.at({"rules", "check", "/etc"}).kind == Kind::file);
    CHECK(line.at({"unpair", ""}).kind == Kind::pi);
    CHECK(line.at({"pair", ""}).kind == Kind::none);
}

TEST_CASE("where only some words are allowed, it is these") {
    Line line;
    CHECK(words_of(line.at({"mode", "1-1.2", ""})) == Words{"serial", "usbip"});
    CHECK(words_of(line.at({"mode", "--on", ""})) == Words{"host", "pi"});
    CHECK(words_of(line.at({"mode", "--on=h"})) == Words{"host", "pi"});
    CHECK(line.at({"mode", "--serial", ""}).kind == Kind::none);
}

TEST_CASE("options and their values are no arguments") {
    Line line;
    CHECK(line.at({"mode", "--json", ""}).kind == Kind::place);
    CHECK(line.at({"mode", "--on", "pi", ""}).kind == Kind::place);
    CHECK(line.at({"mode", "--on=pi", ""}).kind == Kind::place);
    CHECK(words_of(line.at({"mode", "-"})) == Words{"--help", "--json", "--on", "--serial"});
}

TEST_CASE("behind the last argument there is nothing, unless it may be repeated") {
    Line line;
    CHECK(line.at({"mode", "1-1", "usbip", ""}) == Completion{});
    CHECK(line.at({"status", "100", ""}) == Completion{});
    CHECK(line.at({"rules", "check", "a", "b", ""}).kind == Kind::file);
}

TEST_CASE("behind -- is a command of another program") {
    Line line;
    CHECK(line.at({"status", "100", "--", "q"}).kind == Kind::file);
}

TEST_CASE("what makes no sense has no completion and does no harm") {
    Line line;
    CHECK(line.at({"mode", "--nonsense=", ""}).kind == Kind::place);
    CHECK(line.at({"mode", "--nonsense=a"}) == Completion{});
    CHECK(line.at({"nonsense", "mode", ""}) == Completion{});
}
