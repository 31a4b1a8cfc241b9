// SPDX-License-Identifier: MIT
// Who may open the serial ports: this machine, the nodes, whom pi.yaml names, and whom somebody let
// in by `longcord serial allow`, which is kept. And who could not, for the next such step.
#pragma once

#include "base/roots.hpp"
#include "serial/allow_list.hpp"
#include "serial/serial_refusals.hpp"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

class SerialAccess {
  public:
    /// Reads what was let in by hand.
    explicit SerialAccess(Roots roots);

    void configure(AllowList by_config) { by_config_ = std::move(by_config); }
    void nodes(std::vector<std::string> addresses) { nodes_ = std::move(addresses); }

    /// All of them together.
    AllowList list() const;
    /// What of the file cannot be read; empty: nothing.
    const std::string& problem() const noexcept { return problem_; }

    SerialRefusals& refusals() noexcept { return refusals_; }

    /// The verb serial-allow: {"address":"10.0.0.5"} lets in, with "remove":true takes that back,
    /// {} lists. `changed` tells that list() is another one now.
    Result<nlohmann::json> answer(const nlohmann::json& args, bool& changed);

  private:
    nlohmann::json report() const;
    Result<nlohmann::json> change(const std::string& address, bool remove, bool& changed);

    Roots roots_;
    AllowList by_config_;
    std::vector<std::string> nodes_;
    AllowList by_hand_;
    std::string problem_;
    SerialRefusals refusals_;
};

} // namespace longcord
