// SPDX-License-Identifier: MIT
// QMP's words (QEMU docs/interop/qmp-spec): commands out, and the three things that come back. An
// answer belongs to a command by its id alone: events come at any time, and Proxmox' patch
// extra/0001 tells of QEMU giving a client the answer that another one asked for.
#pragma once

#include "base/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

namespace longcord {

struct QmpCommand {
    std::string execute;
    nlohmann::json arguments; ///< an object; null: none

    bool operator==(const QmpCommand&) const = default;
};

struct QmpError {
    std::string error_class; ///< "GenericError", "DeviceNotFound", "CommandNotFound"
    std::string description; ///< printable
};

struct QmpAnswer {
    nlohmann::json value; ///< of "return"
    std::optional<QmpError> error;
};

struct QmpGreeting {
    std::string version; ///< "7.2.22"
};

struct QmpReply {
    std::string id; ///< empty: no id, or one that is no text, hence none of ours
    QmpAnswer answer;
};

struct QmpEvent {
    std::string name;   ///< "DEVICE_DELETED"
    std::string device; ///< id in its data; empty: none
};

using QmpMessage = std::variant<QmpGreeting, QmpReply, QmpEvent>;

/// Without a blank: QEMU before 10.2 reads QMP one byte a turn of its main loop (5 us each,
/// measured), so length is time.
std::string format_command(const QmpCommand& command, const std::string& id);

/// ErrorKind::protocol: not JSON, or nothing QMP knows.
Result<QmpMessage> parse_qmp_message(std::string_view text);

} // namespace longcord
