// SPDX-License-Identifier: MIT
// What there is to tell of devices that come and go: the nodes hear of what is exported only,
// people want to see everything that is plugged in. Pure.
#pragma once

#include "pi/export_state.hpp"

#include <map>
#include <string>
#include <vector>

namespace longcord {

class Comings {
  public:
    struct Told {
        std::string busid;
        std::string kind; ///< "came" or "went"
        std::string message;
        bool operator==(const Told&) const = default;
    };
    /// What changed since it was asked last.
    std::vector<Told> look(const ExportState& state);

  private:
    struct Known {
        unsigned devnum = 0;
        std::string label;
    };
    std::map<std::string, Known> known_;
};

} // namespace longcord
