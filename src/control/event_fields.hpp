// SPDX-License-Identifier: MIT
// What of an event the journal keeps as fields, so that it is found again by what it is about.
#pragma once

#include "base/log.hpp"
#include "control/event.hpp"

namespace longcord {

/// LONGCORD_EVENT (its kind), _VM, _PLACE, _PI, _TOOK_MS and _ADDRESS; what is not there has no
/// field.
LogFields journal_fields(const Event& event);

} // namespace longcord
