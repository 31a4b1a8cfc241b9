// SPDX-License-Identifier: MIT
#include "pairing/token.hpp"

#include "base/base64.hpp"
#include "base/text.hpp"
#include "usb/place.hpp"

#include <algorithm>

namespace longcord {

namespace {

constexpr unsigned token_version = 1;
constexpr std::size_t crc_size = 4;
constexpr const char* again = "copy the whole line again";

/// CRC-32 as zip and Ethernet have it (reflected, 0xedb88320).
std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

std::string big_endian(std::uint32_t value, unsigned bytes) {
    std::string out;
    while (bytes-- > 0)
        out += static_cast<char>(value >> 8 * bytes & 0xff);
    return out;
}

std::string counted(std::string_view text) {
    const auto kept = text.substr(0, max_token_text);
    return static_cast<char>(kept.size()) + std::string(kept);
}

std::string bytes_of(const TokenNode& node) {
    const auto& types = token_key_types();
    const auto type = std::ranges::find(types, node.key_type) - types.begin() + 1;
    const auto hash = fingerprint_bytes(node.fingerprint);
    const auto count = std::min(node.addresses.size(), max_token_addresses);
    std::string out = counted(node.name) + big_endian(node.port, 2) + static_cast<char>(type) +
                      hash.value_or(std::string(fingerprint_size, '\0')) + static_cast<char>(count);
    for (std::size_t i = 0; i < count; ++i)
        out += counted(node.addresses[i]);
    return out;
}

/// Takes from the front; past the end it gives zeros and remembers.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::string_view take(std::size_t size) {
        if (size > rest_.size()) {
            beyond_ = true;
            rest_ = {};
        }
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    unsigned number(unsigned bytes) {
        unsigned value = 0;
        for (const char c : take(bytes))
            value = value << 8 | static_cast<unsigned char>(c);
        return value;
    }
    std::string text() { return std::string(take(number(1))); }
    bool beyond() const noexcept { return beyond_; }
    bool at_end() const noexcept { return rest_.empty(); }

  private:
    std::string_view rest_;
    bool beyond_ = false;
};

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= max_token_text && text.front() != '-' &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("._-:%").find(c) != std::string_view::npos;
           });
}

Error wrong(std::string_view what) {
    return fail(ErrorKind::invalid, "the token {}; {}", what, again);
}

Result<TokenNode> read_node(Reader& reader) {
    TokenNode node;
    node.name = printable(reader.text());
    node.port = static_cast<std::uint16_t>(reader.number(2));
    const auto type = reader.number(1);
    const auto hash = reader.take(fingerprint_size);
    const auto addresses = reader.number(1);
    if (reader.beyond() || node.port == 0 || type == 0 || type > token_key_types().size() ||
        addresses == 0 || addresses > max_token_addresses || node.name.size() > max_token_text)
        return wrong("describes a node in a way that cannot be");
    node.key_type = token_key_types()[type - 1];
    node.fingerprint = fingerprint_text(hash);
    for (unsigned i = 0; i < addresses; ++i) {
        node.addresses.push_back(reader.text());
        if (reader.beyond() || !is_host(node.addresses.back()))
            return wrong("has an address that is none");
    }
    return node;
}

Result<std::string> whole_bytes(std::string_view text) {
    // Whoever pastes the whole line that the node printed means the token in it.
    constexpr std::string_view command = "longcord join";
    text = trim(text);
    if (text.starts_with(command))
        text.remove_prefix(command.size());
    std::string digits;
    for (const char c : text.substr(0, 2 * max_token))
        if (std::string_view(" \t\r\n").find(c) == std::string_view::npos)
            digits += c;
    if (digits.empty())
        return fail(
            ErrorKind::invalid, "the token is empty; `longcord pair NAME` on the node prints it");
    if (text.size() > 2 * max_token || digits.size() > max_token)
        return fail(
            ErrorKind::invalid, "the token is longer than {} characters: that is none", max_token);
    const auto bytes = decode_base64url(digits);
    if (!bytes)
        return wrong("is not whole, or has a character that no token has");
    if (bytes->size() <= crc_size)
        return wrong("is not whole");
    const auto end = bytes->size() - crc_size;
    if (big_endian(crc32(std::string_view(*bytes).substr(0, end)), crc_size) != bytes->substr(end))
        return wrong("is not what the node printed: its checksum does not fit");
    return bytes->substr(0, end);
}

} // namespace

const std::vector<std::string>& token_key_types() {
    static const std::vector<std::string> types = {
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "ssh-rsa"};
    return types;
}

std::string format_token(const PairingToken& token) {
    const auto count = std::min(token.nodes.size(), max_token_nodes);
    std::string bytes = static_cast<char>(token_version) + counted(token.pi);
    bytes.append(reinterpret_cast<const char*>(token.seed.data()), token.seed.size);
    bytes += static_cast<char>(count);
    for (std::size_t i = 0; i < count; ++i)
        bytes += bytes_of(token.nodes[i]);
    return encode_base64url(bytes + big_endian(crc32(bytes), crc_size));
}

Result<PairingToken> parse_token(std::string_view text) {
    const auto bytes = whole_bytes(text);
    if (!bytes)
        return bytes.error();
    Reader reader(*bytes);
    if (const auto version = reader.number(1); version != token_version)
        return fail(
            ErrorKind::invalid,
            "the token is of version {}, this machine knows version {}: update the older side",
            version, token_version);
    PairingToken token;
    token.pi = reader.text();
    if (!is_pi_name(token.pi))
        return wrong("names no Pi");
    const auto seed = reader.take(token.seed.size);
    std::ranges::copy(seed, token.seed.data());
    const auto nodes = reader.number(1);
    if (reader.beyond() || nodes == 0 || nodes > max_token_nodes)
        return wrong("names no node");
    for (unsigned i = 0; i < nodes; ++i) {
        auto node = read_node(reader);
        if (!node)
            return node.error();
        token.nodes.push_back(std::move(*node));
    }
    if (!reader.at_end())
        return wrong("goes on after its end");
    return token;
}

} // namespace longcord
