// SPDX-License-Identifier: MIT
// A service's reply as people read it. Pure: JSON in, text out, nothing in it believed.
#pragma once

#include "cli/table.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

std::string status_view(const nlohmann::json& status, const Look& look);
std::string devices_view(const nlohmann::json& reply, const Look& look);
std::string explain_view(const nlohmann::json& reply, const Look& look);
std::string pis_view(const nlohmann::json& reply, const Look& look);
/// One line with its newline, columns of fixed width: the next event is not known yet.
std::string event_view(const nlohmann::json& event, const Look& look);

/// The part of a host's status that is about this VM.
nlohmann::json status_of_vm(const nlohmann::json& status, unsigned vmid);
/// Whether anything in it asks for a person.
bool has_problems(const nlohmann::json& status);

} // namespace longcord
