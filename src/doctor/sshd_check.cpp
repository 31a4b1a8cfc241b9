// SPDX-License-Identifier: MIT
#include "doctor/sshd_check.hpp"

#include "base/sshd_settings.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <fnmatch.h>
#include <map>
#include <string>

#include <fmt/core.h>

namespace longcord {

namespace {

/// What config/sshd/50-longcord.conf sets and what must not be otherwise; values as sshd prints
/// them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> wanted{{
    {"authenticationmethods", "publickey"},
    {"pubkeyauthentication", "yes"},
    {"authorizedkeyscommand", "/usr/libexec/longcord/longcord-keys"},
    {"authorizedkeyscommanduser", "root"},
    {"disableforwarding", "yes"},
    {"permittunnel", "no"},
    {"permittty", "no"},
    {"permituserrc", "no"},
    {"forcecommand", "none"},
}};

std::map<std::string, std::string, std::less<>> settings(std::string_view text) {
    std::map<std::string, std::string, std::less<>> found;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = trim(text.substr(0, end));
        const auto blank = line.find(' ');
        found.emplace(
            line.substr(0, blank), blank == line.npos ? "" : trim(line.substr(blank + 1)));
        text = end == text.npos ? std::string_view() : text.substr(end + 1);
    }
    return found;
}

/// "denyusers longcord": of what keeps the user out, the drop-in cannot take these two back. A
/// pattern that has a host as well may be about others than the Pis.
std::string who_denies(std::string_view text) {
    for (const std::string_view key : {"denyusers ", "denygroups "})
        for (auto rest = text; !rest.empty();) {
            const auto end = std::min(rest.find('\n'), rest.size());
            const auto line = trim(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
            const std::string pattern(line.starts_with(key) ? trim(line.substr(key.size())) : "");
            if (::fnmatch(pattern.c_str(), "longcord", 0) == 0)
                return printable(line, 100);
        }
    return {};
}

std::string in_one_line(std::string_view text) {
    std::string line;
    for (const char each : trim(text))
        if (each == '\n')
            line += "; ";
        else if (each != '\r')
            line += each;
    return line;
}

} // namespace

Findings judge_sshd(std::string_view effective) {
    const auto found = settings(effective);
    if (!found.contains("authorizedkeyscommand"))
        return {bad(
            "sshd", "does not accept its configuration: " + printable(in_one_line(effective), 300),
            "mend it before sshd is started again, or nobody can log in; sshd -t tells when "
            "it is accepted")};
    if (const auto denies = who_denies(effective); !denies.empty())
        return {
            bad("sshd", fmt::format("keeps the user longcord out: \"{}\"", denies),
                "name those whom it is meant for, without longcord; then: systemctl reload ssh")};
    std::string wrong;
    for (const auto& [key, value] : wanted) {
        const auto setting = found.find(key);
        // Our program with arguments is as good: "/usr/libexec/longcord/longcord-keys %f".
        const bool fits =
            setting != found.end() &&
            (setting->second == value || setting->second.starts_with(std::string(value) + ' '));
        if (!fits)
            wrong += fmt::format(
                "{}\"{} {}\" (not \"{}\")", wrong.empty() ? "" : ", ", key,
                setting == found.end() ? "" : printable(setting->second, 100), value);
    }
    if (wrong.empty())
        return {good("sshd", "lets Pis in, and lets them do nothing else")};
    return {
        bad("sshd", "has for the user longcord: " + wrong,
            "is sshd_config.d/50-longcord.conf there, and included before other settings? then: "
            "systemctl reload ssh")};
}

Findings check_sshd() {
    const auto settings = sshd_settings();
    if (!settings)
        return {bad("sshd", "cannot be asked", "is openssh-server installed?")};
    return judge_sshd(*settings);
}

} // namespace longcord
