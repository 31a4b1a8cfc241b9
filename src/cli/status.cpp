// SPDX-License-Identifier: MIT
// longcord status [VMID]: one screen.
#include "base/text.hpp"
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/place_text.hpp"
#include "cli/verbs.hpp"
#include "cli/views.hpp"

#include <regex>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace longcord {

using nlohmann::json;

static std::string section(
    const char* title, const Table& table, const char* none, const Look& look) {
    std::string text = "\n" + coloured(title, Tone::strong, look) + "\n";
    return text + (table.empty() ? std::string("  ") + none + "\n" : table.render(look));
}

static std::string milliseconds_text(std::optional<double> value) {
    if (!value || !(*value >= 0) || *value > 1e9)
        return {};
    return *value < 10 ? fmt::format("{:.1f} ms", *value) : fmt::format("{:.0f} ms", *value);
}

static Cell link_cell(const json& pi) {
    const auto since = number_field(pi, "since_s");
    const std::string age = since ? " " + duration_text(*since) : "";
    if (flag_field(pi, "plain")) // a stream from there is what nobody protects
        return flag_field(pi, "linked") ? Cell("plain USB/IP, unprotected", Tone::faint)
                                        : Cell("plain USB/IP, no answer", Tone::bad);
    if (flag_field(pi, "linked"))
        return {"linked" + age, Tone::good};
    return {"not linked" + age, Tone::bad};
}

static Table pis_table(const json& status) {
    Table table({"NAME", "LINK", "ADDRESS", "ROUND TRIP", "DEVICES", "PROBLEM"});
    for (const json& pi : list_field(status, "pis"))
        table.add(
            {text_field(pi, "name"), link_cell(pi), text_field(pi, "address"),
             milliseconds_text(number_field(pi, "rtt_ms")), text_field(pi, "devices"),
             Cell(text_field(pi, "problem"), Tone::bad)});
    return table;
}

static Table vms_table(const json& status) {
    Table table({"VMID", "NAME", "STATE", "PLUGGED", "PROBLEM"});
    for (const json& vm : list_field(status, "vms")) {
        table.add(
            {vm_number_of(vm), text_field(vm, "name"), text_field(vm, "state"),
             text_field(vm, "plugged"), Cell(text_field(vm, "problem"), Tone::bad)});
    }
    return table;
}

static Table host_devices_table(const json& status) {
    Table table({"PLACE", "DEVICE", "STATE", "VM", "WHY"});
    for (const json& device : list_field(status, "devices"))
        if (!is_hub(device))
            table.add(
                {text_field(device, "place"), label_of(device), state_cell(device),
                 vm_number_of(device), why_of(device)});
    return table;
}

static Table links_table(const json& status) {
    Table table({"NODE", "ADDRESS", "LINK", "ROUND TRIP", "PROBLEM"});
    for (const json& link : list_field(status, "links"))
        table.add(
            {text_field(link, "node"), text_field(link, "host"), link_cell(link),
             milliseconds_text(number_field(link, "rtt_ms")),
             Cell(text_field(link, "problem"), Tone::bad)});
    return table;
}

/// "pve1, VM 100 workshop": as the node says, or as its stream does before that.
static std::string user_of(const json& device) {
    const json& stream = field(device, "stream");
    const json& source = text_field(device, "node").empty() ? stream : device;
    const std::string name = text_field(device, "vm");
    const std::string vm = vm_of(source);
    return join_words({text_field(source, "node"), name.empty() ? vm : vm + " " + name});
}

static std::string stream_of(const json& device) {
    const json& stream = field(device, "stream");
    const std::string engine = text_field(stream, "engine");
    return engine.empty() ? text_field(stream, "state") : engine;
}

/// What came to the port and was not served: empty as long as nothing was.
static Table refused_table(const json& status) {
    const json& server = field(status, "usbip");
    Table table({"PORT", "WRONG TICKETS", "REPLAYED", "LATE", "TURNED AWAY"});
    const json& tickets = field(server, "refused_tickets");
    double all = number_field(server, "turned_away").value_or(0);
    for (const char* kind : {"wrong", "replayed", "late"})
        all += number_field(tickets, kind).value_or(0);
    if (all > 0)
        table.add(
            {text_field(server, "port"), text_field(tickets, "wrong"),
             text_field(tickets, "replayed"), text_field(tickets, "late"),
             text_field(server, "turned_away")});
    return table;
}

static Table pi_devices_table(const json& status) {
    Table table({"PLACE", "DEVICE", "MODE", "EXPORTED", "USED BY", "STREAM", "WHY"});
    for (const json& device : list_field(status, "devices")) {
        if (is_hub(device))
            continue;
        const bool exported = flag_field(device, "exported");
        table.add(
            {text_field(device, "place"), label_of(device), text_field(device, "mode"),
             exported ? Cell("yes", Tone::good) : Cell("no", Tone::faint), user_of(device),
             stream_of(device), text_field(device, "why")});
    }
    return table;
}

static Table serial_table(const json& status) {
    Table table({"PLACE", "TCP PORT", "TERMINAL", "MODE", "CLIENT", "OBSERVERS"});
    for (const json& port : list_field(status, "serial_ports"))
        table.add(
            {text_field(port, "name"),
             Cell(text_field(port, "port"), flag_field(port, "listening") ? Tone::good : Tone::bad),
             flag_field(port, "present") ? Cell(text_field(port, "tty"))
                                         : Cell("not plugged in", Tone::faint),
             text_field(port, "mode"), text_field(port, "owner"), text_field(port, "observers")});
    return table;
}

