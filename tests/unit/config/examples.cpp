// SPDX-License-Identifier: MIT
// The shipped files are the documentation of every key: they must be true.
#include "base/files.hpp"
#include "config/host_config.hpp"
#include "config/pi_config.hpp"
#include "config/portal_config.hpp"

#include <set>
#include <sstream>

#include <doctest/doctest.h>

using namespace longcord;

static std::string shipped(const std::string& name) {
    const auto text = read_file(LONGCORD_TEST_DATA "/../../../config/" + name, 1 << 20);
    REQUIRE_MESSAGE(text.has_value(), name);
    return *text;
}

/// The commented settings, a block for each top-level key: "#key: value" starts one, "#  key: ..."
/// goes on with it; prose is "# ...".
static std::vector<std::string> settings(const std::string& text) {
    std::vector<std::string> blocks;
    bool inside = false;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.size() > 1 && line[0] == '#' && line[1] != ' ') {
            blocks.push_back(line.substr(1) + "\n");
            inside = true;
        } else if (inside && line.starts_with("#  ")) {
            blocks.back() += line.substr(1) + "\n";
        } else {
            inside = false;
        }
    }
    return blocks;
}

/// The keys that the parser knows, from what it says to one that is like none of them.
static std::set<std::string> known_keys(const std::string& error) {
    std::set<std::string> out;
    std::istringstream words(error.substr(error.find("known are: ") + 11));
    for (std::string word; std::getline(words >> std::ws, word, ',');)
        out.insert(word);
    return out;
}

template <class Config, class Parse> static void prove(const std::string& file, Parse parse) {
    const std::string text = shipped(file);
    std::string all;
    std::set<std::string> shown;
    const auto untouched = parse(text, file);
    REQUIRE_MESSAGE(untouched.has_value(), (untouched ? "" : untouched.error().message));
    CHECK(*untouched == Config{});
    for (const std::string& block : settings(text)) {
        const auto config = parse(block, file);
        REQUIRE_MESSAGE(config.has_value(), (config ? block : config.error().message));
        CHECK_MESSAGE(*config == Config{}, block);
        shown.insert(block.substr(0, block.find(':')));
        all += block;
    }
    const auto config = parse(all, file);
    REQUIRE(config.has_value());
    CHECK(*config == Config{});
    const auto error = parse("qqqqqqqq: 1", file);
    REQUIRE(!error.has_value());
    CHECK(known_keys(error.error().message) == shown);
}

TEST_CASE("every key of host.yaml is shown, parses when uncommented, and is the default") {
    prove<HostConfig>("host.yaml", parse_host_config);
}

TEST_CASE("every key of pi.yaml is shown, parses when uncommented, and is the default") {
    prove<PiConfig>("pi.yaml", parse_pi_config);
}

TEST_CASE("every key of portal.yaml is shown, parses when uncommented, and is the default") {
    prove<PortalConfig>("portal.yaml", parse_portal_config);
}

TEST_CASE("the nested keys of the shipped files are all there") {
    const auto error = [](const auto& result) {
        REQUIRE(!result.has_value());
        return known_keys(result.error().message);
    };
    const std::string pi = shipped("pi.yaml");
    for (const auto& key : error(parse_pi_config("export: { qqqqqqqq: 1 }", "f")))
        CHECK_MESSAGE(pi.find("#  " + key + ":") != std::string::npos, key);
    for (const auto& key : error(parse_pi_config("export: { never: { qqqqqqqq: 1 } }", "f")))
        CHECK_MESSAGE(pi.find("#    " + key + ":") != std::string::npos, key);
    for (const auto& key : error(parse_pi_config("serial: { qqqqqqqq: 1 }", "f")))
        CHECK_MESSAGE(pi.find("#  " + key + ":") != std::string::npos, key);
    const std::string host = shipped("host.yaml");
    for (const auto& key : error(parse_host_config("serial: { qqqqqqqq: 1 }", "f")))
        CHECK_MESSAGE(host.find("#  " + key + ":") != std::string::npos, key);
    for (const auto& key : error(parse_host_config("controllers: { qqqqqqqq: 1 }", "f")))
        CHECK_MESSAGE(host.find("#  " + key + ":") != std::string::npos, key);
}
