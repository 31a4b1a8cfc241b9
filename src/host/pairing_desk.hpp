// SPDX-License-Identifier: MIT
// Pairing on the node's side: the verbs pair, pis and unpair, and the Pi that comes with a token.
// All of it is files that every node of the cluster shares (pairing/), so any node can finish what
// another began; what is done here is done on worker threads, since /etc/pve can block.
#pragma once

#include "host/key_watch.hpp"
#include "link/preface.hpp"

#include <nlohmann/json_fwd.hpp>

namespace longcord {

class PairingDesk {
  public:
    static constexpr milliseconds deadline{8000};

    PairingDesk(
        Roots roots, WorkerPool& pool, const HostConfig& config, std::string node,
        LinkSource& links, KeyWatch& keys, Journal& journal);

    static bool knows(std::string_view verb);
    Task<Result<nlohmann::json>> answer(std::string verb, nlohmann::json args);

    /// What a Pi says over a throw-away key, and the answer: welcome, or a final error.
    Task<HostMessage> hand_over(Preface preface, std::string line);
    /// A Pi said `leave`.
    Task<> leave(std::string pi);

  private:
    Task<Result<nlohmann::json>> pair(nlohmann::json args);
    Task<Result<nlohmann::json>> pis();
    Task<Result<nlohmann::json>> unpair(nlohmann::json args);
    Task<Result<>> remove(std::string pi, std::string why);
    std::string job_name() { return fmt::format("pairing {}", ++jobs_); }

    Roots roots_;
    WorkerPool& pool_;
    const HostConfig& config_;
    std::string node_;
    LinkSource& links_;
    KeyWatch& keys_;
    Journal& journal_;
    unsigned jobs_ = 0; ///< jobs do not wait for each other: the files decide
};

} // namespace longcord
