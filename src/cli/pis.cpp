// SPDX-License-Identifier: MIT
// longcord pis: the paired Pis, and the pairings that are under way.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/place_text.hpp"
#include "cli/verbs.hpp"
#include "cli/views.hpp"

namespace longcord {

using nlohmann::json;

static Cell link_of(const json& pi) {
    if (!flag_field(pi, "linked"))
        return {"not linked", Tone::warning};
    const auto since = number_field(pi, "since_s");
    return {"linked" + (since ? " " + duration_text(*since) : ""), Tone::good};
}

std::string pis_view(const json& reply, const Look& look) {
    Table paired({"NAME", "LINK", "ADDRESS", "KEY", "PAIRED", "PROBLEM"});
    for (const json& pi : list_field(reply, "pis"))
        paired.add(
            {text_field(pi, "name"), link_of(pi), text_field(pi, "address"),
             text_field(pi, "fingerprint"), text_field(pi, "paired_at").substr(0, 10),
             Cell(text_field(pi, "problem"), Tone::bad)});
    std::string text =
        paired.empty() ? "no Pi is paired; `longcord pair NAME` begins\n" : paired.render(look, 0);
    Table pending({"NAME", "TOKEN OF", "EXPIRES", "STATE"});
    for (const json& each : list_field(reply, "pending")) {
        const std::string used = text_field(each, "used");
        pending.add(
            {text_field(each, "name"), text_field(each, "node"), text_field(each, "expires_at"),
             used.empty() ? Cell("not used yet") : Cell("used " + used, Tone::faint)});
    }
    if (!pending.empty())
        text += "\n" + coloured("Tokens", Tone::strong, look) + "\n" + pending.render(look);
    for (const json& problem : list_field(reply, "problems"))
        text += "\n" + coloured(text_of(problem), Tone::bad, look) + "\n";
    return text;
}

static ExitCode pis(const Common& common) {
    auto service = find_service(common, Role::host);
    if (!service)
        return complain(service.error(), common.json);
    const auto reply = ask(*service, "pis", json::object());
    if (!reply)
        return complain(reply.error(), common.json);
    if (common.json)
        print_json(*reply);
    else
        print(pis_view(*reply, look_of_terminal()));
    return list_field(*reply, "problems").empty() ? ExitCode::done : ExitCode::degraded;
}

void add_pis(CLI::App& app, ExitCode& exit) {
    auto common = std::make_shared<Common>();
    CLI::App* verb = app.add_subcommand("pis", "List the paired Pis, and tokens under way");
    add_common(*verb, *common, false);
    verb->callback([common, &exit] { exit = pis(*common); });
}

} // namespace longcord
