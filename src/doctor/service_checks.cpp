// SPDX-License-Identifier: MIT
#include "doctor/service_checks.hpp"

#include <string>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace longcord {

namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_string()
               ? found->get<std::string>()
               : std::string();
}

const json& list_of(const json& object, const char* key) {
    static const json none = json::array();
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_array() ? *found : none;
}

bool flag_of(const json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_boolean() && found->get<bool>();
}

Findings check_version(const json& status, const std::string& service) {
    const auto version = text_of(status, "version");
    if (version == LONGCORD_VERSION)
        return {good(service, "runs, version " + version)};
    return {warning(
        service, fmt::format("is version {}, this command line {}", version, LONGCORD_VERSION),
        "systemctl restart " + service)};
}

void add_problems(const json& status, const std::string& service, Findings& findings) {
    for (const auto& problem : list_of(status, "problems"))
        if (problem.is_string())
            findings.push_back(warning(service, problem.get<std::string>(), {}));
}

} // namespace

Findings judge_host_status(const json& status) {
    const std::string service = "longcord-host";
    if (!status.is_object())
        return {bad(service, "does not answer", "systemctl status longcord-host")};
    Findings findings = check_version(status, service);
    for (const auto& pi : list_of(status, "pis"))
        if (!flag_of(pi, "linked"))
            findings.push_back(warning(
                "Pi " + text_of(pi, "name"), text_of(pi, "problem"), "on the Pi: longcord doctor"));
    add_problems(status, service, findings);
    return findings;
}

Findings judge_pi_status(const json& status) {
    const std::string service = "longcord-pi";
    if (!status.is_object())
        return {bad(service, "does not answer", "systemctl status longcord-pi")};
    Findings findings = check_version(status, service);
    for (const auto& link : list_of(status, "links"))
        if (!flag_of(link, "linked"))
            findings.push_back(
                bad("node " + text_of(link, "host"), text_of(link, "problem"),
                    "on the node: longcord doctor"));
    add_problems(status, service, findings);
    return findings;
}

} // namespace longcord
