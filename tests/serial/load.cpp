// SPDX-License-Identifier: MIT
// Drives a serial server from both ends at once: as its TCP client, and as the device behind a
// pseudo terminal. It is small and copies little, so that what it measures is the server, and it
// compares every byte that arrives.
//
//   load trips|up|down|both --port N --master FD [--telnet] [--size N] [--count N]
//
// trips: COUNT messages of SIZE bytes to the device and back, one at a time. Answers that never
// come are counted (Debian's ser2net loses some on a busy machine).
// up, down, both: SIZE bytes from the client to the device, from the device to the client, or in
// both directions together.
// Prints one JSON object. Any other byte that is lost, doubled or wrong ends it with status 1.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<unsigned char>;

static constexpr unsigned char iac = 255;
static constexpr unsigned char sb = 250;
static constexpr unsigned char se = 240;
static constexpr unsigned char com_port = 44;
static constexpr std::size_t buffer_size = 256 * 1024;
static constexpr int silence_ms = 30'000;
static constexpr int lost_ms = 2000; ///< an answer that is not here by then

/// The exit status for a server that takes no client now.
static constexpr int not_served = 3;

[[noreturn]] static void die(const std::string& why, int status = 1) {
    std::fprintf(stderr, "load: %s\n", why.c_str());
    std::_Exit(status);
}

static void wait_readable(int fd, const char* who) {
    pollfd one{fd, POLLIN, 0};
    if (::poll(&one, 1, silence_ms) <= 0)
        die(std::string(who) + " got nothing for 30 s");
}

static void write_all(int fd, const unsigned char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t n = ::write(fd, data, size);
        if (n <= 0)
            die(std::string("write: ") + std::strerror(errno));
        data += n;
        size -= static_cast<std::size_t>(n);
    }
}

/// All byte values, each about as often. Its length is a prime, so that a lost buffer shows.
static Bytes make_payload() {
    constexpr std::size_t prime = 65521;
    Bytes out(prime);
    std::uint32_t state = 2463534242U; // xorshift
    for (auto& byte : out) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        byte = static_cast<unsigned char>(state >> 24);
    }
    return out;
}

static Bytes doubled(const unsigned char* data, std::size_t size) {
    Bytes out;
    for (std::size_t i = 0; i < size; ++i)
        out.insert(out.end(), data[i] == iac ? 2 : 1, data[i]);
    return out;
}

/// Where in the endless repetition of the payload an end of the cable stands.
class Expected {
  public:
    explicit Expected(const Bytes& payload) : payload_(payload) {}

    void take(const unsigned char* data, std::size_t size, const char* who) {
        while (size > 0) {
            const std::size_t at = count_ % payload_.size();
            const std::size_t n = std::min(size, payload_.size() - at);
            if (std::memcmp(data, payload_.data() + at, n) != 0)
                die(std::string(who) + ": wrong data after " + std::to_string(count_) + " bytes");
            count_ += n;
            data += n;
            size -= n;
        }
    }

    std::size_t count() const { return count_; }

  private:
    const Bytes& payload_;
    std::size_t count_ = 0;
};

class Client {
  public:
    Client(int port, bool telnet) : telnet_(telnet), buffer_(buffer_size) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            die(std::string("connect: ") + std::strerror(errno));
        const int one = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (telnet)
            negotiate();
    }

    int fd() const { return fd_; }

    bool readable(int ms) const {
        pollfd one{fd_, POLLIN, 0};
        return ::poll(&one, 1, ms) > 0;
    }

    /// Reads once; passes on what is data.
    template <class Take> void read(Take take) {
        wait_readable(fd_, "the client");
        const ssize_t n = ::read(fd_, buffer_.data(), buffer_.size());
        if (n <= 0)
            die("the server closed the connection", rate_known_ || !telnet_ ? 1 : not_served);
        if (telnet_)
            decode(buffer_.data(), static_cast<std::size_t>(n), take);
        else
            take(buffer_.data(), static_cast<std::size_t>(n));
    }

  private:
    enum class State { data, command, option, sub, sub_iac };

    /// Over once the rate has been answered: then the server has its device open, too.
    void negotiate() {
        constexpr std::array<unsigned char, 25> opener{
            iac, 251, com_port, iac, 251,      0, iac, 253, 0, iac, 251, 3, iac,
            253, 3,   iac,      sb,  com_port, 1, 0,   0,   0, 0,   iac, se};
        write_all(fd_, opener.data(), opener.size());
        while (!rate_known_)
            read([](const unsigned char*, std::size_t) {});
    }

    template <class Take> void decode(unsigned char* in, std::size_t size, Take take) {
        unsigned char* const end = in + size;
        while (in != end) {
            if (state_ == State::data) {
                auto* at = static_cast<unsigned char*>(
                    std::memchr(in, iac, static_cast<std::size_t>(end - in)));
                unsigned char* const run = at ? at : end;
                if (run != in)
                    take(in, static_cast<std::size_t>(run - in));
                in = run;
                if (at) {
                    ++in;
                    state_ = State::command;
                }
                continue;
            }
            const unsigned char byte = *in++;
            switch (state_) {
            case State::command:
                state_ = byte == sb                ? State::sub
                         : byte > sb && byte < iac ? State::option
                                                   : State::data;
                sub_.clear();
                if (byte == iac)
                    take(&byte, 1);
                break;
            case State::sub:
                if (byte == iac)
                    state_ = State::sub_iac;
                else
                    sub_.push_back(byte);
                break;
            case State::sub_iac:
                state_ = byte == se ? State::data : State::sub;
                if (byte == se && sub_.size() > 1 && sub_[0] == com_port && sub_[1] == 101)
                    rate_known_ = true;
                break;
            default:
                state_ = State::data;
            }
        }
    }

    bool telnet_;
    bool rate_known_ = false;
    int fd_ = -1;
    State state_ = State::data;
    Bytes sub_;
    Bytes buffer_;
};

