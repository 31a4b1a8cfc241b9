// SPDX-License-Identifier: MIT
// longcord pair NAME: prints the one line that introduces a Pi to this node and its cluster.
#include "base/files.hpp"
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <cstdio>
#include <vector>

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

constexpr std::size_t max_key_file = 16 * 1024;

struct PairOptions {
    Common common;
    std::string name;
    bool replace = false;
    std::string key_file;
    std::vector<std::string> addresses;
};

} // namespace

/// The line alone on stdout, so that it can be taken as it is; what is said of it goes to stderr.
static void show_token(const json& reply) {
    print("longcord join " + text_field(reply, "token") + "\n");
    const double minutes = number_field(reply, "expires_s").value_or(0) / 60;
    const std::string about = fmt::format(
        "Paste this line on the Pi, as root. It is good once, for {:.0f} minutes.\n", minutes);
    std::fputs(about.c_str(), stderr);
}

static ExitCode pair(const PairOptions& options) {
    const bool as_json = options.common.json;
    json args = {{"name", options.name}, {"replace", options.replace}};
    if (!options.addresses.empty())
        args["addresses"] = options.addresses;
    if (!options.key_file.empty()) {
        const auto key = read_file(options.key_file, max_key_file);
        if (!key)
            return complain({ExitCode::failed, key.error()}, as_json);
        if (key->find_first_not_of(" \t\r\n") == std::string::npos)
            return complain(
                {ExitCode::failed, fail(ErrorKind::invalid, "{} is empty", options.key_file)},
                as_json);
        args["key"] = *key;
    }
    auto service = find_service(options.common, Role::host);
    if (!service)
        return complain(service.error(), as_json);
    const auto reply = ask(*service, "pair", args);
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json)
        print_json(*reply);
    else if (options.key_file.empty())
        show_token(*reply);
    else
        print(fmt::format(
            "{} is paired, with the key {}\n", text_field(*reply, "pi"),
            text_field(*reply, "fingerprint")));
    return ExitCode::done;
}

void add_pair(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<PairOptions>();
    CLI::App* verb = app.add_subcommand("pair", "Print the line that introduces a Pi to this node");
    verb->add_option("NAME", options->name, "What the Pi is called in rules: workbench")
        ->required()
        ->type_name("");
    verb->add_flag("--replace", options->replace, "Let it take the place of a Pi of that name");
    auto* key = verb->add_option(
        "--key", options->key_file, "Let in this public key at once, without a token");
    key->option_text("FILE");
    verb->add_option(
            "--address", options->addresses,
            "Where the Pi finds this node (default: its own addresses); up to four")
        ->option_text("HOST[:PORT]")
        ->excludes(key);
    add_common(*verb, options->common, false);
    verb->footer(
        "The line is good once, for 10 minutes, and holds for all nodes of the cluster.\n"
        "Whoever has it can pair in the Pi's place: hand it over as you would a password.");
    verb->callback([options, &exit] { exit = pair(*options); });
}

} // namespace longcord
