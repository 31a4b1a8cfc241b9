// SPDX-License-Identifier: MIT
// Words that several views share: a device's label, where it is used, how long ago.
#pragma once

#include "cli/table.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// "1a86:55d4 USB Single Serial 0001": ids, product, serial.
std::string label_of(const nlohmann::json& device);

/// The state of a device with the colour that says whether to look closer.
Cell state_cell(const nlohmann::json& device);

/// Its `why`; for a plugged one, the guest port and whether the guest uses it.
std::string why_of(const nlohmann::json& device);

/// "cdc", "vendor" or two hex digits; empty where the interfaces say it (class 0).
std::string class_of(const nlohmann::json& device);

bool is_hub(const nlohmann::json& device);

/// "100", or the name of a machine that is no Proxmox VM; empty: none.
std::string vm_number_of(const nlohmann::json& object);

/// "VM 100", or empty.
std::string vm_of(const nlohmann::json& object);

/// "12 s", "3 min", "2 h 5 min", "4 d 1 h".
std::string duration_text(double seconds);

/// "no link for 3 min, 1 device": parts that are not empty, with ", " between them.
std::string join_words(std::initializer_list<std::string> words);

/// An entry of `problems`: a sentence, or an object with "message" and maybe "file" and "line".
std::string problem_text(const nlohmann::json& problem);

} // namespace longcord
