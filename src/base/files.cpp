// SPDX-License-Identifier: MIT
#include "base/files.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace longcord {

namespace {

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, unsigned mode = 0) {
    // O_NONBLOCK: a FIFO put in a file's place must not hang us; regular files ignore it.
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, mode));
    if (!fd)
        return fail_errno(errno, "open " + path.string());
    return fd;
}

Result<> write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(errno, "write " + path.string());
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

} // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd)
        return fd.error();
    std::string content;
    std::array<char, 16384> chunk;
    for (;;) {
        const ssize_t n = ::read(fd->get(), chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(errno, "read " + path.string());
        if (n == 0)
            return content;
        content.append(chunk.data(), static_cast<std::size_t>(n));
        if (content.size() > limit)
            return fail(ErrorKind::invalid, "{}: larger than {} bytes", path.string(), limit);
    }
}

Result<std::string> read_attribute(const std::filesystem::path& path) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd)
        return fd.error();
    std::array<char, 4096> page;
    const ssize_t n = ::read(fd->get(), page.data(), page.size());
    if (n < 0)
        return fail_errno(errno, "read " + path.string());
    std::string value(page.data(), static_cast<std::size_t>(n));
    if (value.ends_with('\n'))
        value.pop_back();
    return value;
}

Result<> write_attribute(const std::filesystem::path& path, std::string_view value) {
    auto fd = open_file(path, O_WRONLY);
    if (!fd)
        return fd.error();
    const ssize_t n = ::write(fd->get(), value.data(), value.size());
    if (n < 0)
        return fail_errno(errno, fmt::format("write \"{}\" to {}", value, path.string()));
    return {};
}

Result<> write_file(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    std::error_code ignored; // the open below says what is wrong, if anything is
    std::filesystem::create_directories(path.parent_path(), ignored);
    const auto temporary = std::filesystem::path(path.string() + ".tmp");
    auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (!fd)
        return fd.error();
    if (auto written = write_all(fd->get(), content, temporary); !written)
        return written;
    if (::fsync(fd->get()) != 0 && errno != EINVAL)
        return fail_errno(errno, "fsync " + temporary.string());
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        return fail_errno(errno, "rename " + temporary.string());
    // So that the new name outlives a power cut, too. Not every file system knows how: no error.
    if (const auto folder = open_file(path.parent_path(), O_RDONLY | O_DIRECTORY))
        ::fsync(folder->get());
    return {};
}

} // namespace longcord
