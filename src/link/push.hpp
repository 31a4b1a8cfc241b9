// SPDX-License-Identifier: MIT
// longcord-link's other job: one command of a Pi without our package, one line of text and an exit
// status back. No loop: there is one question and one answer, and a bound for both.
#pragma once

#include "base/clock.hpp"
#include "link/preface.hpp"

#include <filesystem>

namespace longcord {

/// A service that is being restarted is waited for.
constexpr milliseconds push_connect_limit{5'000};
/// Above what the service takes for the device's outcome.
constexpr milliseconds push_answer_limit{30'000};

/// Prints the outcome: to stdout where it is done, else to stderr. 0: done; 1: not.
int push(const std::filesystem::path& socket, const Preface& preface);

} // namespace longcord
