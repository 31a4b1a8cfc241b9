// SPDX-License-Identifier: MIT
#include "host/stream_dialer.hpp"

#include "seal/stream_preface.hpp"
#include "usbip/conversation.hpp"
#include "usbip/stream_options.hpp"

#include <boost/asio/this_coro.hpp>

namespace longcord {

namespace {

/// TCP connect, and of a Pi request and reply. On a LAN this takes milliseconds.
constexpr milliseconds handshake_limit{3'000};
/// usbipd-win takes its device from Windows first, and gives up after 10 s (VBoxUsb.cs,
/// ClaimDevice).
constexpr milliseconds plain_answer_limit{12'000};
/// A name server that does not answer is not waited for longer.
constexpr milliseconds resolve_limit{3'000};

Task<Result<UniqueFd>> send_preface(UniqueFd tcp, const Ticket ticket) {
    const auto executor = co_await asio::this_coro::executor;
    auto conversation = std::make_shared<Conversation>(executor);
    conversation->start_deadline(handshake_limit);
    const auto taken = conversation->take(std::move(tcp));
    if (!taken)
        co_return taken.error();
    const auto preface = format_stream_preface(ticket);
    std::string bytes(preface.begin(), preface.end());
    const auto sent = co_await conversation->write(std::move(bytes));
    if (!sent)
        co_return sent.error();
    co_return conversation->release();
}

} // namespace

/// A link's peer is an address; `pis: NAME: address:` in host.yaml may be a name.
Task<Result<asio::ip::address>> StreamDialer::resolve(std::string host) {
    boost::system::error_code bad;
    const auto literal = asio::ip::make_address(host, bad);
    if (!bad)
        co_return literal;
    std::function<Result<asio::ip::address>()> job = [host]() -> Result<asio::ip::address> {
        asio::io_context loop;
        boost::system::error_code error;
        const auto found = asio::ip::tcp::resolver(loop).resolve(host, "", error);
        if (error || found.empty())
            return fail(
                ErrorKind::unavailable, "the name \"{}\" has no address: {}", host,
                error.message());
        return found.begin()->endpoint().address();
    };
    const std::string key = "name " + host;
    auto address = co_await pool_.run<asio::ip::address>(key, resolve_limit, std::move(job));
    co_return address;
}

Task<Result<DialedStream>> StreamDialer::dial(ImportDevice action) {
    const auto address = co_await resolve(action.server);
    if (!address)
        co_return address.error();
    const asio::ip::tcp::endpoint server(*address, static_cast<std::uint16_t>(action.server_port));
    if (!action.plain) {
        auto sealed = co_await dial_sealed(action, server);
        if (!sealed)
            co_return at_server(server, action.place.busid(), sealed.error());
        co_return sealed;
    }
    const ImportLimits limits{handshake_limit, plain_answer_limit};
    auto imported = co_await request_import(server, action.place.busid(), limits);
    if (!imported)
        co_return imported.error();
    DialedStream stream{std::move(*imported), to_string(server), std::nullopt};
    co_return stream;
}

/// `open` travels while the connection is made; the ticket is shown once the Pi expects it.
Task<Result<SealedStream>> StreamDialer::open_sealed(
    ImportDevice action, asio::ip::tcp::endpoint server) {
    const auto secret = make_stream_secret();
    if (!secret)
        co_return secret.error();
    const auto request = opens_.ask(action.place, action.vmid, *secret);
    auto tcp = co_await connect_stream(server, handshake_limit);
    const auto answer = co_await opens_.answer(request);
    if (!answer)
        co_return answer.error();
    if (!tcp) {
        opens_.close(action.place);
        co_return tcp.error();
    }
    const auto watched = set_stream_options(tcp->get(), config_.dead_after_of(action.place.pi));
    if (!watched)
        co_return watched.error();
    auto shown = co_await send_preface(std::move(*tcp), secret->ticket);
    if (!shown)
        co_return shown.error();
    co_return sealer_.seal(std::move(*shown), *secret, StreamSide::node);
}

Task<Result<DialedSerial>> StreamDialer::dial_serial(DialSerial target) {
    const auto secret = make_stream_secret();
    if (!secret)
        co_return secret.error();
    const auto address = co_await resolve(target.server);
    if (!address)
        co_return address.error();
    const asio::ip::tcp::endpoint server(*address, target.server_port);
    const auto request = opens_.ask_serial(target.pi, target.port, target.client, *secret);
    auto tcp = co_await connect_stream(server, handshake_limit);
    const auto answer = co_await opens_.answer(request);
    if (!answer)
        co_return answer.error();
    if (!tcp)
        co_return tcp.error();
    auto shown = co_await send_preface(std::move(*tcp), secret->ticket);
    if (!shown)
        co_return shown.error();
    DialedSerial stream{std::move(*shown), *secret};
    co_return stream;
}

Task<Result<DialedStream>> StreamDialer::dial_sealed(
    ImportDevice action, asio::ip::tcp::endpoint server) {
    auto sealed = co_await open_sealed(action, server);
    if (!sealed)
        co_return sealed.error();
    const SealEngine engine = sealed->engine;
    auto imported = co_await request_import_on(
        std::move(sealed->socket), action.place.busid(), handshake_limit);
    if (!imported)
        co_return imported.error();
    DialedStream stream{std::move(*imported), to_string(server), engine};
    co_return stream;
}

} // namespace longcord
