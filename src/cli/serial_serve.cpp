// SPDX-License-Identifier: MIT
// longcord serial serve DEVICE --listen ADDR:PORT: one port in the foreground. Needs no service.
#include "base/log.hpp"
#include "base/spawn.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "serial/allow_list.hpp"
#include "serial/serial_refusals.hpp"
#include "serial/serial_server.hpp"

#include <csignal>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

using asio::ip::tcp;

namespace {

struct ServeOptions {
    Common common;
    std::string device;
    std::vector<std::string> listen;
    std::vector<std::string> observe;
    std::string mode = "auto";
    std::vector<std::string> allow;
    std::string log;
    double hold = std::chrono::duration<double>(default_serial_hold).count();
    std::uint32_t baud = LineSettings{}.baud;
};

/// Whoever is turned away comes again, and again: the log stays readable.
struct RefusalLog {
    SerialRefusals refused;
    RateLimit busy{1, 10};

    /// Nothing: this one is not said. Otherwise what is said behind it.
    std::optional<std::string> say(const SerialEvent& event) {
        if (event.kind == "serial-busy" && !busy.allow(Clock::now()))
            return std::nullopt;
        if (event.kind != "serial-refused")
            return "";
        const auto unsaid = refused.note(event.address, {}, Clock::now());
        if (!unsaid)
            return std::nullopt;
        return *unsaid == 0 ? "" : fmt::format(" ({} more tries before)", *unsaid);
    }
};

/// What the coroutine and its caller share.
struct Outcome {
    ExitCode code = ExitCode::done;
    bool stopping = false;
};

} // namespace

/// "127.0.0.1:4000", "[::1]:4000", "localhost:4000", ":4000" (all addresses); port 0: any. The
/// names are looked up before anything is served, so that may take its time.
static Result<std::vector<tcp::endpoint>> parse_listen(
    asio::io_context& loop, const std::string& text) {
    const auto colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    const auto port = colon == std::string::npos
                          ? std::nullopt
                          : parse_decimal(std::string_view(text).substr(colon + 1), 65535);
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (!port || (!bracketed && host.find(':') != std::string::npos))
        return fail(
            ErrorKind::invalid, "'{}' is no ADDR:PORT (127.0.0.1:4000, [::]:4000, :4000)", text);
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    if (host.empty() || host == "*")
        host = "::";
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    const auto number = static_cast<std::uint16_t>(*port);
    if (!error)
        return std::vector{tcp::endpoint(address, number)};
    tcp::resolver resolver(loop);
    std::vector<tcp::endpoint> out;
    for (const auto& found : resolver.resolve(host, std::to_string(number), error))
        if (number != 0 || out.empty()) // one chosen port, not one for each address
            out.push_back(found.endpoint());
    if (error)
        return fail(ErrorKind::invalid, "'{}': {}: {}", text, host, error.message());
    return out;
}

static Result<SerialPortOptions> port_options(asio::io_context& loop, const ServeOptions& options) {
    SerialPortOptions out;
    out.name = options.device;
    out.device = options.device;
    for (auto [texts, endpoints] :
         {std::pair(&options.listen, &out.listen), std::pair(&options.observe, &out.observe)})
        for (const std::string& text : *texts) {
            const auto found = parse_listen(loop, text);
            if (!found)
                return found.error();
            endpoints->insert(endpoints->end(), found->begin(), found->end());
        }
    const auto mode = parse_mode(options.mode);
    if (!mode)
        return mode.error();
    out.mode = *mode;
    out.line.baud = options.baud;
    out.hold =
        std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(options.hold));
    out.log = options.log;
    return out;
}

static std::vector<std::string> to_texts(const std::vector<tcp::endpoint>& endpoints) {
    std::vector<std::string> texts;
    for (const tcp::endpoint& endpoint : endpoints) {
        const std::string address = endpoint.address().to_string();
        texts.push_back(
            endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                       : fmt::format("{}:{}", address, endpoint.port()));
    }
    return texts;
}

static void print_ready(const SerialServer& server, bool as_json) {
    const auto listen = to_texts(server.endpoints());
    const auto observe = to_texts(server.observer_endpoints());
    const auto mode = to_string(server.status().mode);
    if (as_json)
        return print_json(
            {{"device", server.options().name},
             {"mode", mode},
             {"listen", listen},
             {"observe", observe}},
            -1);
    print(fmt::format(
        "{} is served on {}, mode {}{}\n", server.options().name, fmt::join(listen, ", "), mode,
        observe.empty() ? "" : fmt::format("; observers on {}", fmt::join(observe, ", "))));
}

