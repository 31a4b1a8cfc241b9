// SPDX-License-Identifier: MIT
#include "host/pairing_desk.hpp"

#include "base/text.hpp"
#include "host/pairing_jobs.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

std::string text_argument(const json& args, const char* key) {
    const auto at = args.find(key);
    return at != args.end() && at->is_string() ? at->get<std::string>() : "";
}

Result<std::string> name_argument(const json& args) {
    const std::string name = text_argument(args, "name");
    if (is_pi_name(name))
        return name;
    return fail(
        ErrorKind::invalid,
        "\"{}\" is no name for a Pi: small letters, digits and '-', a letter "
        "first, at most 31, not pci-... or platform-...",
        printable(name, 40));
}

/// Where the Pi shall look for this node, if the admin knows better: "host" or "host:port".
Result<PairRequestOfAdmin> admins_request(const json& args) {
    auto name = name_argument(args);
    if (!name)
        return name.error();
    PairRequestOfAdmin request;
    request.pi = std::move(*name);
    const auto replace = args.find("replace");
    request.replace = replace != args.end() && replace->is_boolean() && replace->get<bool>();
    if (const std::string key = text_argument(args, "key"); !key.empty()) {
        auto parsed = parse_public_key(key);
        if (!parsed)
            return fail(ErrorKind::invalid, "the key {}", parsed.error().message);
        request.key = std::move(*parsed);
    }
    const auto addresses = args.find("addresses");
    if (addresses == args.end() || !addresses->is_array())
        return request;
    for (const auto& each : *addresses) {
        const auto address =
            Address::parse(each.is_string() ? each.get<std::string>() : std::string(), 0);
        if (!address)
            return address.error();
        if (request.addresses.size() == max_token_addresses)
            return fail(
                ErrorKind::invalid, "a token has room for {} addresses of a node",
                max_token_addresses);
        if (address->port != 0 && request.port != 0 && address->port != request.port)
            return fail(ErrorKind::invalid, "the addresses of one node have one port");
        request.port = address->port != 0 ? address->port : request.port;
        request.addresses.push_back(address->host);
    }
    return request;
}

json iso_time(UnixTime time) {
    return format_time(EventTime(std::chrono::seconds(time)));
}

json report_pi(
    const std::string& name, const PairedKey& key, const LinkSource& links, TimePoint now) {
    const auto link = links.link_of(name);
    const auto rtt = links.round_trip(name);
    return {
        {"name", name},
        {"fingerprint", key.fingerprint},
        {"paired_at", iso_time(key.since)},
        {"cluster", key.cluster},
        {"linked", link.has_value()},
        {"address", link ? json(link->address) : json()},
        {"since_s",
         link ? json(std::chrono::duration_cast<seconds>(now - link->since).count()) : json()},
        {"rtt_ms", link && rtt ? json(rtt->count()) : json()},
        {"problem", key.fingerprint.empty() ? "its file holds no good key" : ""}};
}

} // namespace

PairingDesk::PairingDesk(
    Roots roots, WorkerPool& pool, const HostConfig& config, std::string node, LinkSource& links,
    KeyWatch& keys, Journal& journal)
    : roots_(std::move(roots)), pool_(pool), config_(config), node_(std::move(node)), links_(links),
      keys_(keys), journal_(journal) {
    links_.on_pairing([this](Preface preface, std::string line) {
        return hand_over(std::move(preface), std::move(line));
    });
    links_.on_leave([this](std::string pi) { return leave(std::move(pi)); });
}

bool PairingDesk::knows(std::string_view verb) {
    return verb == "pair" || verb == "pis" || verb == "unpair";
}

Task<Result<json>> PairingDesk::answer(std::string verb, json args) {
    if (verb == "pis") {
        auto listed = co_await pis();
        co_return listed;
    }
    if (verb == "unpair") {
        auto gone = co_await unpair(std::move(args));
        co_return gone;
    }
    auto paired = co_await pair(std::move(args));
    co_return paired;
}

