// SPDX-License-Identifier: MIT
// TLS 1.3 records of application data (RFC 8446, 5.2 and 5.3) with ChaCha20-Poly1305 (RFC 8439):
// what the kernel's tls module sends and expects on a socket, for an end whose kernel has none.
// Pure: bytes in, bytes out. Numbers count from 0 and never wrap: 2^64 records are not sent in a
// stream's life.
#pragma once

#include "base/error.hpp"
#include "seal/stream_secret.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace longcord {

constexpr std::size_t record_header_size = 5;
constexpr std::size_t record_tag_size = 16;
constexpr std::size_t max_record_content = 16 * 1024; ///< RFC 8446, 5.1: 2^14
/// RFC 8446, 5.2: content, type, padding and tag together.
constexpr std::size_t max_record_body = max_record_content + 256;

/// One direction's cipher with its record number.
class RecordCipher {
  public:
    explicit RecordCipher(const SealKey& key, bool sealing);
    RecordCipher(RecordCipher&&) noexcept;
    ~RecordCipher();

    /// Sets the nonce of the next record; the number goes up by one.
    Result<> next_record();
    /// Context of libcrypto, ready for the record's header and body.
    void* context() const noexcept { return context_.get(); }

  private:
    struct Free {
        void operator()(void* context) const noexcept;
    };
    std::unique_ptr<void, Free> context_;
    SecretBytes<12> iv_;
    std::uint64_t number_ = 0;
    bool sealing_;
};

class RecordSealer {
  public:
    explicit RecordSealer(const SealKey& key) : cipher_(key, true) {}

    /// Appends as many records to `out` as `content` needs. ErrorKind::system: libcrypto fails,
    /// which it does not in a healthy process.
    Result<> seal(std::span<const char> content, std::string& out);

  private:
    Result<> seal_one(std::span<const char> content, std::string& out);

    RecordCipher cipher_;
};

class RecordOpener {
  public:
    explicit RecordOpener(const SealKey& key) : cipher_(key, false) {}

    /// Takes the next bytes of the wire and appends the content of every record that is complete to
    /// `out`. ErrorKind::protocol: a record is not what was sent (changed, replayed, out of order,
    /// of another kind): nothing of it is in `out`, and this stream is over.
    Result<> open(std::span<const char> wire, std::string& out);
    /// Bytes of a record that is not complete.
    std::size_t pending() const noexcept { return wire_.size(); }

  private:
    Result<> open_one(std::span<const char> record, std::string& out);

    RecordCipher cipher_;
    std::string wire_;
};

} // namespace longcord
