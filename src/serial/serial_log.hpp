// SPDX-License-Identifier: MIT
// What a device says, into a file: FILE, and before it FILE.1 and FILE.2. Writing never holds the
// device back: a disk that is too slow costs log, and the log says so.
#pragma once

#include "base/worker_pool.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace longcord {

constexpr std::size_t max_serial_log = 10 * 1024 * 1024;
constexpr unsigned serial_log_files = 3;

/// Appends to `file`, which never grows beyond `limit`: older content moves on to FILE.1, ...
/// Of no bytes: whether it can be written at all. Blocking.
Result<> append_rotating(
    const std::filesystem::path& file, std::string_view bytes, std::size_t limit = max_serial_log);

class SerialLog : public std::enable_shared_from_this<SerialLog> {
  public:
    static constexpr std::size_t max_waiting = 4 * 1024 * 1024;

    SerialLog(asio::io_context& loop, WorkerPool& pool, std::filesystem::path file)
        : loop_(loop), pool_(pool), file_(std::move(file)) {}

    void append(std::string_view bytes);

  private:
    Task<> flush(std::shared_ptr<SerialLog> self);

    asio::io_context& loop_;
    WorkerPool& pool_;
    std::filesystem::path file_;
    std::string waiting_;
    std::size_t lost_ = 0;
    bool flushing_ = false;
    bool complained_ = false;
};

} // namespace longcord
