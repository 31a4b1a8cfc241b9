// SPDX-License-Identifier: MIT
#include "sshd_fixture.hpp"

#include "base/files.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace longcord {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t any_size = 1 << 20;
constexpr const char* tester = "root";

fs::path programs() {
    return fs::read_symlink("/proc/self/exe").parent_path();
}

std::string content(const fs::path& path) {
    auto text = read_file(path, any_size);
    if (!text)
        throw std::runtime_error(text.error().message);
    return *text;
}

void must(const Result<>& done) {
    if (!done)
        throw std::runtime_error(done.error().message);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    if (at == std::string::npos)
        throw std::runtime_error("the drop-in has no \"" + from + '"');
    return text.replace(at, from.size(), to);
}

/// The drop-in as it is installed, but for another user and from another folder.
std::string adapted_drop_in(const fs::path& world) {
    const auto repository = fs::path(LONGCORD_TEST_DATA).parent_path().parent_path().parent_path();
    std::string text = content(repository / "config/sshd/50-longcord.conf");
    for (const char* keyword : {"Match User ", "AllowUsers ", "AllowGroups "})
        text = replaced(
            text, keyword + std::string("longcord\n"), keyword + std::string(tester) + '\n');
    const std::string command = (world / "bin/longcord-keys").string() + " --root " +
                                world.string() + " --program " +
                                (world / "bin/longcord-link").string();
    return replaced(text, "/usr/libexec/longcord/longcord-keys", command);
}

sockaddr_in loopback(unsigned port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

unsigned free_port() {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no port on 127.0.0.1");
    return ntohs(address.sin_port);
}

bool accepts(unsigned port) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in address = loopback(port);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// proc(5): /proc/PID/stat is "PID (NAME) STATE PPID ...".
std::vector<pid_t> children(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto stat = read_file(entry.path() / "stat", any_size);
        if (!stat)
            continue;
        std::istringstream rest(stat->substr(stat->rfind(')') + 1));
        char state = 0;
        pid_t of = 0;
        if (rest >> state >> of && of == parent)
            found.push_back(std::stoi(entry.path().filename().string()));
    }
    return found;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    return argv;
}

} // namespace

Finished run_program(const std::vector<std::string>& words) {
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0)
        throw std::runtime_error("pipe");
    auto copy = words;
    auto argv = pointers(copy);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(::open("/dev/null", O_RDONLY), 0);
        ::dup2(out[1], 1);
        ::dup2(out[1], 2);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    ::close(out[1]);
    Finished finished;
    std::array<char, 4096> chunk;
    for (ssize_t n; (n = ::read(out[0], chunk.data(), chunk.size())) > 0;)
        finished.output.append(chunk.data(), static_cast<std::size_t>(n));
    ::close(out[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return finished;
}

Sshd::Sshd(const fs::path& world) : world_(world), port_(free_port()) {
    fs::create_directories("/run/sshd"); // its privilege separation folder, made by its unit
    fs::create_directories(world / "bin");
    fs::copy_file(programs() / "longcord-keys", world / "bin/longcord-keys");
    // sshd hands no variable on, so the world's root is named here.
    must(write_file(
        world / "bin/longcord-link",
        "#!/bin/sh\nLONGCORD_ROOT='" + world.string() + "' exec '" +
            (programs() / "longcord-link").string() + "' \"$@\"\n",
        0755));
    make_key("host_key");
    pin(world_ / "host_key");
    pair("workbench", make_key("identity"));
    must(write_file(
        world / "sshd_config",
        "ListenAddress 127.0.0.1\nPort " + std::to_string(port_) + "\nHostKey " +
            (world / "host_key").string() + "\nPidFile none\nUsePAM yes\n" +
            "PermitRootLogin yes\nLogLevel VERBOSE\n" +
            // bash reads the tester's own .bashrc when sshd starts it, and that may do anything.
            "SetEnv HOME=" + world.string() + '\n' + adapted_drop_in(world)));
}

Sshd::~Sshd() {
    kill();
}

fs::path Sshd::make_key(const std::string& name) const {
    const auto made = run_program(
        {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", (world_ / name).string()});
    if (made.status != 0)
        throw std::runtime_error("ssh-keygen: " + made.output);
    return world_ / name;
}

void Sshd::pair(const std::string& pi, const fs::path& key) const {
    must(write_file(world_ / "etc/longcord/pis" / pi, content(key.string() + ".pub")));
}

void Sshd::pin(const fs::path& host_key) const {
    must(write_file(
        world_ / "known_hosts",
        "[127.0.0.1]:" + std::to_string(port_) + ' ' + content(host_key.string() + ".pub")));
}

std::string Sshd::fingerprint(const fs::path& key) const {
    const std::string line = run_program({"ssh-keygen", "-lf", key.string()}).output;
    const auto begin = line.find("SHA256:");
    return line.substr(begin, line.find(' ', begin) - begin);
}

LinkTarget Sshd::target() const {
    return {"127.0.0.1", port_, tester, world_ / "identity", world_ / "known_hosts"};
}

void Sshd::start() {
    std::vector<std::string> words = {
        "/usr/sbin/sshd", "-D", "-e", "-f", (world_ / "sshd_config").string()};
    auto argv = pointers(words);
    const std::string log_file = (world_ / "sshd.log").string();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that is killed leaves no sshd behind
        const int out = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    const TimePoint end = Clock::now() + seconds(20);
    while (!accepts(port_)) {
        if (Clock::now() > end)
            throw std::runtime_error("sshd does not start: " + log());
        std::this_thread::sleep_for(milliseconds(10));
    }
}

void Sshd::kill() {
    if (pid_ <= 0)
        return;
    const auto sessions = children(pid_); // each is a process group of its own
    ::kill(pid_, SIGKILL);
    for (const pid_t session : sessions)
        ::kill(session, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void Sshd::stop_sessions() const {
    for (const pid_t session : children(pid_))
        ::kill(session, SIGSTOP);
}

std::string Sshd::log() const {
    const auto text = read_file(world_ / "sshd.log", any_size);
    return text ? *text : "";
}

} // namespace longcord
