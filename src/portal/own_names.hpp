// SPDX-License-Identifier: MIT
// By which names a browser may have come here. A page of elsewhere can let a name of its own point
// at this machine (DNS rebinding), and would then be this portal's own site for the browser. A name
// that the public DNS cannot have, or an address, is nobody's but the local network's. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace longcord {

class OwnNames {
  public:
    /// Names with dots that are this machine's too: `names` of portal.yaml, its own host name.
    explicit OwnNames(std::vector<std::string> names) : names_(std::move(names)) {}

    /// `host` as the header has it, with or without a port.
    bool has(std::string_view host) const;

  private:
    std::vector<std::string> names_;
};

} // namespace longcord
