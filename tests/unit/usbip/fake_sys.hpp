// SPDX-License-Identifier: MIT
// A /sys of our own below a temporary folder. Plain files keep what was written to them last; files
// made by `log` all lead to one pipe, which keeps the order of writes across them.
#pragma once

#include "base/roots.hpp"
#include "base/unique_fd.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace longcord::test {

class FakeSys {
  public:
    FakeSys() {
        std::string name = std::filesystem::temp_directory_path() / "longcord-usbip-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("mkdtemp");
        roots.prefix = name;
        if (::mkfifo((roots.prefix / "log").c_str(), 0600) != 0)
            throw std::runtime_error("mkfifo");
        log_.reset(::open((roots.prefix / "log").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    }
    ~FakeSys() {
        std::error_code ignored;
        std::filesystem::remove_all(roots.prefix, ignored);
    }
    FakeSys(const FakeSys&) = delete;
    FakeSys& operator=(const FakeSys&) = delete;

    std::filesystem::path sys(const std::string& path) const { return roots.sys() / path; }

    void file(const std::string& path, const std::string& content) {
        std::filesystem::create_directories(sys(path).parent_path());
        std::ofstream(sys(path)) << content;
    }
    void folder(const std::string& path) { std::filesystem::create_directories(sys(path)); }
    /// `target` is below /sys, or an absolute path such as /dev/full.
    void link(const std::string& path, const std::string& target) {
        std::filesystem::create_directories(sys(path).parent_path());
        std::filesystem::remove(sys(path));
        std::filesystem::create_symlink(
            target.starts_with('/') ? target : sys(target).string(), sys(path));
    }
    void relative_link(const std::string& path, const std::string& target) {
        std::filesystem::create_directories(sys(path).parent_path());
        std::filesystem::create_symlink(target, sys(path));
    }
    void log(const std::string& path) {
        std::filesystem::create_directories(sys(path).parent_path());
        std::filesystem::remove(sys(path));
        std::filesystem::create_symlink(roots.prefix / "log", sys(path));
    }

    std::string content(const std::filesystem::path& path) const {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string read(const std::string& path) const { return content(sys(path)); }
    /// All that was written to `log` files since the last call.
    std::string written() {
        std::string text(4096, '\0');
        const ssize_t n = ::read(log_.get(), text.data(), text.size());
        text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return text;
    }

    Roots roots;

  private:
    UniqueFd log_;
};

} // namespace longcord::test
