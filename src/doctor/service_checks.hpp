// SPDX-License-Identifier: MIT
// What the running services say of themselves, and what they say of others.
#pragma once

#include "doctor/finding.hpp"

#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// `status`: the reply of longcord-host; null: it did not answer.
Findings judge_host_status(const nlohmann::json& status);
/// Of longcord-pi.
Findings judge_pi_status(const nlohmann::json& status);

} // namespace longcord
