// SPDX-License-Identifier: MIT
// The verb test: is a node there, and if not, what is in the way? Name, TCP, host key and login are
// tried anew beside the link; of the node's service the link itself knows. Each step is told as an
// event while it is done.
#pragma once

#include "base/worker_pool.hpp"
#include "pi/journal.hpp"
#include "pi/links.hpp"

#include <nlohmann/json_fwd.hpp>

namespace longcord {

class NodeTest {
  public:
    /// Name and TCP have 10 s each, and so has each of libssh's answers.
    static constexpr milliseconds deadline{60'000};
    /// For a link that was down to come up.
    static constexpr milliseconds service_deadline{10'000};

    NodeTest(asio::io_context& loop, WorkerPool& pool, Links& links, PiJournal& journal)
        : loop_(loop), pool_(pool), links_(links), journal_(journal) {}

    /// {"node":"pve1"}, or its address as status has it under `host`.
    Task<Result<nlohmann::json>> answer(nlohmann::json args);

  private:
    Task<> probe(std::string name, LinkTarget target, std::shared_ptr<nlohmann::json> steps);
    void done(
        const std::string& node, const std::string& step, const Result<std::string>& outcome,
        milliseconds took, nlohmann::json& steps);

    asio::io_context& loop_;
    WorkerPool& pool_;
    Links& links_;
    PiJournal& journal_;
};

} // namespace longcord