static Task<> serve(
    asio::io_context& loop, std::shared_ptr<SerialServer> server, std::shared_ptr<Outcome> outcome,
    bool as_json) {
    // An open raises the lines of the device, so not before it is known to be of use.
    auto ready = server->listen();
    if (ready) {
        const auto opened = co_await server->open();
        ready = opened;
    }
    if (!ready) {
        const Failure failure{
            ready.error().kind == ErrorKind::refused ? ExitCode::refused : ExitCode::failed,
            ready.error()};
        outcome->code = complain(failure, as_json);
        loop.stop();
        co_return;
    }
    server->run();
    print_ready(*server, as_json);
}

/// A second signal does not wait for a device that hangs.
static void watch_signals(
    asio::io_context& loop, asio::signal_set& signals, std::shared_ptr<SerialServer> server,
    std::shared_ptr<Outcome> outcome) {
    signals.async_wait([&, server, outcome](const boost::system::error_code& error, int) {
        if (error)
            return;
        if (std::exchange(outcome->stopping, true)) {
            loop.stop();
            return;
        }
        auto rest = [](asio::io_context& l, std::shared_ptr<SerialServer> s) -> Task<> {
            co_await s->rest();
            s->stop();
            l.stop();
        };
        spawn_guarded(loop, "the end", rest(loop, server));
        watch_signals(loop, signals, server, outcome);
    });
}

static ExitCode serial_serve(const ServeOptions& options) {
    start_logging("info");
    const bool as_json = options.common.json;
    asio::io_context loop(1);
    const auto port = port_options(loop, options);
    if (!port)
        return complain({ExitCode::usage, port.error()}, as_json);
    AllowList allow;
    for (const std::string& entry : options.allow)
        if (const auto added = allow.add(entry); !added)
            return complain({ExitCode::usage, added.error()}, as_json);
    allow.everybody = allow.everybody || options.allow.empty();
    if (!port->log.empty())
        if (const auto writable = append_rotating(port->log, {}); !writable)
            return complain({ExitCode::failed, writable.error()}, as_json);
    WorkerPool pool(loop);
    SerialServer::Handler handler;
    handler.event = [name = options.device,
                     refusals = std::make_shared<RefusalLog>()](const SerialEvent& event) {
        if (const auto unsaid = refusals->say(event))
            spdlog::info("{}: {}{}", name, event.message, *unsaid);
    };
    handler.allowed = [allow](const asio::ip::address& address) {
        const auto local = allow.local_net ? local_networks() : std::vector<Network>{};
        return allow.allows(address.to_string(), local);
    };
    auto server = std::make_shared<SerialServer>(
        loop, pool, Roots::from_environment(), *port, std::move(handler));
    auto outcome = std::make_shared<Outcome>();
    asio::signal_set signals(loop, SIGTERM, SIGINT);
    watch_signals(loop, signals, server, outcome);
    spawn_guarded(loop, "serial serve", serve(loop, server, outcome, as_json));
    loop.run();
    return guarded_task_failed() ? ExitCode::failed : outcome->code;
}

void add_serial(CLI::App& app, ExitCode& exit) {
    CLI::App* serial = app.add_subcommand("serial", "Serve serial ports over the network");
    serial->group("Verbs");
    serial->require_subcommand(1);
    add_serial_allow(*serial, exit);
    auto options = std::make_shared<ServeOptions>();
    CLI::App* verb = serial->add_subcommand(
        "serve", "Serve one device by RFC 2217 in the foreground; needs no service");
    verb->add_option(
            "DEVICE", options->device, "/dev/ttyUSB0, /dev/serial/by-id/..., a pseudo terminal")
        ->type_name("")
        ->required();
    verb->add_option("--listen", options->listen, "Where clients connect; port 0: any free one")
        ->option_text("ADDR:PORT")
        ->required();
    verb->add_option("--observe", options->observe, "Where others may read along, 8 at most")
        ->option_text("ADDR:PORT");
    verb->add_option(
            "--mode", options->mode,
            "esp: resets are played here; passthrough: as is; auto: by chip (default)")
        ->option_text("esp|passthrough|auto");
    verb->add_option(
            "--allow", options->allow,
            "Only these clients and this machine: a network, an address, local-net")
        ->option_text("CIDR");
    verb->add_option("--log", options->log, "Keep what the device says in FILE, 3 x 10 MiB")
        ->option_text("FILE");
    verb->add_option(
            "--hold", options->hold,
            "How long a client is kept while the device is away (default 10)")
        ->check(CLI::Range(0.0, 86400.0))
        ->option_text("SECONDS");
    verb->add_option("--baud", options->baud, "The rate before a client sets one (default 115200)")
        ->check(CLI::Range(1U, 0xffffffffU))
        ->option_text("RATE");
    add_common(*verb, options->common, false);
    verb->footer(
        "The first client has the port; later ones are told who that is. Prints one line when it\n"
        "is ready, and serves until Ctrl-C.");
    verb->callback([options, &exit] { exit = serial_serve(*options); });
}

} // namespace longcord
