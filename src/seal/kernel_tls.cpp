// SPDX-License-Identifier: MIT
#include "seal/kernel_tls.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#ifndef SOL_TLS
#define SOL_TLS 282 // include/linux/socket.h; not in Debian 12's libc
#endif

namespace longcord {

static int set_key(int socket, int direction, const SealKey& key) {
    tls12_crypto_info_chacha20_poly1305 info{};
    info.info.version = TLS_1_3_VERSION;
    info.info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
    std::memcpy(info.key, key.key.data(), key.key.size);
    std::memcpy(info.iv, key.iv.data(), key.iv.size);
    // rec_seq stays 0: the first record has this number.
    const int failed =
        ::setsockopt(socket, SOL_TLS, direction, &info, sizeof info) == 0 ? 0 : errno;
    ::explicit_bzero(&info, sizeof info);
    return failed;
}

Result<> start_kernel_tls(int socket, const SealKey& send, const SealKey& receive) {
    if (::setsockopt(socket, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls" - 1) != 0) {
        const int error = errno;
        if (error == ENOENT || error == ENOPROTOOPT || error == EPERM)
            return fail(ErrorKind::unavailable, "this kernel has no tls module");
        return fail_errno(error, "TCP_ULP tls");
    }
    // Without keys the kernel carries clear bytes, so up to here nothing is changed.
    if (const int error = set_key(socket, TLS_TX, send))
        return fail(
            ErrorKind::unavailable, "the kernel's tls module takes no ChaCha20-Poly1305 key: {}",
            std::generic_category().message(error));
    if (const int error = set_key(socket, TLS_RX, receive))
        return fail_errno(error, "TLS_RX");
    return {};
}

} // namespace longcord