Task<Result<json>> PairingDesk::pair(json args) {
    auto request = admins_request(args);
    if (!request)
        co_return request.error();
    const std::string pi = request->pi;
    const bool by_key = request->key.has_value();
    request->node = node_;
    request->port = request->port != 0 ? request->port : config_.ssh_port;
    request->ssh_port = config_.ssh_port;
    const std::function<Result<PairingBegun>()> job = [roots = roots_, wanted = *request] {
        return begin_pairing_for(roots, wanted);
    };
    const auto begun = co_await pool_.run(job_name(), deadline, job);
    if (!begun)
        co_return begun.error();
    keys_.look_now();
    if (by_key) {
        journal_.pi(pi, "paired", "paired with the key " + begun->fingerprint);
        co_return json{{"pi", pi}, {"fingerprint", begun->fingerprint}, {"token", nullptr}};
    }
    journal_.pi(pi, "pairing", "a token was made; it is good once, for 10 minutes");
    co_return json{
        {"pi", pi},
        {"token", begun->token},
        {"expires_s", pairing_lifetime},
        {"expires_at", iso_time(begun->expires)},
        {"nodes", begun->nodes}};
}

Task<Result<json>> PairingDesk::pis() {
    const std::function<Result<PairingList>()> job = [roots = roots_] {
        return list_pairings(roots);
    };
    const auto list = co_await pool_.run(job_name(), deadline, job);
    if (!list)
        co_return list.error();
    json paired = json::array();
    const TimePoint now = Clock::now();
    for (const auto& [name, key] : list->paired)
        paired.push_back(report_pi(name, key, links_, now));
    json pending = json::array();
    for (const auto& each : list->pending)
        pending.push_back(
            {{"name", each.pi},
             {"node", each.pending.node},
             {"expires_at", iso_time(each.pending.expires)},
             {"used", each.pending.used.empty() ? json() : json(each.pending.used)}});
    json problems = json::array();
    if (list->from_copies)
        problems.push_back("/etc/pve is away: these are the Pis that were paired when it went");
    co_return json{
        {"pis", std::move(paired)},
        {"pending", std::move(pending)},
        {"problems", std::move(problems)}};
}

Task<Result<>> PairingDesk::remove(std::string pi, std::string why) {
    const std::function<Result<>()> job = [roots = roots_, pi] { return end_pairing(roots, pi); };
    const auto removed = co_await pool_.run(job_name(), deadline, job);
    if (removed) {
        links_.expel(pi, why);
        journal_.pi(pi, "unpaired", why);
        keys_.look_now();
    }
    co_return removed;
}

Task<Result<json>> PairingDesk::unpair(json args) {
    const auto name = name_argument(args);
    if (!name)
        co_return name.error();
    const auto removed = co_await remove(*name, "it was unpaired on " + node_);
    if (!removed)
        co_return removed.error();
    co_return json{{"pi", *name}};
}

Task<> PairingDesk::leave(std::string pi) {
    const auto removed = co_await remove(pi, "it has left, as its admin wanted");
    if (!removed) {
        journal_.pi(pi, "failed", "wants to leave: " + removed.error().message);
        links_.say(pi, LinkError{node_ + ": not unpaired: " + removed.error().message, false});
    }
}

Task<HostMessage> PairingDesk::hand_over(Preface preface, std::string line) {
    const std::function<Result<HandedOver>()> job = [roots = roots_, node = node_, preface,
                                                     line = std::move(line)] {
        return take_key(roots, node, preface, line);
    };
    const auto outcome = co_await pool_.run(job_name(), deadline, job);
    if (!outcome) {
        journal_.pi(preface.pi, "failed", "pairing failed: " + outcome.error().message);
        co_return LinkError{"pairing failed: " + outcome.error().message, true};
    }
    if (!outcome->refusal.empty()) {
        journal_.pi(preface.pi, "token-refused", outcome->for_admin);
        co_return LinkError{outcome->refusal, true};
    }
    links_.expel(preface.pi, "another key has taken its place");
    journal_.pi(
        preface.pi, "paired",
        fmt::format("paired from {} with the key {}", preface.address, outcome->fingerprint));
    keys_.look_now();
    Welcome welcome;
    welcome.node = node_;
    welcome.software = "longcord-host " LONGCORD_VERSION;
    welcome.pi = preface.pi;
    welcome.nodes = links_.nodes();
    co_return welcome;
}

} // namespace longcord
