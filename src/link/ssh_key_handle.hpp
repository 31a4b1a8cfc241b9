// SPDX-License-Identifier: MIT
// A key of libssh's, which frees it.
#pragma once

#include <memory>

#include <libssh/libssh.h>

namespace longcord {

struct FreeSshKey {
    void operator()(ssh_key key) const noexcept { ::ssh_key_free(key); }
};
using SshKey = std::unique_ptr<ssh_key_struct, FreeSshKey>;

} // namespace longcord
