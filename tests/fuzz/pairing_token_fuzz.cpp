// SPDX-License-Identifier: MIT
// What somebody pasted behind `longcord join`. Its last bytes are a CRC, which no fuzzer guesses:
// so the input is taken as it is, and as the bytes of a token whose CRC is right. What was taken
// once is taken again when we write it, and means the same.
#include "base/base64.hpp"
#include "must.hpp"
#include "pairing/token.hpp"

#include <boost/crc.hpp>

using namespace longcord;

static void try_text(std::string_view text) {
    const auto token = parse_token(text);
    if (!token) {
        must(!token.error().message.empty(), "a refusal has a reason");
        return;
    }
    must(!token->nodes.empty() && token->nodes.size() <= max_token_nodes, "1 to 9 nodes");
    for (const auto& node : token->nodes) {
        must(
            !node.addresses.empty() && node.addresses.size() <= max_token_addresses,
            "each has 1 to 4 addresses");
        for (const auto& address : node.addresses)
            must(!address.empty() && address.size() <= max_token_text, "an address is a name");
    }
    const auto again = parse_token(format_token(*token));
    must(again.has_value(), "what we write is understood");
    must(*again == *token, "it means the same");
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::string bytes(reinterpret_cast<const char*>(data), size);
    try_text(bytes);
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<char>(crc.checksum() >> shift & 0xff));
    try_text(encode_base64url(bytes));
    return 0;
}
