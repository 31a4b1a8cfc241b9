// SPDX-License-Identifier: MIT
#include "host/key_watch.hpp"

#include "base/rounds.hpp"
#include "pairing/cluster.hpp"
#include "pairing/pending_store.hpp"

#include <ctime>

#include <spdlog/spdlog.h>

namespace longcord {

namespace {

Result<KeyWatch::Look> look_at(const Roots& roots, const std::string& node, unsigned ssh_port) {
    KeyWatch::Look look;
    std::error_code unknown; // then it may be a node's
    look.alone = !std::filesystem::exists(roots.pve(), unknown) && !unknown;
    const auto complain = [&](const std::filesystem::path& file, const std::string& why) {
        look.complaints.insert(fmt::format("{}: ignored: {}", file.string(), why));
    };
    auto paired = read_paired(roots, complain);
    if (!paired)
        return paired.error();
    auto nodes = read_other_nodes(roots, node, ssh_port);
    if (!nodes)
        return nodes.error();
    look.paired = std::move(*paired);
    look.nodes = std::move(*nodes);
    if (const auto kept = keep_copies(roots, look.paired); !kept)
        look.copies = kept.error().message;
    sweep_pairings(roots, std::time(nullptr));
    return look;
}

} // namespace

KeyWatch::KeyWatch(
    asio::io_context& loop, Roots roots, WorkerPool& pool, const HostConfig& config,
    std::string node, LinkSource& links, Journal& journal)
    : roots_(std::move(roots)), pool_(pool), config_(config), node_(std::move(node)), links_(links),
      journal_(journal), timer_(loop) {}

Task<> KeyWatch::run() {
    for (;;) {
        again_ = false;
        const TimePoint began = Clock::now();
        const std::function<Result<Look>()> job = [roots = roots_, node = node_,
                                                   port = config_.ssh_port] {
            return look_at(roots, node, port);
        };
        auto look = co_await pool_.run("keys of Pis", deadline, job);
        timer_.expires_at(next_round(began, look && look->alone ? interval_alone : interval));
        if (look)
            take(std::move(*look), began);
        else if (complaints_.insert(look.error().message).second)
            journal_.problem(
                look.error().message + "; the Pis that were paired before can link meanwhile");
        if (!again_)
            co_await timer_.async_wait(as_value);
    }
}

void KeyWatch::take(Look look, TimePoint began) {
    for (const auto& link : links_.linked_keys(began)) {
        const auto key = look.paired.find(link.pi);
        // A link that says nothing of its key (a longcord-link from before an upgrade) ends when
        // its name goes.
        if (key == look.paired.end() && (!link.key.empty() || paired_.contains(link.pi)))
            links_.expel(link.pi, "it is not paired any more");
        else if (
            key != look.paired.end() && !link.key.empty() && link.key != key->second.fingerprint)
            links_.expel(link.pi, "another key has taken its place");
    }
    paired_ = std::move(look.paired);
    on_paired_(paired_, began);
    links_.set_nodes(std::move(look.nodes));
    if (!look.copies.empty())
        look.complaints.insert("no copy of the Pis' keys is kept: " + look.copies);
    complain(look.complaints);
}

/// Each once, and once more after it was mended.
void KeyWatch::complain(const std::set<std::string>& complaints) {
    for (const auto& complaint : complaints)
        if (!complaints_.contains(complaint))
            journal_.problem(complaint);
    complaints_ = complaints;
}

} // namespace longcord
