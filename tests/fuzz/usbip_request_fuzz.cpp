// SPDX-License-Identifier: MIT
// The first bytes at the Pi's port: a stream preface, or a USB/IP request, or neither.
#include "must.hpp"
#include "seal/stream_preface.hpp"
#include "usbip/serve.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace longcord;
    const std::span<const std::uint8_t> bytes(data, size);
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    const auto kind = tell_first_bytes(bytes);
    must((kind == FirstBytes::too_few) <= (size < 2), "two bytes decide");
    if (const auto ticket = parse_stream_preface(bytes)) {
        must(kind == FirstBytes::sealed, "a preface begins as one");
        const auto again = format_stream_preface(*ticket);
        must(std::ranges::equal(again, bytes), "a preface has one form");
    }
    if (const auto request = parse_request_header(text.substr(0, op_header_size)))
        must(kind == FirstBytes::usbip, "a request begins as one");
    if (size > op_header_size)
        if (const auto busid = parse_requested_busid(text.substr(op_header_size)))
            must(is_wire_busid(*busid), "a busid is one");
    if (const auto busid = parse_import_request(text)) {
        const auto again = format_import_request(*busid);
        must(again.has_value(), "an import request can be said again");
        must(*parse_import_request(*again) == *busid, "and means the same");
    }
    return 0;
}
