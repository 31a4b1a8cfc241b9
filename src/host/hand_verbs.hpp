// SPDX-License-Identifier: MIT
// What a person asks for through the control socket that changes something: attach, detach, resume,
// quiesce. Each answer waits, within a bound, until what was asked for is so or cannot be.
#pragma once

#include "control/server.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"

#include <list>
#include <map>
#include <memory>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

/// "3-4.1", "workbench/1-1.2", or by controller: "pci-0000:00:14.0/4.1" of what is plugged now.
Result<Place> find_place(const World& world, const std::string& text);

class HandVerbs {
  public:
    /// How long a verb waits for what it asked for; the command line waits a little longer.
    static constexpr milliseconds patience{10'000};

    HandVerbs(asio::io_context& loop, Reconciler& reconciler, Journal& journal)
        : loop_(loop), reconciler_(reconciler), journal_(journal) {}

    static bool knows(const std::string& verb);
    Task<Result<nlohmann::json>> answer(std::string verb, nlohmann::json args, Peer peer);
    /// An outcome has changed, or a VM was seen.
    void something_changed();

  private:
    using Reached = std::function<bool()>;

    Task<Result<nlohmann::json>> attach(nlohmann::json args);
    Task<Result<nlohmann::json>> detach(nlohmann::json args);
    Result<nlohmann::json> resume(const nlohmann::json& args);
    Task<Result<nlohmann::json>> quiesce(nlohmann::json args, Peer peer);
    Task<Result<nlohmann::json>> hold(unsigned vmid, Peer peer);
    Result<unsigned> find_vm_argument(const nlohmann::json& args) const;
    Result<Place> place_argument(const nlohmann::json& args) const;
    nlohmann::json outcome_at(const Place& place) const;
    Task<bool> until(Reached reached);
    Task<> release_when_gone(
        unsigned vmid, std::shared_ptr<asio::posix::stream_descriptor> process);
    void release(unsigned vmid, const std::string& why);

    asio::io_context& loop_;
    Reconciler& reconciler_;
    Journal& journal_;
    std::list<asio::steady_timer*> waiting_;
    /// The client that holds a VM quiesced: the hold ends with its process.
    std::map<unsigned, std::shared_ptr<asio::posix::stream_descriptor>> holds_;
};

} // namespace longcord
