// SPDX-License-Identifier: MIT
#include "serial/serial_log.hpp"

#include "base/spawn.hpp"
#include "base/unique_fd.hpp"

#include <algorithm>
#include <cerrno>

#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace longcord {

namespace fs = std::filesystem;

static fs::path older(const fs::path& file, unsigned number) {
    return number == 0 ? file : fs::path(fmt::format("{}.{}", file.string(), number));
}

static Result<> rotate(const fs::path& file) {
    for (unsigned number = serial_log_files - 1; number > 0; --number) {
        const fs::path from = older(file, number - 1);
        if (::rename(from.c_str(), older(file, number).c_str()) != 0 && errno != ENOENT)
            return fail_errno(errno, "rename " + from.string());
    }
    return {};
}

Result<> append_rotating(const fs::path& file, std::string_view bytes, std::size_t limit) {
    do {
        // O_NONBLOCK: a FIFO of that name must not hang us.
        const UniqueFd fd(
            ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640));
        struct stat now {};
        if (!fd || ::fstat(fd.get(), &now) != 0)
            return fail_errno(errno, "open " + file.string());
        if (!S_ISREG(now.st_mode))
            return fail(ErrorKind::invalid, "{} is no file", file.string());
        const std::size_t size = static_cast<std::size_t>(now.st_size);
        if (size >= limit) {
            const auto rotated = rotate(file);
            if (!rotated)
                return rotated.error();
            continue;
        }
        const ssize_t n = ::write(fd.get(), bytes.data(), std::min(bytes.size(), limit - size));
        if (n < 0 && errno != EINTR)
            return fail_errno(errno, "write " + file.string());
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    } while (!bytes.empty());
    return {};
}

void SerialLog::append(std::string_view bytes) {
    if (waiting_.size() + bytes.size() > max_waiting) {
        lost_ += bytes.size();
        return;
    }
    if (lost_ > 0)
        waiting_ +=
            fmt::format("\n[longcord: {} bytes are missing here]\n", std::exchange(lost_, 0));
    waiting_ += bytes;
    if (flushing_)
        return;
    flushing_ = true;
    spawn_guarded(loop_, "log " + file_.string(), flush(shared_from_this()));
}

Task<> SerialLog::flush(std::shared_ptr<SerialLog> self) {
    constexpr seconds deadline{30};
    while (!waiting_.empty()) {
        auto bytes = std::make_shared<std::string>(std::move(waiting_));
        waiting_.clear();
        std::function<Result<bool>()> work = [file = file_, bytes]() -> Result<bool> {
            const auto done = append_rotating(file, *bytes);
            if (!done)
                return done.error();
            return true;
        };
        const auto done =
            co_await pool_.run<bool>("log " + file_.string(), deadline, std::move(work));
        if (!done && !complained_)
            spdlog::error("the serial log: {}", done.error().message);
        complained_ = !done;
        if (!done)
            lost_ += bytes->size();
    }
    flushing_ = false;
    (void)self;
}

} // namespace longcord
