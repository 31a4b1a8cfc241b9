// SPDX-License-Identifier: MIT
#include "usbip/import.hpp"

#include "usbip/conversation.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/endian/conversion.hpp>

namespace longcord {

namespace {

Task<Result<WireDevice>> ask_for(std::shared_ptr<Conversation> server, std::string busid) {
    const auto request = format_import_request(busid);
    if (!request)
        co_return request.error();
    const auto sent = co_await server->write(*request);
    if (!sent)
        co_return sent.error();
    const auto header_bytes = co_await server->read_exactly(0, op_header_size);
    if (!header_bytes)
        co_return header_bytes.error();
    const auto header = parse_op_header(*header_bytes);
    const auto accepted = check_reply(*header, OpCode::rep_import);
    if (!accepted)
        co_return accepted.error();
    const auto device_bytes = co_await server->read_exactly(op_header_size, wire_device_size);
    if (!device_bytes)
        co_return device_bytes.error();
    auto device = parse_wire_device(*device_bytes);
    if (device && device->busid != busid)
        co_return fail(ErrorKind::protocol, "it answered for {} instead", device->busid);
    co_return device;
}

/// The whole reply, read device by device: not every server closes the connection after it.
Task<Result<std::string>> read_device_list(std::shared_ptr<Conversation> server) {
    constexpr std::size_t count_size = 4;
    auto reply = co_await server->read_exactly(0, op_header_size + count_size);
    if (!reply)
        co_return reply;
    const auto header = parse_op_header(std::string_view(*reply).substr(0, op_header_size));
    const auto accepted = check_reply(*header, OpCode::rep_devlist);
    if (!accepted)
        co_return accepted.error();
    const auto* counter = reinterpret_cast<const unsigned char*>(reply->data()) + op_header_size;
    const std::uint32_t count = boost::endian::load_big_u32(counter);
    if (count > max_devlist_devices)
        co_return fail(
            ErrorKind::protocol, "it lists {} devices, at most {} are taken", count,
            max_devlist_devices);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto device = co_await server->read_exactly(reply->size(), wire_device_size);
        if (!device)
            co_return device;
        *reply += *device;
        const std::size_t interfaces = 4 * static_cast<unsigned char>(device->back());
        const auto rest = co_await server->read_exactly(reply->size(), interfaces);
        if (!rest)
            co_return rest;
        *reply += *rest;
    }
    co_return reply;
}

} // namespace

std::string to_string(const asio::ip::tcp::endpoint& server) {
    const auto address = server.address().to_string();
    return server.address().is_v6() ? fmt::format("[{}]:{}", address, server.port())
                                    : fmt::format("{}:{}", address, server.port());
}

Error at_server(
    const asio::ip::tcp::endpoint& server, const std::string& busid, const Error& error) {
    return fail(
        error.kind, "USB/IP server {}, device {}: {}", to_string(server), busid, error.message);
}

Task<Result<UniqueFd>> connect_stream(asio::ip::tcp::endpoint server, milliseconds deadline) {
    const auto executor = co_await asio::this_coro::executor;
    auto conversation = std::make_shared<Conversation>(executor);
    conversation->start_deadline(deadline);
    const auto connected = co_await conversation->connect(server);
    if (!connected)
        co_return connected.error();
    co_return conversation->release();
}

Task<Result<ImportedStream>> request_import_on(
    UniqueFd stream, std::string busid, milliseconds deadline) {
    const auto executor = co_await asio::this_coro::executor;
    auto conversation = std::make_shared<Conversation>(executor);
    conversation->start_deadline(deadline);
    const auto taken = conversation->take(std::move(stream));
    if (!taken)
        co_return taken.error();
    auto device = co_await ask_for(conversation, std::move(busid));
    if (!device)
        co_return device.error();
    auto socket = conversation->release();
    if (!socket)
        co_return socket.error();
    ImportedStream imported;
    imported.socket = std::move(*socket);
    imported.devid = device->devid();
    imported.speed = device->speed;
    imported.device = std::move(*device);
    co_return imported;
}

Task<Result<ImportedStream>> request_import(
    asio::ip::tcp::endpoint server, std::string busid, ImportLimits limits) {
    auto stream = co_await connect_stream(server, limits.connect);
    if (!stream)
        co_return at_server(server, busid, stream.error());
    auto imported = co_await request_import_on(std::move(*stream), busid, limits.answer);
    if (!imported)
        co_return at_server(server, busid, imported.error());
    co_return imported;
}

Task<Result<std::vector<WireDevice>>> request_device_list(
    asio::ip::tcp::endpoint server, milliseconds deadline) {
    const auto named = [&](const Error& error) {
        return fail(error.kind, "USB/IP server {}: {}", to_string(server), error.message);
    };
    const auto executor = co_await asio::this_coro::executor;
    auto conversation = std::make_shared<Conversation>(executor);
    conversation->start_deadline(deadline);
    const auto connected = co_await conversation->connect(server);
    if (!connected)
        co_return named(connected.error());
    const auto sent = co_await conversation->write(format_devlist_request());
    if (!sent)
        co_return named(sent.error());
    const auto reply = co_await read_device_list(conversation);
    if (!reply)
        co_return named(reply.error());
    auto devices = parse_devlist_reply(*reply);
    if (!devices)
        co_return named(devices.error());
    co_return devices;
}

} // namespace longcord
