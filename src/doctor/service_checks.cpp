// SPDX-License-Identifier: MIT
#include "doctor/service_checks.hpp"

#include <algorithm>
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

/// "longcord-pi 0.1.0" of another machine.
void check_other_version(const json& other, const std::string& subject, Findings& findings) {
    const auto software = text_of(other, "software");
    if (software.empty() || software.ends_with(" " LONGCORD_VERSION))
        return;
    findings.push_back(warning(
        subject, fmt::format("runs {}, this machine {}", software, LONGCORD_VERSION),
        "apt update && apt upgrade on the older one; no device has to be taken out for it"));
}

bool is_about(const json& problem, const std::string& subject) {
    return problem.is_string() && problem.get_ref<const std::string&>().starts_with(subject + ' ');
}

/// RAM that was saved while a device was plugged will not load (docs/snapshots.md).
Finding judge_problem(const std::string& problem, const std::string& service) {
    const auto colon = problem.find(": ");
    if (problem.find("will not load") == std::string::npos || !problem.starts_with("VM "))
        return warning(service, problem, "longcord status, longcord events: more about it");
    const std::string vm = problem.substr(0, colon);
    const std::string vmid = vm.substr(std::string_view("VM ").size());
    return warning(
        vm, problem.substr(colon + 2),
        fmt::format(
            "put that line in before it is loaded; the next time: longcord vm quiesce {0} -- qm "
            "snapshot {0} NAME --vmstate 1",
            vmid));
}

/// The Pi's side of "the port is blocked"; the node's is in port_checks.
Findings check_usbip_port(const json& status) {
    const auto usbip = status.find("usbip");
    if (usbip == status.end() || !usbip->is_object())
        return {};
    const auto port = usbip->find("port");
    const auto subject = fmt::format(
        "port {}", port != usbip->end() && port->is_number_integer() ? port->get<unsigned>() : 0);
    if (flag_of(*usbip, "listening"))
        return {good(subject, "is where devices are served")};
    // The service has seen more: "port 3240 is taken by usbipd (pid 399): no device can be served".
    std::string what = "is not ours: no device can be served";
    for (const auto& problem : list_of(status, "problems"))
        if (is_about(problem, subject))
            what = problem.get<std::string>().substr(subject.size() + 1);
    return {
        bad(subject, what.substr(0, what.find(';')),
            "ss -ltnp tells who has it; stop that (systemctl disable --now usbipd), or set another "
            "usbip_port in pi.yaml")};
}

/// What check_usbip_port and kernel_checks find is told once.
bool told_elsewhere(const json& problem, const Findings& findings) {
    return is_about(problem, "no usbip-host:") || is_about(problem, "no vhci_hcd:") ||
           std::ranges::any_of(findings, [&](const Finding& finding) {
               return finding.subject.starts_with("port ") && is_about(problem, finding.subject);
           });
}

void add_problems(const json& status, const std::string& service, Findings& findings) {
    for (const auto& problem : list_of(status, "problems"))
        if (problem.is_string() && !told_elsewhere(problem, findings))
            findings.push_back(judge_problem(problem.get<std::string>(), service));
}

} // namespace

Findings judge_host_status(const json& status) {
    const std::string service = "longcord-host";
    if (!status.is_object())
        return {bad(service, "does not answer", "systemctl status longcord-host")};
    Findings findings = check_version(status, service);
    for (const auto& pi : list_of(status, "pis")) {
        const std::string subject = "Pi " + text_of(pi, "name");
        if (!flag_of(pi, "linked"))
            findings.push_back(
                warning(subject, text_of(pi, "problem"), "on the Pi: longcord doctor"));
        check_other_version(pi, subject, findings);
    }
    add_problems(status, service, findings);
    return findings;
}

Findings judge_pi_status(const json& status) {
    const std::string service = "longcord-pi";
    if (!status.is_object())
        return {bad(service, "does not answer", "systemctl status longcord-pi")};
    Findings findings = check_version(status, service);
    for (auto& finding : check_usbip_port(status))
        findings.push_back(std::move(finding));
    for (const auto& link : list_of(status, "links")) {
        const std::string subject = "node " + text_of(link, "host");
        if (!flag_of(link, "linked"))
            findings.push_back(
                bad(subject, text_of(link, "problem"), "on the node: longcord doctor"));
        check_other_version(link, subject, findings);
    }
    add_problems(status, service, findings);
    return findings;
}

} // namespace longcord
