// SPDX-License-Identifier: MIT
// The verb `log-level` of both services: how much is logged, changed while they run. It lasts until
// the service is started anew or reads its configuration again, which says what holds for good.
#pragma once

#include "base/error.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// `args`: "level", one of trace, debug, info, warn, error; none: only ask. `configured`: what the
/// configuration says. Replies {"level","configured"}.
Result<nlohmann::json> answer_log_level(const nlohmann::json& args, const std::string& configured);

} // namespace longcord
