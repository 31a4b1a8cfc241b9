// SPDX-License-Identifier: MIT
#include "seal/record.hpp"

#include <algorithm>
#include <array>
#include <openssl/evp.h>

namespace longcord {

namespace {

constexpr char type_application_data = 23; // RFC 8446, 5.1
constexpr std::array<char, 3> header_begin{type_application_data, 3, 3};

EVP_CIPHER_CTX* evp(const RecordCipher& cipher) {
    return static_cast<EVP_CIPHER_CTX*>(cipher.context());
}

const unsigned char* bytes(const char* text) {
    return reinterpret_cast<const unsigned char*>(text);
}

unsigned char* bytes(char* text) {
    return reinterpret_cast<unsigned char*>(text);
}

Error libcrypto_failed(const char* doing) {
    return fail(ErrorKind::system, "libcrypto does not {} a record", doing);
}

std::size_t body_size(std::span<const char> header) {
    return std::size_t{bytes(header.data())[3]} << 8 | bytes(header.data())[4];
}

} // namespace

void RecordCipher::Free::operator()(void* context) const noexcept {
    ::EVP_CIPHER_CTX_free(static_cast<EVP_CIPHER_CTX*>(context)); // wipes the key
}

RecordCipher::RecordCipher(const SealKey& key, bool sealing)
    : context_(::EVP_CIPHER_CTX_new()), iv_(key.iv), sealing_(sealing) {
    // A failure here shows at the first record.
    if (context_)
        ::EVP_CipherInit_ex(
            evp(*this), ::EVP_chacha20_poly1305(), nullptr, key.key.data(), nullptr, sealing);
}

RecordCipher::RecordCipher(RecordCipher&&) noexcept = default;
RecordCipher::~RecordCipher() = default;

Result<> RecordCipher::next_record() {
    // RFC 8446, 5.3: the number, big endian, at the end of the iv's length, xor the iv.
    SecretBytes<12> nonce = iv_;
    for (std::size_t i = 0; i < sizeof number_; ++i)
        nonce.data()[nonce.size - 1 - i] ^= static_cast<std::uint8_t>(number_ >> (8 * i));
    ++number_;
    if (!context_ ||
        ::EVP_CipherInit_ex(evp(*this), nullptr, nullptr, nullptr, nonce.data(), sealing_) != 1)
        return libcrypto_failed("begin");
    return {};
}

Result<> RecordSealer::seal(std::span<const char> content, std::string& out) {
    for (; !content.empty();
         content = content.subspan(std::min(content.size(), max_record_content)))
        if (auto sealed =
                seal_one(content.first(std::min(content.size(), max_record_content)), out);
            !sealed)
            return sealed;
    return {};
}

Result<> RecordSealer::seal_one(std::span<const char> content, std::string& out) {
    const std::size_t begin = out.size();
    const std::size_t body = content.size() + 1 + record_tag_size;
    out.resize(begin + record_header_size + body);
    char* record = out.data() + begin;
    std::ranges::copy(header_begin, record);
    record[3] = static_cast<char>(body >> 8);
    record[4] = static_cast<char>(body & 0xff);
    char* inside = record + record_header_size;
    const int size = static_cast<int>(content.size());
    int done = 0;
    if (auto begun = cipher_.next_record(); !begun)
        return begun;
    EVP_CIPHER_CTX* context = evp(cipher_);
    const bool good =
        ::EVP_CipherUpdate(context, nullptr, &done, bytes(record), record_header_size) == 1 &&
        ::EVP_CipherUpdate(context, bytes(inside), &done, bytes(content.data()), size) == 1 &&
        ::EVP_CipherUpdate(context, bytes(inside + size), &done, bytes(header_begin.data()), 1) ==
            1 &&
        ::EVP_CipherFinal_ex(context, bytes(inside + size + 1), &done) == 1 &&
        ::EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, record_tag_size, inside + size + 1) ==
            1;
    if (!good)
        return libcrypto_failed("seal");
    return {};
}

Result<> RecordOpener::open(std::span<const char> wire, std::string& out) {
    wire_.append(wire.data(), wire.size());
    std::span<const char> rest(wire_);
    while (rest.size() >= record_header_size) {
        const auto header = rest.first(record_header_size);
        const std::size_t body = body_size(header);
        if (!std::ranges::equal(header.first(header_begin.size()), header_begin) ||
            body <= record_tag_size || body > max_record_body)
            return fail(ErrorKind::protocol, "what came is no record of application data");
        if (rest.size() < record_header_size + body)
            break;
        if (auto opened = open_one(rest.first(record_header_size + body), out); !opened)
            return opened;
        rest = rest.subspan(record_header_size + body);
    }
    wire_.erase(0, wire_.size() - rest.size());
    return {};
}

Result<> RecordOpener::open_one(std::span<const char> record, std::string& out) {
    if (auto begun = cipher_.next_record(); !begun)
        return begun;
    const std::size_t begin = out.size();
    const std::size_t size = record.size() - record_header_size - record_tag_size;
    out.resize(begin + size);
    std::array<char, record_tag_size> tag{};
    std::ranges::copy(record.last(record_tag_size), tag.begin());
    EVP_CIPHER_CTX* context = evp(cipher_);
    int done = 0;
    const bool good =
        ::EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag.size(), tag.data()) == 1 &&
        ::EVP_CipherUpdate(context, nullptr, &done, bytes(record.data()), record_header_size) ==
            1 &&
        ::EVP_CipherUpdate(
            context, bytes(out.data() + begin), &done, bytes(record.data() + record_header_size),
            static_cast<int>(size)) == 1 &&
        ::EVP_CipherFinal_ex(context, bytes(tag.data()), &done) == 1;
    // Behind the content stand its type and then zeros, as many as the sender liked.
    const std::size_t end = good ? out.find_last_not_of('\0') : std::string::npos;
    if (end == std::string::npos || end < begin || out[end] != type_application_data) {
        out.resize(begin);
        return fail(ErrorKind::protocol, "a record is not what was sent");
    }
    out.resize(end);
    return {};
}

} // namespace longcord
