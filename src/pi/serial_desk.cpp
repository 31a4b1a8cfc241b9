// SPDX-License-Identifier: MIT
#include "pi/serial_desk.hpp"

#include "base/text.hpp"
#include "pi/serial_store.hpp"
#include "pi/serial_wishes.hpp"

#include <algorithm>
#include <set>

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

namespace longcord {

SerialDesk::SerialDesk(
    asio::io_context& loop, WorkerPool& pool, Roots roots, PiJournal& journal, Outside outside)
    : loop_(loop), roots_(std::move(roots)), journal_(journal), outside_(std::move(outside)),
      access_(roots_),
      ports_(
          loop, pool, roots_,
          [this](const std::string& key, const SerialEvent& event) { take(key, event); },
          [this](const std::string& key, std::string_view bytes) {
              if (outside_.said)
                  outside_.said(place_of(key), bytes);
          }),
      retry_(loop) {
    auto kept = load_port_numbers(roots_);
    if (kept) {
        numbers_ = std::move(*kept);
        return;
    }
    numbers_broken_ = true;
    numbers_problem_ = kept.error().message;
}

void SerialDesk::configure(SerialConfig config) {
    config_ = std::move(config);
    if (!config_.logs.empty())
        config_.logs = roots_.prefix / config_.logs.relative_path();
    access_.configure(config_.allow);
    nodes_changed();
    refresh();
}

void SerialDesk::nodes_changed() {
    access_.nodes(outside_.nodes());
    ports_.allow(access_.list());
}

void SerialDesk::refresh() {
    auto seen = outside_.plugged();
    for (SerialSeen& each : seen)
        if (each.serial)
            each.nodes = tty_nodes(roots_, each.device.place.busid());
    places_.update(seen, outside_.modes());
    const auto channels = places_.channels();
    const auto before = numbers_;
    const auto wishes = serial_wishes(channels, config_, numbers_);
    keep_numbers(before);
    channels_.clear();
    for (const SerialChannel& channel : channels)
        channels_[channel.key] = channel;
    ports_.want(wishes);
    tell_ports();
}

/// Inside an event of a server nothing is changed about servers.
void SerialDesk::refresh_soon() {
    if (refreshing_)
        return;
    refreshing_ = true;
    asio::post(loop_, [this] {
        refreshing_ = false;
        refresh();
    });
}

void SerialDesk::keep_numbers(const PortNumbers& before) {
    const bool unsaved = numbers_ != before || !numbers_problem_.empty();
    if (numbers_broken_ || !unsaved)
        return;
    const auto saved = save_port_numbers(roots_, numbers_);
    const auto problem =
        saved ? std::string()
              : "the TCP ports of places are not kept across a restart: " + saved.error().message;
    if (!problem.empty() && problem != numbers_problem_)
        journal_.link("problem", problem, true);
    numbers_problem_ = problem;
}

/// One event for each port that is served now, cannot be, or is no more.
void SerialDesk::tell_ports() {
    std::map<std::string, Told> now;
    bool trouble = !numbers_problem_.empty() && !numbers_broken_;
    for (const auto& [key, port] : ports_.status()) {
        const bool good = port.problem.empty();
        const Told& told = now[key] = {
            place_of(key), good ? fmt::format("is served on TCP port {}", port.port)
                                : "is not served: " + port.problem};
        trouble = trouble || !good;
        if (told_[key].message == told.message)
            continue;
        Event event;
        event.kind = good ? "serial-port" : "problem";
        event.place = told.name;
        event.message = told.message;
        journal_.write(std::move(event), !good);
    }
    for (const auto& [key, told] : told_)
        if (!now.contains(key))
            journal_.device(told.name, "serial-closed", "is served no more");
    told_ = std::move(now);
    retry_.cancel();
    if (!trouble)
        return;
    retry_.expires_after(retry_after);
    retry_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            refresh();
    });
}

std::string SerialDesk::place_of(const std::string& key) const {
    const auto found = channels_.find(key);
    return found == channels_.end() ? key : found->second.name;
}

