// SPDX-License-Identifier: MIT
// For tests that wait: a temporary directory, and a coroutine run to its end within a bound that
// only a broken program reaches.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

namespace longcord {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "longcord-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

inline void put(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::trunc) << text;
}

/// A coroutine that has been started and may be waited for.
template <class T> class Running {
  public:
    Running(asio::io_context& loop, Task<T> task) : loop_(loop) {
        auto done = [this](std::exception_ptr error, T value) {
            error_ = error;
            value_ = std::move(value);
        };
        asio::co_spawn(loop, std::move(task), std::move(done));
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    bool finished() const { return value_.has_value(); }

    /// Runs what can run without waiting.
    bool poll() {
        loop_.restart();
        loop_.poll();
        return finished();
    }

    /// The bound is below the 10 s after which the watchers look by themselves: an event that is
    /// not noticed fails the test.
    T get(milliseconds bound = seconds(8)) {
        loop_.restart();
        const auto end = Clock::now() + bound;
        while (!finished() && Clock::now() < end)
            loop_.run_one_until(end);
        REQUIRE_MESSAGE(finished(), "the coroutine did not end");
        if (error_)
            std::rethrow_exception(error_);
        return std::move(*value_);
    }

  private:
    asio::io_context& loop_;
    std::exception_ptr error_;
    std::optional<T> value_;
};

template <class T> T run(asio::io_context& loop, Task<T> task) {
    Running<T> running(loop, std::move(task));
    return running.get();
}

} // namespace longcord
