// SPDX-License-Identifier: MIT
#include "usbip/vhci_record.hpp"

#include "base/files.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

constexpr std::size_t max_record = 4096;

std::optional<std::uint32_t> number(const nlohmann::json& record, const char* key) {
    const auto it = record.find(key);
    if (it == record.end() || !it->is_number_unsigned())
        return std::nullopt;
    const auto* value = it->get_ptr<const nlohmann::json::number_unsigned_t*>();
    if (*value > std::numeric_limits<std::uint32_t>::max())
        return std::nullopt;
    return static_cast<std::uint32_t>(*value);
}

std::string text(const nlohmann::json& record, const char* key) {
    const auto it = record.find(key);
    if (it == record.end() || !it->is_string())
        return {};
    return *it->get_ptr<const std::string*>();
}

/// "host port busid": what usbip_attach.c writes and usbip_vhci_driver's read_record() reads back.
std::string for_usbip(const VhciRecord& record) {
    std::string host = record.server.substr(0, record.server.rfind(':'));
    const std::string port = record.server.substr(std::min(host.size() + 1, record.server.size()));
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    return fmt::format("{} {} {}\n", host, port, record.place.busid());
}

} // namespace

bool owns(const VhciRecord& record, const VhciPort& port) {
    return port.state == VhciPort::State::used && port.port == record.port &&
           port.devid == record.devid && port.sockfd == record.sockfd;
}

bool may_own(const VhciRecord& record, const VhciPort& port) {
    return owns(record, port) ||
           (port.port == record.port &&
            (port.state == VhciPort::State::assigned || port.state == VhciPort::State::error));
}

std::filesystem::path VhciRecords::own_file(unsigned port) const {
    return roots_.run() / "vhci" / std::to_string(port);
}

std::filesystem::path VhciRecords::usbip_file(unsigned port) const {
    return roots_.vhci_record() / fmt::format("port{}", port);
}

Result<VhciRecord> VhciRecords::read(unsigned port) const {
    const auto path = own_file(port);
    const auto content = read_file(path, max_record);
    if (!content)
        return content.error();
    const auto json = nlohmann::json::parse(*content, nullptr, false);
    if (!json.is_object())
        return fail(ErrorKind::invalid, "{}: no record", path.string());
    const auto place = Place::parse(text(json, "place"));
    const auto devid = number(json, "devid");
    const auto sockfd = number(json, "sockfd");
    VhciRecord record;
    record.server = text(json, "server");
    if (!place || !devid || !sockfd || number(json, "port") != port || record.server.empty())
        return fail(ErrorKind::invalid, "{}: no record of port {}", path.string(), port);
    record.port = port;
    record.place = *place;
    record.devid = *devid;
    record.sockfd = *sockfd;
    return record;
}

std::vector<VhciRecord> VhciRecords::load() const {
    std::vector<VhciRecord> records;
    std::error_code error;
    for (std::filesystem::directory_iterator it(roots_.run() / "vhci", error), end;
         !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename();
        const auto port = parse_decimal(name);
        if (!port || std::to_string(*port) != name)
            continue;
        if (auto record = read(*port))
            records.push_back(std::move(*record));
    }
    const auto by_port = [](const VhciRecord& a, const VhciRecord& b) { return a.port < b.port; };
    std::sort(records.begin(), records.end(), by_port);
    return records;
}

Result<> VhciRecords::save(const VhciRecord& record) const {
    const nlohmann::json json = {
        {"port", record.port},
        {"place", record.place.to_string()},
        {"devid", record.devid},
        {"sockfd", record.sockfd},
        {"server", record.server}};
    if (auto written = write_file(own_file(record.port), json.dump() + '\n', 0600); !written)
        return written;
    // usbip's own record is for people to read: an import does not fail for want of it.
    std::error_code ignored;
    if (std::filesystem::create_directory(roots_.vhci_record(), ignored))
        std::filesystem::permissions(
            roots_.vhci_record(), std::filesystem::perms::owner_all, ignored);
    (void)write_file(usbip_file(record.port), for_usbip(record), 0600);
    return {};
}

void VhciRecords::remove(unsigned port) const {
    std::error_code ignored;
    if (const auto record = read(port)) {
        const auto theirs = read_file(usbip_file(port), max_record);
        if (theirs && *theirs == for_usbip(*record))
            std::filesystem::remove(usbip_file(port), ignored);
    }
    std::filesystem::remove(own_file(port), ignored);
}

} // namespace longcord
