// SPDX-License-Identifier: MIT
// Expected failures are values: Result<T> holds a T or an Error. An Error has a kind, for the code
// that decides what to do next, and a message, for the person who reads it: it names the thing (VM,
// place, Pi, file:line) and what to do. Exceptions are for start-up and for bugs.
#pragma once

#include <string>
#include <string_view>

#include <boost/system/result.hpp>
#include <fmt/core.h>

namespace longcord {

enum class ErrorKind {
    invalid,     ///< bad input: a file, a message, an argument
    not_found,   ///< the thing is not there (any more)
    busy,        ///< somebody else has it now
    refused,     ///< not allowed, by permission or by policy
    full,        ///< a limit is reached: ports, exports, sessions
    unavailable, ///< the peer or the network is not there now
    timeout,     ///< nothing happened: the request was never taken up
    unknown,     ///< it was asked for and no answer came: read back before anything else
    protocol,    ///< the peer answered what it must not
    system,      ///< a system call failed
};

std::string_view to_string(ErrorKind kind) noexcept;

struct Error {
    ErrorKind kind{};
    std::string message;

    /// Whether the same request can succeed later without anybody changing anything.
    bool retryable() const noexcept;

    bool operator==(const Error&) const = default;
};

template <class T = void> using Result = boost::system::result<T, Error>;

/// fail(ErrorKind::busy, "VM {}: ...", vmid)
template <class... Args>
Error fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    return Error{kind, fmt::format(format, std::forward<Args>(args)...)};
}

/// An Error from errno; the kind follows the errno value (ENOENT and ENODEV: not_found, EBUSY:
/// busy, EACCES and EPERM: refused, ENOSPC: full, ETIMEDOUT: timeout, ...). `doing` says what was
/// tried, with the thing's name: "open /dev/bus/usb/003/004".
Error fail_errno(int errno_value, std::string_view doing);

/// What boost::system::result does when value() is called on an error: a bug, hence an exception.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

} // namespace longcord
