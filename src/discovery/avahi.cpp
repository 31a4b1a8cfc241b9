// SPDX-License-Identifier: MIT
#include "discovery/avahi.hpp"

#include "base/text.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <systemd/sd-bus.h>

#include <net/if.h>

namespace longcord {

namespace {

constexpr const char* avahi = "org.freedesktop.Avahi";
constexpr const char* server = "org.freedesktop.Avahi.Server";
constexpr const char* group_interface = "org.freedesktop.Avahi.EntryGroup";
constexpr const char* browser_interface = "org.freedesktop.Avahi.ServiceBrowser";
constexpr std::int32_t any = -1; // AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC (avahi-common/address.h)
constexpr std::uint64_t call_us = 3'000'000;

struct CloseBus {
    void operator()(sd_bus* bus) const noexcept { ::sd_bus_flush_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, CloseBus>;
struct FreeMessage {
    void operator()(sd_bus_message* message) const noexcept { ::sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, FreeMessage>;

Error unavailable(int error, std::string_view doing) {
    return fail(
        ErrorKind::unavailable, "avahi-daemon: {}: {}; is the package avahi-daemon installed?",
        doing, std::generic_category().message(-error));
}

Result<Bus> open_bus() {
    sd_bus* raw = nullptr;
    const int opened = ::sd_bus_open_system(&raw);
    Bus bus(raw);
    if (opened < 0)
        return unavailable(opened, "D-Bus");
    ::sd_bus_set_method_call_timeout(bus.get(), call_us);
    return bus;
}

/// A method of Avahi's whose answer is the path of what it made.
template <class... Args>
Result<std::string> make_object(sd_bus* bus, const char* method, const char* types, Args... args) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* raw = nullptr;
    const int done =
        ::sd_bus_call_method(bus, avahi, "/", server, method, &error, &raw, types, args...);
    const Message reply(raw);
    ::sd_bus_error_free(&error);
    const char* path = nullptr;
    const int read = done < 0 ? done : ::sd_bus_message_read(reply.get(), "o", &path);
    if (read < 0)
        return unavailable(read, method);
    return std::string(path);
}

struct Item {
    std::int32_t interface = any;
    std::int32_t protocol = any;
    std::string name;
    std::string domain;
};
struct Browsing {
    std::vector<Item> items;
    bool all = false;
};

int on_browser(sd_bus_message* message, void* data, sd_bus_error*) {
    auto& browsing = *static_cast<Browsing*>(data);
    if (::sd_bus_message_is_signal(message, browser_interface, "AllForNow") > 0 ||
        ::sd_bus_message_is_signal(message, browser_interface, "Failure") > 0)
        browsing.all = true;
    Item item;
    const char* name = nullptr;
    const char* type = nullptr;
    const char* domain = nullptr;
    if (::sd_bus_message_is_signal(message, browser_interface, "ItemNew") > 0 &&
        ::sd_bus_message_read(
            message, "iisss", &item.interface, &item.protocol, &name, &type, &domain) > 0 &&
        browsing.items.size() < max_found_nodes) {
        item.name = name;
        item.domain = domain;
        browsing.items.push_back(std::move(item));
    }
    return 0;
}

std::optional<FoundNode> resolve(sd_bus* bus, const Item& item) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* raw = nullptr;
    const int done = ::sd_bus_call_method(
        bus, avahi, "/", server, "ResolveService", &error, &raw, "iisssiu", item.interface,
        item.protocol, item.name.c_str(), discovery_service, item.domain.c_str(), any, 0U);
    const Message reply(raw);
    ::sd_bus_error_free(&error);
    if (done < 0)
        return std::nullopt; // gone again
    std::int32_t interface = any;
    std::int32_t protocol = any;
    const char* name = nullptr;
    const char* type = nullptr;
    const char* domain = nullptr;
    const char* host = nullptr;
    std::int32_t family = any;
    const char* address = nullptr;
    std::uint16_t port = 0;
    if (::sd_bus_message_read(
            reply.get(), "iissssisq", &interface, &protocol, &name, &type, &domain, &host, &family,
            &address, &port) < 0)
        return std::nullopt;
    std::array<char, IF_NAMESIZE> device{};
    ::if_indextoname(static_cast<unsigned>(interface), device.data());
    return FoundNode{printable(name), printable(address), port, device.data()};
}

} // namespace

Result<std::vector<FoundNode>> find_nodes(milliseconds at_most) {
    const TimePoint end = Clock::now() + at_most;
    const auto bus = open_bus();
    if (!bus)
        return bus.error();
    Browsing browsing;
    // Before the browser is made: its first signals come at once.
    ::sd_bus_match_signal(
        bus->get(), nullptr, avahi, nullptr, browser_interface, nullptr, on_browser, &browsing);
    const auto browser =
        make_object(bus->get(), "ServiceBrowserNew", "iissu", any, any, discovery_service, "", 0U);
    if (!browser)
        return browser.error();
    while (!browsing.all && Clock::now() < end) {
        const int worked = ::sd_bus_process(bus->get(), nullptr);
        if (worked < 0)
            return unavailable(worked, "browsing");
        const auto left = std::chrono::ceil<std::chrono::microseconds>(end - Clock::now()).count();
        if (worked == 0 && left > 0)
            ::sd_bus_wait(bus->get(), static_cast<std::uint64_t>(left));
    }
    std::vector<FoundNode> found;
    for (const Item& item : browsing.items) {
        if (Clock::now() >= end)
            break;
        auto node = resolve(bus->get(), item);
        if (node)
            found.push_back(std::move(*node));
    }
    return one_address_each(found);
}

Result<std::shared_ptr<Announcement>> Announcement::make(
    const std::string& node, unsigned port, const std::vector<std::string>& interfaces) {
    auto bus = open_bus();
    if (!bus)
        return bus.error();
    const auto group = make_object(bus->get(), "EntryGroupNew", "");
    if (!group)
        return group.error();
    for (const std::string& name : interfaces) {
        const unsigned index = ::if_nametoindex(name.c_str());
        if (index == 0)
            return fail(ErrorKind::not_found, "discovery: there is no interface \"{}\"", name);
        // An empty host and domain are this machine's; aay is the TXT record, empty.
        const int added = ::sd_bus_call_method(
            bus->get(), avahi, group->c_str(), group_interface, "AddService", nullptr, nullptr,
            "iiussssqaay", static_cast<std::int32_t>(index), any, 0U, node.c_str(),
            discovery_service, "", "", static_cast<std::uint16_t>(port), 0U);
        if (added < 0)
            return unavailable(added, "AddService on " + name);
    }
    const int committed = ::sd_bus_call_method(
        bus->get(), avahi, group->c_str(), group_interface, "Commit", nullptr, nullptr, "");
    if (committed < 0)
        return unavailable(committed, "Commit");
    std::shared_ptr<Announcement> made(new Announcement());
    made->bus_ = bus->release();
    const auto owner_changed = [](sd_bus_message*, void* data, sd_bus_error*) {
        static_cast<Announcement*>(data)->over_ = true;
        return 0;
    };
    ::sd_bus_add_match(
        made->bus_, nullptr,
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
        "member='NameOwnerChanged',arg0='org.freedesktop.Avahi'",
        owner_changed, made.get());
    return made;
}

Announcement::~Announcement() {
    ::sd_bus_close_unref(bus_);
}

int Announcement::fd() const {
    return ::sd_bus_get_fd(bus_);
}

bool Announcement::look() {
    int worked = 1;
    while (worked > 0)
        worked = ::sd_bus_process(bus_, nullptr);
    return worked == 0 && !over_;
}

} // namespace longcord
