// SPDX-License-Identifier: MIT
// longcord complete WORD...: for shells. One candidate a line, what it is behind a tab; a line
// ":files" says that files are meant. Whatever is wrong, it is silent: somebody is typing.
#include "cli/complete.hpp"

#include "cli/completion.hpp"
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/rules_sources.hpp"
#include "cli/verbs.hpp"

#include <set>

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

/// As long as somebody is patient with a key.
constexpr milliseconds patience{1'500};

using Kind = Completion::Kind;

/// Of each service that runs here and answers.
std::vector<json> ask_both(std::string_view verb) {
    std::vector<json> replies;
    for (const char* service : {"host", "pi"}) {
        Common common;
        common.on = service;
        if (auto found = find_service(common))
            if (auto reply = found->call(verb, json::object(), patience))
                replies.push_back(std::move(*reply));
    }
    return replies;
}

std::vector<Candidate> places() {
    std::vector<Candidate> found;
    for (const json& reply : ask_both("devices"))
        for (const json& device : list_field(reply, "devices"))
            if (!flag_field(device, "hub"))
                found.push_back(
                    {text_field(device, "place"),
                     fmt::format(
                         "{} {}", text_field(device, "id"), text_field(device, "product"))});
    return found;
}

std::vector<Candidate> pis() {
    std::vector<Candidate> found;
    for (const json& reply : ask_both("pis"))
        for (const json& pi : list_field(reply, "pis"))
            found.push_back({text_field(pi, "name"), {}});
    return found;
}

std::vector<Candidate> rules() {
    auto found = places();
    for (auto& pi : pis())
        found.push_back({std::move(pi.word), "everything that this Pi exports"});
    return found;
}

/// Names: those of machines of host.yaml, which some verbs take as well.
std::vector<Candidate> vms(bool names) {
    std::vector<Candidate> found;
    for (const json& reply : ask_both("status"))
        for (const json& vm : list_field(reply, "vms")) {
            const auto machine = text_field(vm, "machine");
            if (machine.empty())
                found.push_back({text_field(vm, "vmid"), text_field(vm, "name")});
            else if (names)
                found.push_back({machine, {}});
        }
    const auto known = known_vmids(Roots::from_environment());
    for (const unsigned vmid : known.value_or(std::vector<unsigned>()))
        found.push_back({std::to_string(vmid), {}});
    return found;
}

std::vector<Candidate> nodes() {
    std::vector<Candidate> found;
    for (const json& reply : ask_both("status"))
        for (const json& link : list_field(reply, "links")) {
            const auto node = text_field(link, "node");
            found.push_back({node.empty() ? text_field(link, "host") : node, {}});
        }
    return found;
}

std::vector<Candidate> candidates(Completion wanted) {
    switch (wanted.kind) {
    case Kind::none:
        return {};
    case Kind::fixed:
        return std::move(wanted.words);
    case Kind::place:
        return places();
    case Kind::rule:
        return rules();
    case Kind::vmid:
        return vms(false);
    case Kind::vm:
        return vms(true);
    case Kind::pi:
        return pis();
    case Kind::node:
        return nodes();
    case Kind::file:
        return {{":files", {}}};
    }
    return {};
}

} // namespace

ExitCode complete_for_shell(CLI::App& app, const std::vector<std::string>& words) {
    std::set<std::string> told;
    std::string text;
    for (const auto& [word, what] : candidates(complete(app, words)))
        if (!word.empty() && told.insert(word).second)
            text.append(word).append(what.empty() ? "" : "\t").append(what).append("\n");
    print(text);
    return ExitCode::done;
}

} // namespace longcord
