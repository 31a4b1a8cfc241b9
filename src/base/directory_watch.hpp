// SPDX-License-Identifier: MIT
// Follows one directory that may not exist yet, may go, and may come back: while it is missing, its
// nearest existing ancestor is watched instead. /run/qemu-server appears with the first VM.
#pragma once

#include "base/inotify.hpp"

#include <filesystem>

namespace longcord {

class DirectoryWatch {
  public:
    DirectoryWatch(asio::io_context& loop, std::filesystem::path directory);

    /// To be called before each look at the directory: what happens after this call makes fd()
    /// readable, so a change is seen by the look or by the next wait, never by neither.
    void arm();
    /// Forgets what woke us. The directory itself tells the rest.
    void drain() { inotify_.take(); }
    /// The same for those who want to know whether anything happened.
    std::vector<InotifyEvent> take() { return inotify_.take(); }
    int fd() const noexcept { return inotify_.fd(); }
    const std::filesystem::path& directory() const noexcept { return directory_; }

  private:
    std::filesystem::path watch_nearest();

    std::filesystem::path directory_;
    Inotify inotify_;
    int watch_ = -1;
};

} // namespace longcord
