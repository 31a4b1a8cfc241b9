// SPDX-License-Identifier: MIT
// QEMU's error texts, as errors. QEMU has one class for nearly all of them (GenericError), so the
// kind is read from the text; the text itself always stays in the message.
#pragma once

#include "base/error.hpp"
#include "qmp/codec.hpp"

#include <string_view>

namespace longcord {

/// `doing` names the command and the id: "plug usbhost3-4.1".
Error refusal(std::string_view doing, const QmpError& said);

/// The object was not there: QEMU's only class of error that says anything.
bool is_device_not_found(const QmpAnswer& answer) noexcept;

} // namespace longcord
