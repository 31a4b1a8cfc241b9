// SPDX-License-Identifier: MIT
// Coroutine vocabulary. g++ 12 miscompiles some forms silently; CONTRIBUTING.md has the rules: one
// co_await a statement, as the right-hand side of a declaration, and every struct or lambda
// argument has a name of its own.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace longcord {

namespace asio = boost::asio;

template <class T = void> using Task = asio::awaitable<T>;

/// Completion token: the operation's error_code comes back as a value, in a tuple.
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

} // namespace longcord
