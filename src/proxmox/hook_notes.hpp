// SPDX-License-Identifier: MIT
// The notes that longcord-hookscript leaves: empty files /run/longcord/hook/<VMID>.<phase>. A note
// is a hint to look, never the truth: the hook also runs for backups of stopped VMs and on
// migration targets, and not at every start. A note is deleted once it is read.
#pragma once

#include "base/directory_watch.hpp"
#include "base/roots.hpp"
#include "base/task.hpp"
#include "base/wait_set.hpp"

#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace longcord {

struct HookNote {
    unsigned vmid = 0;
    std::string phase; ///< "pre-start", "post-start", "pre-stop", "post-stop"

    bool operator==(const HookNote&) const = default;
};

class HookNotes {
  public:
    /// Makes the directory (0700) where it is missing.
    HookNotes(asio::io_context& loop, const Roots& roots);

    /// Waits for at least one note; oldest first. One caller at a time.
    Task<std::vector<HookNote>> next();

  private:
    std::vector<HookNote> take();

    DirectoryWatch directory_;
    WaitSet set_;
};

} // namespace longcord
