// SPDX-License-Identifier: MIT
// This Pi in numbers, as Prometheus reads them: `longcord metrics`. Pure.
#pragma once

#include "pi/report.hpp"

#include <string>

namespace longcord {

std::string pi_metrics(const PiReportInput& input);

} // namespace longcord