static Table offers_table(const json& status) {
    Table table({"SERIAL PORT", "OFFERED ON", "CLIENTS"});
    for (const json& offer : list_field(status, "serial_offers"))
        table.add(
            {text_field(offer, "pi") + "/" + text_field(offer, "port"),
             Cell(
                 text_field(offer, "listen"),
                 flag_field(offer, "listening") ? Tone::good : Tone::bad),
             text_field(offer, "clients")});
    return table;
}

static Table by_hand_table(const json& status) {
    Table table({"PLACE", "BY HAND", "VM", "PLUGGED IN NOW"});
    for (const json& hand : list_field(status, "by_hand")) {
        const std::string place = text_field(hand, "place");
        table.add(
            {text_field(hand, "name"), text_field(hand, "done"), vm_number_of(hand),
             place.empty() ? Cell("nothing", Tone::faint) : Cell("as " + place)});
    }
    return table;
}

static std::string problems_view(const json& status, const Look& look) {
    const json& problems = list_field(status, "problems");
    if (problems.empty())
        return {};
    Table table({""});
    for (const json& problem : problems)
        table.add({Cell(problem_text(problem), Tone::bad)});
    return section("Problems", table, "", look);
}

std::string status_view(const json& status, const Look& look) {
    const bool pi = text_field(status, "role") == "pi";
    const std::string name = text_field(status, pi ? "name" : "node");
    std::string text = coloured(pi ? "longcord-pi" : "longcord-host", Tone::strong, look) + " " +
                       text_field(status, "version") + (name.empty() ? "" : " on " + name) + "\n";
    if (pi) {
        text +=
            section("Nodes", links_table(status), "none: run `longcord pair NAME` on a node", look);
        text += section("Devices", pi_devices_table(status), "none", look);
        if (const Table ports = serial_table(status); !ports.empty())
            text += section("Serial ports", ports, "", look);
        if (const Table refused = refused_table(status); !refused.empty())
            text += section("Not served", refused, "", look);
    } else {
        text += section("Pis", pis_table(status), "none", look);
        text += section("VMs", vms_table(status), "none running", look);
        text += section("Devices", host_devices_table(status), "none", look);
        if (const Table by_hand = by_hand_table(status); !by_hand.empty())
            text += section("Until `longcord resume PLACE`", by_hand, "", look);
        if (const Table offers = offers_table(status); !offers.empty())
            text += section("Serial ports of Pis", offers, "", look);
    }
    return text + problems_view(status, look);
}

/// The VMs that a problem names: "VM 100: ...", ".../100.usb.conf:3: ...".
static std::set<std::string> vms_named_in(const std::string& text) {
    static const std::regex name("\\bVM ([0-9]+)|\\b([0-9]+)\\.usb\\.conf");
    std::set<std::string> out;
    for (std::sregex_iterator match(text.begin(), text.end(), name), end; match != end; ++match)
        out.insert((*match)[1].matched ? (*match)[1].str() : (*match)[2].str());
    return out;
}

json status_of_vm(const json& status, unsigned vmid) {
    if (!status.is_object())
        return status;
    const std::string number = std::to_string(vmid);
    json out = status;
    for (const char* key : {"vms", "devices", "by_hand"}) {
        json kept = json::array();
        for (const json& entry : list_field(status, key))
            if (text_field(entry, "vmid") == number)
                kept.push_back(entry);
        out[key] = std::move(kept);
    }
    json problems = json::array(); // of this VM, and of no VM in particular
    for (const json& problem : list_field(status, "problems")) {
        const auto named = vms_named_in(problem_text(problem));
        if (named.empty() || named.contains(number))
            problems.push_back(problem);
    }
    out["problems"] = std::move(problems);
    return out;
}

bool has_problems(const json& status) {
    if (!list_field(status, "problems").empty())
        return true;
    for (const char* key : {"pis", "vms", "links"})
        for (const json& entry : list_field(status, key))
            if (!text_field(entry, "problem").empty())
                return true;
    return false;
}

namespace {

struct StatusOptions {
    Common common;
    std::optional<unsigned> vmid;
};

} // namespace

static ExitCode status(const StatusOptions& options) {
    const bool as_json = options.common.json;
    const auto only = options.vmid ? std::optional(Role::host) : std::nullopt;
    auto service = find_service(options.common, only);
    if (!service)
        return complain(service.error(), as_json);
    auto reply = ask(*service, "status", json::object());
    if (!reply)
        return complain(reply.error(), as_json);
    json result = std::move(*reply);
    if (options.vmid) {
        result = status_of_vm(result, *options.vmid);
        if (list_field(result, "vms").empty() && list_field(result, "devices").empty())
            return complain(
                {ExitCode::failed,
                 fail(
                     ErrorKind::not_found, "VM {}: neither running nor wanting a device here",
                     *options.vmid)},
                as_json);
    }
    if (as_json)
        print_json(result);
    else
        print(status_view(result, look_of_terminal()));
    return has_problems(result) ? ExitCode::degraded : ExitCode::done;
}

void add_status(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<StatusOptions>();
    CLI::App* verb = app.add_subcommand("status", "Show links, VMs and devices on one screen");
    verb->add_option("VMID", options->vmid, "Only what concerns this VM (on a node)")
        ->type_name("");
    add_common(*verb, options->common, true);
    verb->footer("For each device that is not where a rule wants it, the last column says why.\n"
                 "Exit code 5: the service runs, and something in the list needs a person.");
    verb->callback([options, &exit] { exit = status(*options); });
}

} // namespace longcord
