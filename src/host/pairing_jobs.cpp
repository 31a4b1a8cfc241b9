// SPDX-License-Identifier: MIT
#include "host/pairing_jobs.hpp"

#include "pairing/pair_request.hpp"
#include "pairing/token.hpp"

#include <ctime>

namespace longcord {

namespace {

const Complain nobody = [](const std::filesystem::path&, const std::string&) {};

/// A file without a good key takes the name too.
Result<> check_free(const Roots& roots, const std::string& pi, bool replace) {
    const auto paired = read_paired(roots, nobody);
    if (!paired)
        return paired.error();
    const auto taken = paired->find(pi);
    if (replace || taken == paired->end())
        return {};
    return fail(
        ErrorKind::busy, "{} is paired already ({}); --replace lets another Pi take its place", pi,
        taken->second.fingerprint.empty() ? "with a broken key file" : taken->second.fingerprint);
}

HandedOver refuse(std::string to_pi, std::string to_admin) {
    return {"", std::move(to_pi), std::move(to_admin)};
}

Result<HandedOver> wrong_use(const Roots& roots, const Preface& preface, HandedOver refusal) {
    const auto count = count_wrong_use(roots, preface.pi, preface.key);
    if (!count)
        return count.error();
    if (*count >= max_wrong_uses)
        refusal.for_admin += fmt::format("; after {} such uses its token is closed", *count);
    return refusal;
}

} // namespace

Result<PairingBegun> begin_pairing_for(const Roots& roots, const PairRequestOfAdmin& request) {
    if (auto free = check_free(roots, request.pi, request.replace); !free)
        return free.error();
    PairingBegun begun;
    if (request.key) {
        begun.fingerprint = fingerprint_of(*request.key);
        forget_pairings(roots, request.pi);
        if (auto written = write_paired(roots, request.pi, *request.key); !written)
            return written.error();
        return begun;
    }
    PairingToken token;
    token.pi = request.pi;
    auto own = read_this_node(roots, request.node, request.port, request.addresses);
    if (!own)
        return own.error();
    token.nodes.push_back(std::move(*own));
    const auto others = read_other_nodes(roots, request.node, request.ssh_port);
    if (!others)
        return others.error();
    for (const auto& other : *others)
        if (auto node = token_node(other); node && token.nodes.size() < max_token_nodes)
            token.nodes.push_back(std::move(*node));
    const auto seed = make_key_seed();
    if (!seed)
        return seed.error();
    token.seed = *seed;
    auto key = public_key_of(*seed);
    if (!key)
        return key.error();
    const UnixTime now = std::time(nullptr);
    begun.expires = now + pairing_lifetime;
    const Pending pending{std::move(*key), request.node, now, begun.expires, request.replace, ""};
    if (auto written = begin_pairing(roots, request.pi, pending, now); !written)
        return written.error();
    begun.token = format_token(token);
    for (const auto& node : token.nodes)
        begun.nodes.push_back(node.name);
    return begun;
}

Result<PairingList> list_pairings(const Roots& roots) {
    PairingList list;
    auto paired = read_paired(roots, nobody);
    auto pending = read_pending(roots, nobody);
    list.from_copies = !paired;
    list.paired = paired ? std::move(*paired) : read_paired_copies(roots, nobody);
    const UnixTime now = std::time(nullptr);
    if (pending)
        for (auto& each : *pending)
            if (is_in_time(each.pending, now))
                list.pending.push_back(std::move(each));
    return list;
}

Result<> end_pairing(const Roots& roots, const std::string& pi) {
    if (auto base = pairing_base(roots); !base)
        return base.error();
    forget_pairings(roots, pi);
    return remove_paired(roots, pi);
}

Result<HandedOver> take_key(
    const Roots& roots, const std::string& node, const Preface& preface, const std::string& line) {
    const auto request = parse_pair_request(line, preface.pi);
    if (!request)
        return wrong_use(
            roots, preface,
            refuse(
                request.error().message, fmt::format(
                                             "the token was used from {} without a key: {}",
                                             preface.address, request.error().message)));
    const std::string print = fingerprint_of(request->key);
    const UnixTime now = std::time(nullptr);
    const auto use = use_pairing(
        roots, preface.pi, preface.key,
        fmt::format("on {} from {} by {}", node, preface.address, print), now);
    if (!use)
        return use.error();
    if (use->kind == PairingUse::Kind::unknown)
        return refuse(
            "this token is not good (any more); make another: longcord pair " + preface.pi,
            fmt::format("a token that is not good any more was used from {}", preface.address));
    if (use->kind == PairingUse::Kind::again)
        return wrong_use(
            roots, preface,
            refuse(
                "this token was used before, and is good once; if that was not you: longcord "
                "unpair " +
                    preface.pi + " on the node",
                fmt::format(
                    "the token for {0} was used again from {1}; it was used {2}; if that was not "
                    "you: longcord unpair {0}",
                    preface.pi, preface.address, use->pending.used)));
    if (auto free = check_free(roots, preface.pi, use->pending.replace); !free)
        return refuse(free.error().message, "the token is worthless: " + free.error().message);
    if (auto written = write_paired(roots, preface.pi, request->key); !written)
        return written.error();
    return HandedOver{print, "", ""};
}

} // namespace longcord
