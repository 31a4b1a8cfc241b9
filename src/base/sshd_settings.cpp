// SPDX-License-Identifier: MIT
#include "base/sshd_settings.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

namespace longcord {

Result<std::string> sshd_settings() {
    constexpr auto command =
        "timeout 5 /usr/sbin/sshd -T -C user=longcord,host=pi,addr=192.0.2.1 2>&1";
    struct Close {
        void operator()(std::FILE* pipe) const noexcept { ::pclose(pipe); }
    };
    const std::unique_ptr<std::FILE, Close> pipe(::popen(command, "re"));
    if (!pipe)
        return fail(ErrorKind::unavailable, "sshd cannot be asked: is openssh-server installed?");
    std::string text;
    std::array<char, 4096> chunk;
    while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe.get()))
        text.append(chunk.data(), got);
    return text;
}

std::uint16_t port_of_sshd(std::string_view settings) noexcept {
    constexpr std::uint16_t standard = 22;
    constexpr unsigned highest = 65535;
    constexpr std::string_view key = "port ";
    for (std::size_t at = 0; at < settings.size();) {
        const auto end = std::min(settings.find('\n', at), settings.size());
        const auto line = settings.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with(key))
            continue;
        const auto port = parse_decimal(trim(line.substr(key.size())), highest);
        return port && *port != 0 ? static_cast<std::uint16_t>(*port) : standard;
    }
    return standard;
}

std::uint16_t sshd_port() {
    const auto settings = sshd_settings();
    return port_of_sshd(settings ? *settings : "");
}

} // namespace longcord
