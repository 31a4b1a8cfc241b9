// SPDX-License-Identifier: MIT
// The arguments of `device_add usb-host`. Numbers are JSON numbers and `port` is a string, since
// QEMU 9.2 refuses anything else. A usb-host with an empty filter grabs the first device of the
// host it finds (hw/usb/host-libusb.c, usb_host_auto_check), so a command that names no node is
// refused here. So is an id that names no place: nothing that is not ours is ever put in or taken
// out.
#pragma once

#include "base/error.hpp"
#include "qmp/codec.hpp"
#include "qmp/commands.hpp"

namespace longcord {

/// ErrorKind::invalid names the id and what is wrong with the command.
Result<QmpCommand> device_add(const PlugCommand& plug);
QmpCommand device_add(const AddControllerCommand& controller);
Result<QmpCommand> device_del(const UnplugCommand& unplug);

/// Whether a rule may set this property: a plain name, and none of those that say which device it
/// is and where it goes.
bool is_settable_property(std::string_view name) noexcept;

} // namespace longcord
