// SPDX-License-Identifier: MIT
// What the rules of several VMs make of the devices that are plugged now. Their text alone cannot
// be compared across forms: only a device tells that 3-4, a DEVPATH and a controller's port are the
// same, or that 3-4 and 4-4 are halves of one receptacle. Of check_rules(); others call that.
#pragma once

#include "rules/check.hpp"

namespace longcord {

/// Of one rule that is no "!" line: that a "!" line of its file leaves out all that it names, that
/// a rule of another VM always beats it, or wants the same device equally; the first and the last
/// where check_rules() does not see it from the text.
std::vector<Diagnostic> check_plugged(
    std::span<const RulesFile> files, const RulesFile& file, const Rule& rule,
    std::span<const SeenDevice> devices);

/// That a rule can never win.
std::string left_out_message(const Rule& deny);
/// That another VM's rule means the very same devices, which is no mistake.
std::string same_rule_message(const RulesFile& other, const Rule& theirs);

} // namespace longcord
