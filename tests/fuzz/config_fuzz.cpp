// SPDX-License-Identifier: MIT
// A YAML file through the loaders of host.yaml, pi.yaml and portal.yaml: each takes it, or says in
// which line it is wrong, and what it took is within the bounds that it promises.
#include "base/text.hpp"
#include "config/host_config.hpp"
#include "config/pi_config.hpp"
#include "config/portal_config.hpp"
#include "must.hpp"

using namespace longcord;

/// Every line of the error begins with the file, for somebody has to find it.
static void check_error(const Error& error) {
    must(error.kind == ErrorKind::invalid, "a wrong file is invalid");
    must(is_utf8(error.message), "an error can be shown");
    must(error.message.starts_with("a.yaml"), "an error names the file");
}

static void check_host(std::string_view text) {
    const auto config = parse_host_config(text, "a.yaml");
    if (!config)
        return check_error(config.error());
    must(*config == *parse_host_config(text, "a.yaml"), "the same text means the same");
    const auto in_bounds = [](milliseconds time) {
        return time >= HostConfig::min_dead_after && time <= HostConfig::max_dead_after;
    };
    must(in_bounds(config->dead_after), "dead_after is from 1 to 60 s");
    for (const auto& [name, settings] : config->pis)
        must(is_pi_name(name) && in_bounds(config->dead_after_of(name)), "a Pi has a Pi's name");
    for (const auto& [name, address] : config->usbip_servers)
        must(is_pi_name(name) && !address.host.empty(), "a server has a name and an address");
    for (const auto& machine : config->virtual_machines)
        must(machine.socket.is_absolute() && !machine.name.empty(), "a machine has a socket");
    for (const auto& offer : config->serial_offers)
        must(offer.listen.port != 0 && is_pi_name(offer.pi), "an offer has a port and a Pi");
}

static void check_pi(std::string_view text) {
    const auto config = parse_pi_config(text, "a.yaml");
    if (!config)
        return check_error(config.error());
    must(*config == *parse_pi_config(text, "a.yaml"), "the same text means the same");
    for (const auto& node : config->nodes)
        must(!node.host.empty() && node.port != 0, "a node has an address");
    for (const auto& place : config->exports.places)
        must(place.is_local(), "what is exported is plugged here");
    for (const auto& [place, port] : config->serial.ports)
        must(port != 0, "a TCP port is a number above 0");
    must(
        config->serial.hold.count() >= 0 && config->serial.hold <= SerialConfig::max_hold,
        "what is held for a client ends within a day");
}

static void check_portal(std::string_view text) {
    const auto config = parse_portal_config(text, "a.yaml");
    if (!config)
        return check_error(config.error());
    must(*config == *parse_portal_config(text, "a.yaml"), "the same text means the same");
    must(!config->addresses().empty(), "a portal listens somewhere");
    must(
        config->tls.certificate.empty() == config->tls.key.empty(),
        "a certificate and its key, or none");
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_host(text);
    check_pi(text);
    check_portal(text);
    return 0;
}
