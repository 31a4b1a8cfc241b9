// SPDX-License-Identifier: MIT
#include "pairing/ssh_key.hpp"

#include "base/base64.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <openssl/evp.h>

#include <sys/random.h>

namespace longcord {

namespace {

constexpr std::string_view type = "ssh-ed25519";
constexpr std::string_view prefix = "SHA256:";

struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept { ::EVP_PKEY_free(key); }
};

/// RFC 4251, 5: a length, big endian, and the bytes.
std::string ssh_string(std::string_view bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(size >> shift & 0xff);
    return out += bytes;
}

Result<std::string> public_half(const KeySeed& seed) {
    const std::unique_ptr<EVP_PKEY, FreeKey> key(
        ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size));
    std::array<unsigned char, 32> half{};
    std::size_t size = half.size();
    if (!key || ::EVP_PKEY_get_raw_public_key(key.get(), half.data(), &size) != 1)
        return fail(ErrorKind::system, "libcrypto makes no ed25519 key");
    return std::string(half.begin(), half.end());
}

std::string public_blob(std::string_view half) {
    return ssh_string(type) + ssh_string(half);
}

} // namespace

Result<KeySeed> make_key_seed() {
    KeySeed seed;
    const ssize_t got = ::getrandom(seed.data(), seed.size, 0);
    if (got != static_cast<ssize_t>(seed.size))
        return fail_errno(got < 0 ? errno : EAGAIN, "getrandom");
    return seed;
}

Result<PublicKey> public_key_of(const KeySeed& seed) {
    const auto half = public_half(seed);
    if (!half)
        return half.error();
    return PublicKey{std::string(type), encode_base64(public_blob(*half))};
}

Result<std::string> private_key_file(const KeySeed& seed, std::string_view comment) {
    const auto half = public_half(seed);
    if (!half)
        return half.error();
    // Two equal numbers that show a wrong passphrase; there is none.
    const std::string check = {1, 2, 3, 4, 1, 2, 3, 4};
    const std::string pair(reinterpret_cast<const char*>(seed.data()), seed.size);
    std::string secret = check + ssh_string(type) + ssh_string(*half) + ssh_string(pair + *half) +
                         ssh_string(comment);
    constexpr std::size_t block = 8; // of the cipher "none"
    for (char pad = 1; secret.size() % block != 0; ++pad)
        secret += pad;
    const std::string one_key = {0, 0, 0, 1};
    const std::string whole = std::string("openssh-key-v1") + '\0' + ssh_string("none") +
                              ssh_string("none") + ssh_string("") + one_key +
                              ssh_string(public_blob(*half)) + ssh_string(secret);
    const std::string digits = encode_base64(whole);
    constexpr std::size_t line = 70;
    std::string text = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    for (std::size_t at = 0; at < digits.size(); at += line)
        text += digits.substr(at, line) + '\n';
    return text + "-----END OPENSSH PRIVATE KEY-----\n";
}

std::string fingerprint_text(std::string_view bytes) {
    std::string digits = encode_base64(bytes);
    while (digits.ends_with('='))
        digits.pop_back();
    return std::string(prefix) + digits;
}

std::string fingerprint_of(const PublicKey& key) {
    const auto blob = decode_base64(key.blob);
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    if (!blob ||
        ::EVP_Digest(blob->data(), blob->size(), hash.data(), &size, ::EVP_sha256(), nullptr) != 1)
        return {};
    return fingerprint_text({reinterpret_cast<const char*>(hash.data()), size});
}

std::optional<std::string> fingerprint_bytes(std::string_view fingerprint) {
    if (!fingerprint.starts_with(prefix))
        return std::nullopt;
    auto bytes = decode_base64(std::string(fingerprint.substr(prefix.size())) + '=');
    return bytes && bytes->size() == fingerprint_size ? bytes : std::nullopt;
}

} // namespace longcord
