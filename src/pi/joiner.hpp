// SPDX-License-Identifier: MIT
// The verbs join and leave, and what is kept of them: the Pi's own key (made here, never leaving
// this machine), and the nodes it joined. Each step is told as an event while it is done.
#pragma once

#include "base/worker_pool.hpp"
#include "pairing/token.hpp"
#include "pi/joined.hpp"
#include "pi/journal.hpp"
#include "pi/links.hpp"

#include <nlohmann/json_fwd.hpp>

namespace longcord {

class Joiner {
  public:
    /// For one address: connecting, logging in, handing over.
    static constexpr milliseconds attempt_deadline{30'000};
    /// For the first link after a join, and for a node to say that it has forgotten this Pi.
    static constexpr milliseconds link_deadline{10'000};

    Joiner(
        asio::io_context& loop, Roots roots, WorkerPool& pool, const PiConfig& config, Links& links,
        PiJournal& journal);

    /// Reads what was joined before; a file that cannot be read is said, and kept.
    void start();

    static bool knows(std::string_view verb);
    Task<Result<nlohmann::json>> answer(std::string verb, nlohmann::json args);

  private:
    struct Paired {
        Welcome welcome;
        NodeAddress node; ///< where it was reached, and the host key that it showed
    };

    Task<Result<nlohmann::json>> join(std::string text);
    Task<Result<nlohmann::json>> leave(std::string node);
    Task<Result<Paired>> try_nodes(PairingToken token, PublicKey own);
    Task<Result<Paired>> hand_over(LinkTarget target, TokenNode node, PublicKey own);
    Task<Result<nlohmann::json>> joined(Paired paired);
    Task<Result<>> save(JoinedClusters clusters);
    Task<> learned(std::string told_by, std::vector<NodeAddress> nodes);
    void step(std::string message);

    asio::io_context& loop_;
    Roots roots_;
    WorkerPool& pool_;
    const PiConfig& config_;
    Links& links_;
    PiJournal& journal_;
    JoinedClusters clusters_;
    bool busy_ = false;
};

} // namespace longcord
