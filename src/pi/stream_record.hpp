// SPDX-License-Identifier: MIT
// Who holds which device, in /run/longcord: streams outlive this program, and the next start must
// know whose they are. No key and no ticket is in it.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "pi/leases.hpp"

#include <map>
#include <string>
#include <string_view>

namespace longcord {

struct RecordedStream {
    unsigned devnum = 0; ///< of the device that it served
    Holder holder;
    std::string engine; ///< "kernel TLS", "user space", "plain"
    bool operator==(const RecordedStream&) const = default;
};

/// By busid. Pure.
using StreamRecord = std::map<std::string, RecordedStream>;
std::string format_stream_record(const StreamRecord& record);
/// What is no record is an empty one: then nobody is known.
StreamRecord parse_stream_record(std::string_view text);

StreamRecord read_stream_record(const Roots& roots);
Result<> write_stream_record(const Roots& roots, const StreamRecord& record);

} // namespace longcord
