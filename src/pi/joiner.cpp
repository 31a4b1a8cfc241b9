// SPDX-License-Identifier: MIT
#include "pi/joiner.hpp"

#include "base/files.hpp"
#include "base/spawn.hpp"
#include "base/text.hpp"
#include "pairing/pair_request.hpp"
#include "pi/own_key.hpp"

#include <array>
#include <cerrno>

#include <nlohmann/json.hpp>

#include <sys/socket.h>

namespace longcord {

using nlohmann::json;

namespace {

constexpr milliseconds file_deadline{10'000};

std::string text_argument(const json& args, const char* key) {
    const auto at = args.find(key);
    return at != args.end() && at->is_string() ? at->get<std::string>() : "";
}

json names_of(const JoinedCluster& cluster) {
    json names = json::array();
    for (const auto& node : cluster.nodes)
        names.push_back(node.name);
    return names;
}

Result<> write_clusters(const Roots& roots, const JoinedClusters& clusters) {
    // The keys first: a node without a known host key would be refused.
    auto keys = write_file(joined_known_hosts(roots), known_hosts_of(clusters), 0644);
    if (!keys)
        return keys;
    return write_file(joined_file(roots), format(clusters), 0600);
}

} // namespace

Joiner::Joiner(
    asio::io_context& loop, Roots roots, WorkerPool& pool, const PiConfig& config, Links& links,
    PiJournal& journal)
    : loop_(loop), roots_(std::move(roots)), pool_(pool), config_(config), links_(links),
      journal_(journal) {
    links_.on_learned([this](const std::string& told_by, const std::vector<NodeAddress>& nodes) {
        spawn_guarded(loop_, "nodes learned", learned(told_by, nodes));
    });
}

void Joiner::start() {
    const auto file = joined_file(roots_);
    const auto text = read_file(file, max_joined_file);
    if (!text && text.error().kind == ErrorKind::not_found)
        return;
    auto clusters = text ? parse_joined(*text, file.string()) : text.error();
    if (!clusters)
        return journal_.link(
            "link-problem",
            clusters.error().message + "; join again with a new token to replace it", true);
    clusters_ = std::move(*clusters);
    links_.set_joined(clusters_);
}

bool Joiner::knows(std::string_view verb) {
    return verb == "join" || verb == "leave";
}

void Joiner::step(std::string message) {
    journal_.link("joining", std::move(message));
}

Task<Result<json>> Joiner::answer(std::string verb, json args) {
    if (busy_)
        co_return fail(ErrorKind::busy, "another join or leave is under way on this Pi");
    busy_ = true;
    if (verb == "join") {
        auto result = co_await join(text_argument(args, "token"));
        busy_ = false;
        co_return result;
    }
    auto result = co_await leave(text_argument(args, "node"));
    busy_ = false;
    co_return result;
}

Task<Result<json>> Joiner::join(std::string text) {
    auto token = parse_token(text);
    if (!token)
        co_return token.error();
    const auto identity = links_.below_root(config_.identity);
    const std::function<Result<OwnKey>()> job = [identity, pi = token->pi] {
        return own_key(identity, pi);
    };
    const auto own = co_await pool_.run("own key", file_deadline, job);
    if (!own)
        co_return own.error();
    step(fmt::format(
        "{} {} is this Pi's own key", own->made ? "made:" : "found:", fingerprint_of(own->key)));
    auto paired = co_await try_nodes(std::move(*token), own->key);
    if (!paired)
        co_return paired.error();
    auto result = co_await joined(std::move(*paired));
    co_return result;
}

/// One address after the other. What a node says about the token ends it; what is between here and
/// the node does not.
Task<Result<Joiner::Paired>> Joiner::try_nodes(PairingToken token, PublicKey own) {
    const auto secret = private_key_file(token.seed, "");
    if (!secret)
        co_return secret.error();
    std::string failures;
    ErrorKind kind = ErrorKind::unavailable;
    for (const auto& node : token.nodes) {
        for (const auto& address : node.addresses) {
            step(fmt::format("trying {} at {}, port {}", node.name, address, node.port));
            LinkTarget target;
            target.host = address;
            target.port = node.port;
            target.identity_text = *secret;
            target.pinned_type = node.key_type;
            target.pinned_fingerprint = node.fingerprint;
            auto paired = co_await hand_over(std::move(target), node, own);
            if (paired)
                co_return paired;
            if (paired.error().kind == ErrorKind::invalid)
                co_return fail(ErrorKind::refused, "{}", paired.error().message);
            step(paired.error().message);
            failures += (failures.empty() ? "" : "\n") + paired.error().message;
            if (paired.error().kind == ErrorKind::refused)
                kind = ErrorKind::refused;
        }
    }
    co_return fail(kind, "no node of the token took this Pi:\n{}", failures);
}

/// ErrorKind::invalid: the node itself refused the token, and no other will think differently.
Task<Result<Joiner::Paired>> Joiner::hand_over(LinkTarget target, TokenNode node, PublicKey own) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        co_return fail_errno(errno, "socketpair");
    const std::string host = target.host;
    SshSession session(std::move(target), UniqueFd(ends[1]));
    const auto lines = std::make_shared<LineSocket>(
        LineSocket::Socket(loop_, asio::local::stream_protocol(), ends[0]));
    asio::steady_timer deadline(loop_, attempt_deadline);
    deadline.async_wait([lines](const boost::system::error_code& error) {
        if (!error)
            lines->close();
    });
    PairRequest request;
    request.software = "longcord-pi " LONGCORD_VERSION;
    request.key = std::move(own);
    lines->send(format(request));
    const auto line = co_await lines->read_line();
    const bool in_time = deadline.cancel() > 0;
    lines->close();
    if (!line && !in_time)
        co_return fail(
            ErrorKind::timeout, "{}: no answer within {} s", host, attempt_deadline.count() / 1000);
    if (!line)
        co_return session.outcome();
    const auto message = parse_host_message(line->text);
    if (!message)
        co_return fail(ErrorKind::protocol, "{}: {}", host, message.error().message);
    if (const auto* error = std::get_if<LinkError>(&*message))
        co_return fail(ErrorKind::invalid, "{} says: {}", node.name, error->message);
    const auto* welcome = std::get_if<Welcome>(&*message);
    if (!welcome)
        co_return fail(ErrorKind::protocol, "{}: answers with something else", host);
    Paired paired{*welcome, {welcome->node, host, node.port, {session.host_key()}}};
    co_return paired;
}

Task<Result<json>> Joiner::joined(Paired paired) {
    JoinedCluster cluster;
    cluster.pi = paired.welcome.pi;
    cluster.nodes.push_back(paired.node);
    for (const auto& node : paired.welcome.nodes)
        if (node.name != paired.node.name)
            cluster.nodes.push_back(node);
    const std::string first = paired.node.name;
    auto clusters = clusters_;
    join_cluster(clusters, cluster);
    const auto saved = co_await save(std::move(clusters));
    if (!saved)
        co_return fail(
            saved.error().kind, "{} knows this Pi now, but it cannot be remembered here: {}", first,
            saved.error().message);
    journal_.link("joined", fmt::format("this Pi is \"{}\" of {} from now on", cluster.pi, first));
    const bool linked = co_await links_.wait_for(first, true, link_deadline);
    co_return json{
        {"pi", cluster.pi}, {"node", first}, {"nodes", names_of(cluster)}, {"linked", linked}};
}

Task<Result<>> Joiner::save(JoinedClusters clusters) {
    const std::function<Result<>()> job = [roots = roots_, clusters] {
        return write_clusters(roots, clusters);
    };
    const auto saved = co_await pool_.run("joined nodes", file_deadline, job);
    if (saved) {
        clusters_ = std::move(clusters);
        links_.set_joined(clusters_);
    }
    co_return saved;
}

Task<> Joiner::learned(std::string told_by, std::vector<NodeAddress> nodes) {
    auto clusters = clusters_;
    const bool changed = learn_nodes(clusters, told_by, nodes, [this](const NodeAddress& node) {
        return links_.is_linked(node);
    });
    // While a join or leave is under way, that has the word; the next welcome comes again.
    if (!changed || busy_)
        co_return;
    const auto saved = co_await save(std::move(clusters));
    if (saved)
        journal_.link("nodes", told_by + " told which nodes there are now");
    else
        journal_.link("link-problem", "new nodes: " + saved.error().message, true);
}

Task<Result<json>> Joiner::leave(std::string node) {
    if (clusters_.empty())
        co_return fail(
            ErrorKind::not_found, "this Pi has joined no node{}",
            config_.nodes.empty() ? "" : "; those of pi.yaml are left by taking them out there");
    if (node.empty() && clusters_.size() > 1)
        co_return fail(
            ErrorKind::invalid, "this Pi has joined {} clusters; name a node of the one to leave",
            clusters_.size());
    const JoinedCluster* found = node.empty() ? &clusters_.front() : cluster_with(clusters_, node);
    if (!found)
        co_return fail(ErrorKind::not_found, "this Pi has not joined \"{}\"", printable(node));
    const JoinedCluster cluster = *found;
    std::string told;
    for (const auto& each : cluster.nodes)
        if (told.empty() && links_.say_leave(each)) {
            const bool ended = co_await links_.wait_for(each.name, false, link_deadline);
            told = ended ? each.name : "";
        }
    auto clusters = clusters_;
    std::erase(clusters, cluster);
    const auto saved = co_await save(std::move(clusters));
    if (!saved)
        co_return saved.error();
    journal_.link(
        "left", told.empty() ? "no node could be told that this Pi left"
                             : told + " was told that this Pi left");
    co_return json{
        {"pi", cluster.pi},
        {"nodes", names_of(cluster)},
        {"told", told.empty() ? json() : json(told)}};
}

} // namespace longcord