static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

static void trips(
    Client& client, int master, bool telnet, const Bytes& payload, std::size_t size, int count) {
    std::string list;
    Bytes echo(size);
    int lost = 0;
    for (int i = 0; i < count; ++i) {
        const auto* message =
            payload.data() + static_cast<std::size_t>(i) % (payload.size() - size);
        const Bytes wire = telnet ? doubled(message, size) : Bytes(message, message + size);
        const auto start = Clock::now();
        write_all(client.fd(), wire.data(), wire.size());
        for (std::size_t got = 0; got < size;) {
            const ssize_t n = ::read(master, echo.data() + got, size - got);
            if (n <= 0)
                die("the device's end was closed");
            got += static_cast<std::size_t>(n);
        }
        write_all(master, echo.data(), size);
        std::size_t back = 0;
        bool same = std::memcmp(echo.data(), message, size) == 0;
        while (back < size && client.readable(lost_ms))
            client.read([&](const unsigned char* data, std::size_t n) {
                same = same && back + n <= size && std::memcmp(data, message + back, n) == 0;
                back += n;
            });
        const auto ns = std::chrono::nanoseconds(Clock::now() - start).count();
        if (!same)
            die("a message came back changed");
        if (back < size) {
            ++lost;
            continue;
        }
        list += (list.empty() ? "" : ",") + std::to_string(ns);
    }
    std::printf("{\"ns\":[%s],\"lost\":%d}\n", list.c_str(), lost);
}

/// `total` bytes of the payload over and over, as they go over the wire.
static void pour(int fd, const Bytes& payload, bool telnet, std::size_t total) {
    const Bytes whole = telnet ? doubled(payload.data(), payload.size()) : payload;
    for (; total >= payload.size(); total -= payload.size())
        write_all(fd, whole.data(), whole.size());
    const Bytes rest = telnet ? doubled(payload.data(), total) : payload;
    write_all(fd, rest.data(), telnet ? rest.size() : total);
}

static double pour_up(
    Client& client, int master, bool telnet, const Bytes& payload, std::size_t total) {
    const auto start = Clock::now();
    std::thread sender([&] { pour(client.fd(), payload, telnet, total); });
    Expected expected(payload);
    Bytes buffer(buffer_size);
    while (expected.count() < total) {
        wait_readable(master, "the device");
        const ssize_t n = ::read(master, buffer.data(), buffer.size());
        if (n <= 0)
            die("the device's end was closed");
        expected.take(buffer.data(), static_cast<std::size_t>(n), "the device");
    }
    const double seconds = seconds_since(start);
    sender.join();
    return seconds;
}

static double pour_down(Client& client, int master, const Bytes& payload, std::size_t total) {
    const auto start = Clock::now();
    std::thread sender([&] { pour(master, payload, false, total); });
    Expected expected(payload);
    while (expected.count() < total)
        client.read([&](const unsigned char* data, std::size_t n) {
            expected.take(data, n, "the client");
        });
    const double seconds = seconds_since(start);
    sender.join();
    return seconds;
}

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const auto option = [&](const char* name, std::size_t fallback) {
        const auto at = std::find(words.begin(), words.end(), name);
        return at == words.end() || at + 1 == words.end() ? fallback : std::stoull(at[1]);
    };
    const std::string action = words.empty() ? "" : words[0];
    const bool telnet = std::find(words.begin(), words.end(), "--telnet") != words.end();
    const int master = static_cast<int>(option("--master", 0));
    const std::size_t size = option("--size", 1);
    const Bytes payload = make_payload();
    Client client(static_cast<int>(option("--port", 0)), telnet);
    if (action == "trips") {
        trips(client, master, telnet, payload, size, static_cast<int>(option("--count", 1)));
        return 0;
    }
    double up = 0;
    double down = 0;
    std::thread upwards;
    if (action == "up" || action == "both")
        upwards = std::thread([&] { up = pour_up(client, master, telnet, payload, size); });
    if (action == "down" || action == "both")
        down = pour_down(client, master, payload, size);
    if (upwards.joinable())
        upwards.join();
    std::printf("{\"bytes\":%zu,\"up_s\":%.6f,\"down_s\":%.6f}\n", size, up, down);
    return up > 0 || down > 0 ? 0 : 2;
}
