// SPDX-License-Identifier: MIT
#include "control/log_level.hpp"

#include "base/log.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

using nlohmann::json;

/// From much to little.
static constexpr std::array<std::string_view, 5> levels{"trace", "debug", "info", "warn", "error"};

Result<json> answer_log_level(const json& args, const std::string& configured) {
    const auto wanted = args.is_object() ? args.find("level") : args.end();
    if (args.is_object() && wanted != args.end() && !wanted->is_null()) {
        const auto* level = wanted->is_string() ? wanted->get_ptr<const std::string*>() : nullptr;
        if (!level || std::ranges::find(levels, *level) == levels.end())
            return fail(
                ErrorKind::invalid,
                "the log level is one of trace, debug, info, warn and error, not \"{}\"",
                level ? printable(*level, 40) : "");
        // Said with the old level or the new one, whichever says it.
        const auto said = [&] { spdlog::info("the log level is {} from now on", *level); };
        const bool was_open = spdlog::should_log(spdlog::level::info);
        if (was_open)
            said();
        set_log_level(*level);
        if (!was_open)
            said();
    }
    return json{{"level", log_level()}, {"configured", configured}};
}

} // namespace longcord
