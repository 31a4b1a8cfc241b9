// SPDX-License-Identifier: MIT
// A device on the wire of the link (docs/protocol.md, "device").
#pragma once

#include "link/link_fields.hpp"
#include "usb/device.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// Which texts are left out, where a whole list would be too long for a line.
struct LeftOut {
    bool manufacturer = false;
    bool product = false;
};

nlohmann::json device_to_json(const Device& device, LeftOut left_out = {});

/// Refusals go to the fields' LinkRefusal; the value is then meaningless.
Device device_from_fields(LinkFields& fields, const std::string& pi);

/// The field `busid` as a place on this Pi. Only the kernel's own spelling is taken: 1-1.2, never
/// 01-1.2, so that one place has one name.
Place busid_from_fields(LinkFields& fields, const std::string& pi);

} // namespace longcord
