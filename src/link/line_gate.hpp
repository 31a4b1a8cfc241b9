// SPDX-License-Identifier: MIT
// longcord-link carries the Pi's bytes to a service that comes and goes. What the service gets must
// begin at a line's beginning, so after a gap the rest of the line that was under way is dropped.
#pragma once

#include <string_view>

namespace longcord {

class LineGate {
  public:
    /// A new connection to the service: lines pass from the next beginning on.
    void open() noexcept {
        open_ = true;
        dropping_ = mid_line_;
    }
    void close() noexcept { open_ = false; }

    /// The part of these bytes (the next ones of the stream) that goes to the service.
    std::string_view pass(std::string_view bytes) noexcept;

  private:
    bool open_ = false;
    bool mid_line_ = false;
    bool dropping_ = false;
};

} // namespace longcord
