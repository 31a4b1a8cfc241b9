// SPDX-License-Identifier: MIT
// Who protects a stream: the kernel's tls module, on the very socket that USB/IP owns, or our own
// process, which then stands between the two.
#pragma once

#include <string_view>

namespace longcord {

enum class SealEngine { kernel, user };

constexpr std::string_view to_string(SealEngine engine) noexcept {
    return engine == SealEngine::kernel ? "kernel TLS" : "user space";
}

} // namespace longcord
