// SPDX-License-Identifier: MIT
// What a USB/IP server answers: a header, a device, a list.
#include "must.hpp"
#include "usbip/wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace longcord;
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    if (const auto header = parse_op_header(text.substr(0, op_header_size))) {
        must(format_op_header(*header) == text.substr(0, op_header_size), "a header has one form");
        for (const auto code : {OpCode::rep_import, OpCode::rep_devlist})
            if (const auto good = check_reply(*header, code))
                must(header->status == 0, "a good reply has status 0");
    }
    if (size > op_header_size)
        if (const auto device = parse_wire_device(text.substr(op_header_size))) {
            must(is_wire_busid(device->busid), "a device has a busid");
            const auto again = format_import_reply(*device);
            must(again.has_value(), "a device can be said again");
            must(
                *parse_wire_device(std::string_view(*again).substr(op_header_size)) == *device,
                "and means the same");
        }
    if (const auto list = parse_devlist_reply(text)) {
        must(list->size() <= max_devlist_devices, "a list has its limit");
        const auto again = format_devlist_reply(*list);
        must(again.has_value(), "a list can be said again");
        must(*parse_devlist_reply(*again) == *list, "and means the same");
    }
    return 0;
}
