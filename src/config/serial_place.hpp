// SPDX-License-Identifier: MIT
// Places of serial ports as the two configuration files have them: without the name of a Pi.
#pragma once

#include <string_view>

namespace longcord {

/// "1-1.2", or by controller "platform-fe9c0000.xhci/1.2".
bool is_own_place(std::string_view text);

/// Such a place, or one of its further terminals: "1-1.2:1.1".
bool is_serial_place(std::string_view text);

} // namespace longcord
