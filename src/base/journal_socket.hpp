// SPDX-License-Identifier: MIT
// journald's own socket: an entry can have fields there, by which it is found again
// (`journalctl LONGCORD_VM=100`), which a line on stderr cannot. The protocol is systemd's
// JOURNAL_NATIVE_PROTOCOL, one datagram an entry; spoken here and not by libsystemd, so that the
// socket can lie below a test's root, and nothing ever waits for a journald that is stuck.
#pragma once

#include "base/unique_fd.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace longcord {

/// Adds "NAME=value" to an entry. `name`: upper-case letters, digits and '_', not first. A value
/// may have any bytes: with a newline it goes with its length in front.
void add_journal_field(std::string& entry, std::string_view name, std::string_view value);

/// Is stderr connected to the journal? systemd says which file that is: "DEVICE:INODE".
bool stderr_is_journal(std::string_view journal_stream);

class JournalSocket {
  public:
    /// Not connected: a journald that was started again is found again.
    explicit JournalSocket(std::filesystem::path path);

    /// False: nobody took it, and it must be said elsewhere.
    bool send(std::string_view entry) const;

  private:
    std::filesystem::path path_;
    UniqueFd socket_;
};

} // namespace longcord