void SerialDesk::take(const std::string& key, const SerialEvent& event) {
    if (event.kind == "serial-refused")
        return refused(key, event);
    if (event.kind == "serial-busy" && !busy_log_.allow(Clock::now()))
        return;
    journal_.device(place_of(key), std::string(event.kind), event.message);
    if (event.kind == "serial-gone") // the name may be another board's already
        refresh_soon();
}

void SerialDesk::refused(const std::string& key, const SerialEvent& event) {
    const auto unsaid = access_.refusals().note(event.address, place_of(key), Clock::now());
    if (!unsaid)
        return;
    Event out;
    out.kind = std::string(event.kind);
    out.place = place_of(key);
    out.address = event.address;
    out.message = fmt::format(
        "{} may not use this port; `longcord serial allow {}` lets it in{}", event.address,
        event.address, *unsaid == 0 ? "" : fmt::format(" ({} more tries before)", *unsaid));
    journal_.write(std::move(out), true);
}

Result<nlohmann::json> SerialDesk::allow(const nlohmann::json& args) {
    bool changed = false;
    auto reply = access_.answer(args, changed);
    if (!reply || !changed)
        return reply;
    const AllowList list = access_.list();
    const auto local = local_networks();
    access_.refusals().forget(
        [&](const std::string& address) { return list.allows(address, local); });
    ports_.allow(list);
    Event out;
    out.kind = "serial-allow";
    out.address = reply->at("address").get<std::string>();
    out.message = fmt::format(
        "{} {} use the serial ports from now on", out.address,
        reply->at("allowed") == true ? "may" : "is not let in by hand to");
    journal_.write(std::move(out));
    return reply;
}

Result<std::string> SerialDesk::find(const std::string& port) const {
    const auto number = parse_decimal(port, 65535);
    for (const auto& [key, served] : ports_.status()) {
        const auto channel = channels_.find(key);
        const bool named = channel != channels_.end() && channel->second.name == port;
        if (key == port || named || (number && *number == served.port))
            return key;
    }
    if (number)
        return fail(ErrorKind::not_found, "no serial port is served on TCP port {}", *number);
    return fail(
        ErrorKind::not_found, "no serial port is served at {}: see `longcord mode` on the Pi",
        printable(port));
}

Result<nlohmann::json> SerialDesk::console(const nlohmann::json& args) const {
    const auto given = args.find("name");
    const std::string name =
        given != args.end() && given->is_string() ? given->get<std::string>() : std::string();
    for (const auto& [key, channel] : channels_)
        if (channel.name == name)
            return nlohmann::json{{"name", name}, {"present", !channel.tty.empty()}};
    return fail(
        ErrorKind::not_found, "\"{}\" is no serial port that is served here", printable(name));
}

std::vector<SerialPortReport> SerialDesk::status() const {
    std::vector<SerialPortReport> out;
    for (const auto& [key, port] : ports_.status()) {
        const auto channel = channels_.find(key);
        if (channel == channels_.end())
            continue;
        SerialPortReport report{
            channel->second.place,
            channel->second.stable_place,
            channel->second.name,
            port.port,
            0,
            channel->second.tty.string(),
            port};
        if (config_.observers && port.port <= 65535 - serial_observer_offset)
            report.observe = static_cast<std::uint16_t>(port.port + serial_observer_offset);
        out.push_back(std::move(report));
    }
    return out;
}

std::vector<std::string> SerialDesk::problems() const {
    std::vector<std::string> out;
    for (const auto& problem : {numbers_problem_, access_.problem()})
        if (!problem.empty())
            out.push_back(problem);
    std::set<std::string> served;
    for (const auto& [key, port] : ports_.status()) {
        served.insert(key);
        if (!port.problem.empty())
            out.push_back(fmt::format("{} is not served: {}", place_of(key), port.problem));
    }
    for (const auto& [key, channel] : channels_)
        if (!served.contains(key))
            out.push_back(fmt::format("{} is not served: no TCP port is left", channel.name));
    return out;
}

} // namespace longcord
