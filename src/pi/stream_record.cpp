// SPDX-License-Identifier: MIT
#include "pi/stream_record.hpp"

#include "base/files.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

static constexpr std::size_t max_record = 1024 * 1024;

static std::filesystem::path record_file(const Roots& roots) {
    return roots.run() / "streams.json";
}

std::string format_stream_record(const StreamRecord& record) {
    json out = json::object();
    for (const auto& [busid, stream] : record)
        out[busid] = {
            {"devnum", stream.devnum},
            {"link", stream.holder.link},
            {"node", stream.holder.node},
            {"vmid", stream.holder.vmid ? json(*stream.holder.vmid) : json()},
            {"engine", stream.engine}};
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

static std::string text_of(const json& entry, const char* key) {
    const auto found = entry.find(key);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

static std::optional<unsigned> number_of(const json& entry, const char* key) {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_number_unsigned() ||
        found->get<std::uint64_t>() > 0xffffffff)
        return std::nullopt;
    return found->get<unsigned>();
}

StreamRecord parse_stream_record(std::string_view text) {
    StreamRecord record;
    const json read = json::parse(text, nullptr, false);
    if (!read.is_object())
        return record;
    for (const auto& [busid, entry] : read.items()) {
        if (!entry.is_object())
            continue;
        RecordedStream& stream = record[busid];
        stream.devnum = number_of(entry, "devnum").value_or(0);
        stream.holder = {text_of(entry, "link"), text_of(entry, "node"), number_of(entry, "vmid")};
        stream.engine = text_of(entry, "engine");
    }
    return record;
}

StreamRecord read_stream_record(const Roots& roots) {
    const auto text = read_file(record_file(roots), max_record);
    return text ? parse_stream_record(*text) : StreamRecord();
}

Result<> write_stream_record(const Roots& roots, const StreamRecord& record) {
    return write_file(record_file(roots), format_stream_record(record), 0600);
}

} // namespace longcord
