// SPDX-License-Identifier: MIT
#include "cli/service.hpp"

#include "base/roots.hpp"

namespace longcord {

static const char* name_of(Role role) {
    return role == Role::host ? "host" : "pi";
}

static std::filesystem::path socket_of(Role role) {
    return Roots::from_environment().run() / (std::string(name_of(role)) + ".sock");
}

static Failure because(const Error& error, Role role) {
    switch (error.kind) {
    case ErrorKind::not_found:
        return {
            ExitCode::not_running,
            fail(
                ErrorKind::unavailable,
                "longcord-{0} is not running here; start it: systemctl start longcord-{0}",
                name_of(role))};
    case ErrorKind::refused:
        return {
            ExitCode::refused, fail(
                                   ErrorKind::refused, "{} is not for this user; try again as root",
                                   socket_of(role).string())};
    default:
        return {ExitCode::failed, error};
    }
}

static Attempt<ControlClient> connect_to(Role role) {
    auto client = ControlClient::connect(socket_of(role));
    if (!client)
        return because(client.error(), role);
    return std::move(*client);
}

static Attempt<ControlClient> connect_to_either() {
    auto host = connect_to(Role::host);
    auto pi = connect_to(Role::pi);
    if (host && pi)
        return Failure{
            ExitCode::usage,
            fail(
                ErrorKind::invalid, "longcord-host and longcord-pi both run here: add --on host "
                                    "or --on pi")};
    if (host)
        return host;
    if (pi)
        return pi;
    if (host.error().code == ExitCode::not_running && pi.error().code == ExitCode::not_running)
        return Failure{
            ExitCode::not_running,
            fail(
                ErrorKind::unavailable, "no Longcord service is running here; start it: "
                                        "systemctl start longcord-host (or longcord-pi)")};
    return host.error().code == ExitCode::not_running ? pi.error() : host.error();
}

Attempt<ControlClient> find_service(const Common& common, std::optional<Role> only) {
    if (only && !common.on.empty() && common.on != name_of(*only))
        return Failure{
            ExitCode::usage,
            fail(
                ErrorKind::invalid, "this is a verb of longcord-{}: --on {} is not possible",
                name_of(*only), common.on)};
    if (only)
        return connect_to(*only);
    if (!common.on.empty())
        return connect_to(common.on == "host" ? Role::host : Role::pi);
    return connect_to_either();
}

Attempt<nlohmann::json> ask(
    ControlClient& service, std::string_view verb, const nlohmann::json& args) {
    auto reply = service.call(verb, args);
    if (reply)
        return std::move(*reply);
    switch (reply.error().kind) {
    case ErrorKind::refused:
        return Failure{ExitCode::refused, reply.error()};
    case ErrorKind::invalid:
        return Failure{ExitCode::usage, reply.error()};
    default:
        return Failure{ExitCode::failed, reply.error()};
    }
}

} // namespace longcord
