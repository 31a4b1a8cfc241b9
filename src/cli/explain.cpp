// SPDX-License-Identifier: MIT
// longcord explain PLACE: which rules match, which won, what happens next.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/place_text.hpp"
#include "cli/verbs.hpp"
#include "cli/views.hpp"

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

static Cell verdict_cell(const json& rule, const json& winner) {
    std::string verdict = text_field(rule, "verdict");
    for (char& c : verdict)
        if (c == '_')
            c = ' ';
    if (verdict == "no match")
        return {verdict, Tone::faint};
    if (winner.is_object() && verdict == "matches" &&
        text_field(rule, "vmid") == text_field(winner, "vmid") &&
        text_field(rule, "line") == text_field(winner, "line"))
        return {"wins", Tone::good};
    return {verdict, verdict == "matches" ? Tone::plain : Tone::warning};
}

static std::string file_and_line(const json& rule) {
    const std::string file = text_field(rule, "file");
    const auto slash = file.rfind('/');
    return fmt::format(
        "{}:{}", slash == std::string::npos ? file : file.substr(slash + 1),
        text_field(rule, "line"));
}

std::string explain_view(const json& reply, const Look& look) {
    const json& device = field(reply, "device");
    std::string text = coloured(text_field(reply, "place"), Tone::strong, look) + "  " +
                       (device.is_object() ? label_of(device) : "nothing is plugged here") + "\n";
    Table facts({"", ""});
    const auto fact = [&](const char* name, const std::string& value) {
        if (!value.empty())
            facts.add({name, value});
    };
    fact("controller", text_field(device, "controller"));
    fact("class", class_of(device));
    fact("speed", text_field(device, "speed"));
    if (device.is_object())
        fact("state", join_words({state_cell(device).text, vm_of(device), why_of(device)}));
    text += facts.render(look);

    Table rules({"VM", "LINE", "RULE", "VERDICT", "REASON"});
    for (const bool matching : {true, false}) // what matters first
        for (const json& rule : list_field(reply, "rules")) {
            const Cell verdict = verdict_cell(rule, field(reply, "winner"));
            if ((verdict.text != "no match") == matching)
                rules.add(
                    {vm_number_of(rule), file_and_line(rule), text_field(rule, "rule"), verdict,
                     text_field(rule, "reason")});
        }
    text += "\n" + coloured("Rules", Tone::strong, look) + "\n";
    text += rules.empty() ? "  no VM has any rule\n" : rules.render(look);

    Table end({"", ""});
    const auto sentence = [&](const char* name, const std::string& words) {
        if (!words.empty())
            end.add({Cell(name, Tone::strong), words});
    };
    sentence("Outcome", text_field(reply, "outcome"));
    sentence("Next", text_field(reply, "next"));
    return end.empty() ? text : text + "\n" + end.render(look, 0);
}

namespace {

struct ExplainOptions {
    Common common;
    std::string place;
};

} // namespace

static ExitCode explain(const ExplainOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::host);
    if (!service)
        return complain(service.error(), as_json);
    const auto reply = ask(*service, "explain", {{"place", options.place}});
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json)
        print_json(*reply);
    else
        print(explain_view(*reply, look_of_terminal()));
    return ExitCode::done;
}

void add_explain(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<ExplainOptions>();
    CLI::App* verb = app.add_subcommand(
        "explain", "Tell which rules match a place, which wins, and what is next");
    verb->add_option("PLACE", options->place, "3-4.1, workbench/1-1.2, pci-0000:00:14.0/4.1")
        ->required()
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer("Every rule of every VM is listed with its verdict and the reason for it.\n"
                 "`longcord devices` lists the places.");
    verb->callback([options, &exit] { exit = explain(*options); });
}

} // namespace longcord
