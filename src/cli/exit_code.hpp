// SPDX-License-Identifier: MIT
// What scripts rely on (design, section 8).
#pragma once

#include "base/error.hpp"

namespace longcord {

enum class ExitCode {
    done = 0,
    failed = 1,
    usage = 2,
    not_running = 3, ///< no service listens
    refused = 4,     ///< by permission
    degraded = 5,    ///< partly done, or running with a problem
};

/// Why a verb could not be done: what is said, and what the shell sees.
struct Failure {
    ExitCode code = ExitCode::failed;
    Error error;
};

template <class T = void> using Attempt = boost::system::result<T, Failure>;

[[noreturn]] inline void throw_exception_from_error(
    const Failure& failure, const boost::source_location& where) {
    throw_exception_from_error(failure.error, where);
}

} // namespace longcord
