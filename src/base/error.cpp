// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace longcord {

std::string_view to_string(ErrorKind kind) noexcept {
    switch (kind) {
    case ErrorKind::invalid:
        return "invalid";
    case ErrorKind::not_found:
        return "not found";
    case ErrorKind::busy:
        return "busy";
    case ErrorKind::refused:
        return "refused";
    case ErrorKind::full:
        return "full";
    case ErrorKind::unavailable:
        return "unavailable";
    case ErrorKind::timeout:
        return "timeout";
    case ErrorKind::unknown:
        return "unknown";
    case ErrorKind::protocol:
        return "protocol";
    case ErrorKind::system:
        return "system";
    }
    return "?";
}

bool Error::retryable() const noexcept {
    switch (kind) {
    case ErrorKind::busy:
    case ErrorKind::full:
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::unknown:
    case ErrorKind::system:
        return true;
    case ErrorKind::invalid:
    case ErrorKind::not_found:
    case ErrorKind::refused:
    case ErrorKind::protocol:
        return false;
    }
    return false;
}

static ErrorKind kind_of(int errno_value) {
    switch (errno_value) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ESRCH:
        return ErrorKind::not_found;
    case EBUSY:
    case EADDRINUSE:
        return ErrorKind::busy;
    case EACCES:
    case EPERM:
    case EROFS:
        return ErrorKind::refused;
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return ErrorKind::full;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPIPE:
    case EAGAIN:
    case ENOTCONN:
        return ErrorKind::unavailable;
    case ETIMEDOUT:
        return ErrorKind::timeout;
    case EINVAL:
        return ErrorKind::invalid;
    default:
        return ErrorKind::system;
    }
}

Error fail_errno(int errno_value, std::string_view doing) {
    return fail(
        kind_of(errno_value), "{}: {}", doing, std::generic_category().message(errno_value));
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw std::logic_error(
        fmt::format("{}:{}: unchecked error: {}", where.file_name(), where.line(), error.message));
}

} // namespace longcord
