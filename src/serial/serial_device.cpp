// SPDX-License-Identifier: MIT
#include "serial/serial_device.hpp"

#include "base/directory_watch.hpp"
#include "base/spawn.hpp"
#include "base/wait_set.hpp"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

namespace longcord {

SerialDevice::SerialDevice(
    asio::io_context& loop, WorkerPool& pool, std::filesystem::path path, ModeChoice mode,
    LineSettings resting, Handler handler)
    : loop_(loop), pool_(pool), path_(std::move(path)), lasting_name_(!path_.empty()),
      choice_(mode), resting_(resting), handler_(std::move(handler)), in_force_(resting),
      wanted_(resting), turn_(loop, TimePoint::max()), wake_(loop, TimePoint::max()),
      room_(loop, TimePoint::max()), step_(loop), played_(loop, TimePoint::max()) {}

namespace {

struct Opened {
    std::shared_ptr<Tty> tty;
    LineSettings in_force;
    ModemLines lines;
    bool modem = false;
    PortMode mode = PortMode::passthrough;
    LineErrors errors;
};

/// On a worker's thread.
Result<Opened> open_tty(
    const Roots& roots, const std::filesystem::path& path, ModeChoice choice,
    const LineSettings& wanted, std::optional<ModemLines> lines) {
    auto tty = Tty::open(path);
    if (!tty)
        return tty.error();
    Opened out;
    out.tty = std::make_shared<Tty>(std::move(*tty));
    out.mode = choice.value_or(mode_of(usb_id_of_tty(roots, path)));
    const auto in_force = out.tty->set(wanted);
    if (!in_force)
        return in_force.error();
    out.in_force = *in_force;
    out.modem = out.tty->has_modem_lines();
    // The kernel raises both lines at an open. Both are let go at once, which an ESP board does
    // not feel; a chip with USB of its own keeps them, since DTR tells it that somebody is there.
    if (!lines && out.mode == PortMode::esp)
        lines = ModemLines{};
    if (lines)
        out.tty->set_lines(*lines);
    out.lines = lines.value_or(out.tty->lines());
    out.errors = out.tty->errors();
    return out;
}

} // namespace

Task<Result<>> SerialDevice::open(Roots roots) {
    roots_ = std::move(roots);
    std::optional<ModemLines> lines;
    if (esp_ || lines_ != resting_lines_)
        lines = lines_; // it was here before
    std::function<Result<Opened>()> work = [roots = roots_, path = path_, choice = choice_,
                                            wanted = wanted_, lines] {
        return open_tty(roots, path, choice, wanted, lines);
    };
    auto opened = co_await pool_.run("open " + path_.string(), job_deadline, std::move(work));
    if (!opened)
        co_return opened.error();
    if (stopped_)
        co_return fail(ErrorKind::unavailable, "{}: stopped", path_.string());
    const int fd = ::fcntl(opened->tty->fd(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        co_return fail_errno(errno, "duplicate the descriptor of " + path_.string());
    tty_ = opened->tty;
    ready_.emplace(loop_, fd);
    mode_ = opened->mode;
    modem_ = opened->modem;
    in_force_ = opened->in_force;
    errors_ = opened->errors;
    if (!lines)
        lines_ = resting_lines_ = opened->lines;
    if (mode_ == PortMode::esp && !esp_)
        esp_.emplace(resting_lines_);
    co_return Result<>{};
}

template <class T> Task<Result<T>> SerialDevice::job(std::function<Result<T>(Tty&)> what) {
    while (busy_)
        co_await turn_.async_wait(as_value);
    if (!tty_)
        co_return fail(ErrorKind::not_found, "{} is not plugged in", path_.string());
    busy_ = true;
    std::function<Result<T>()> work = [tty = tty_, what = std::move(what)] { return what(*tty); };
    auto result = co_await pool_.run(path_.string(), job_deadline, std::move(work));
    busy_ = false;
    turn_.cancel();
    co_return result;
}

Task<> SerialDevice::set(LineSettings wanted) {
    wanted_ = wanted;
    std::function<Result<LineSettings>(Tty&)> what = [wanted](Tty& tty) { return tty.set(wanted); };
    const auto in_force = co_await job<LineSettings>(std::move(what));
    if (in_force)
        in_force_ = wanted_ = *in_force;
    else if (!tty_)
        in_force_ = wanted; // what it will be set to when it is back
    else
        wanted_ = in_force_;
}

Task<> SerialDevice::set_lines(ModemLines lines) {
    lines_ = lines;
    std::function<Result<bool>(Tty&)> what = [lines](Tty& tty) -> Result<bool> {
        tty.set_lines(lines);
        return true;
    };
    [[maybe_unused]] const auto done = co_await job<bool>(std::move(what));
}

Task<> SerialDevice::set_esp_lines(ModemLines lines) {
    co_await set_lines(lines);
    if (esp_)
        esp_->on_wire(Clock::now());
}

Task<> SerialDevice::control(ModemLines lines, bool dtr, bool on) {
    if (!esp_) {
        if (lines != lines_)
            co_await set_lines(lines);
        co_return;
    }
    const auto next = esp_->control(dtr, on, Clock::now());
    if (next)
        co_await set_esp_lines(*next);
    step_.cancel();
    if (esp_ && esp_->wake_at() && !stepping_) {
        stepping_ = true;
        spawn_guarded(loop_, "a reset on " + path_.string(), play(shared_from_this()));
    }
}

Task<> SerialDevice::play(std::shared_ptr<SerialDevice> self) {
    while (const auto at = stopped_ ? std::nullopt : esp_->wake_at()) {
        step_.expires_at(*at);
        co_await step_.async_wait(as_value);
        const auto next = esp_->tick(Clock::now());
        if (next)
            co_await set_esp_lines(*next);
        if (!esp_->playing())
            played_.cancel();
    }
    stepping_ = false;
    played_.cancel();
    (void)self;
}

Task<> SerialDevice::set_break(bool on) {
    break_ = on;
    std::function<Result<bool>(Tty&)> what = [on](Tty& tty) -> Result<bool> {
        tty.set_break(on);
        return true;
    };
    [[maybe_unused]] const auto done = co_await job<bool>(std::move(what));
}

Task<> SerialDevice::purge(bool rx, bool tx) {
    if (tx) {
        queue_.clear();
        sent_ = 0;
        room_.cancel();
    }
    std::function<Result<bool>(Tty&)> what = [rx, tx](Tty& tty) -> Result<bool> {
        tty.purge(rx, tx);
        return true;
    };
    [[maybe_unused]] const auto done = co_await job<bool>(std::move(what));
}

static std::uint8_t line_state(const LineErrors& before, const LineErrors& now, bool sent) {
    unsigned state = sent ? line_sent : 0U;
    state |= now.brk != before.brk ? line_break : 0U;
    state |= now.framing != before.framing ? line_framing : 0U;
    state |= now.parity != before.parity ? line_parity : 0U;
    state |= now.overrun != before.overrun ? line_overrun : 0U;
    return static_cast<std::uint8_t>(state);
}

Task<SerialDevice::State> SerialDevice::state() {
    struct Raw {
        ModemInputs inputs = 0;
        LineErrors errors;
        bool sent = false;
    };
    std::function<Result<Raw>(Tty&)> what = [](Tty& tty) -> Result<Raw> {
        return Raw{tty.inputs(), tty.errors(), tty.unsent() == 0};
    };
    const auto raw = co_await job<Raw>(std::move(what));
    State state;
    if (!raw)
        co_return state;
    state.inputs = raw->inputs;
    state.line = line_state(errors_, raw->errors, raw->sent && queued() == 0);
    errors_ = raw->errors;
    co_return state;
}

Task<> SerialDevice::rest() {
    while (esp_ && esp_->playing() && stepping_ && !stopped_)
        co_await played_.async_wait(as_value);
    if (break_)
        co_await set_break(false);
    if (esp_)
        esp_.emplace(resting_lines_);
    if (lines_ != resting_lines_)
        co_await set_lines(resting_lines_);
    if (in_force_ != resting_)
        co_await set(resting_);
}

void SerialDevice::wake() {
    wake_.cancel();
    room_.cancel();
}

void SerialDevice::plugged(const std::filesystem::path& path) {
    if (path_ == path)
        return;
    if (tty_)
        lose(fail(ErrorKind::not_found, "{} is gone", path_.string()));
    path_ = path;
    wake();
}

void SerialDevice::lose(const Error& why) {
    if (!tty_)
        return;
    tty_.reset();
    if (!lasting_name_)
        path_.clear();
    ready_.reset();
    queue_.clear();
    sent_ = 0;
    wake();
    turn_.cancel();
    handler_.gone(why);
}

void SerialDevice::stop() {
    stopped_ = true;
    if (tty_)
        tty_->release();
    tty_.reset();
    ready_.reset();
    wake();
    turn_.cancel();
    step_.cancel();
    played_.cancel();
}

/// True while there may be more to read.
bool SerialDevice::read_once() {
    // Little comes at once and is passed on at once; much is collected, to be sent in one go.
    constexpr std::size_t much = 1024;
    std::size_t filled = 0;
    for (;;) {
        const auto n = tty_->read(buffer_.data() + filled, buffer_.size() - filled);
        if (!n) {
            if (filled > 0)
                handler_.data({buffer_.data(), filled});
            lose(n.error());
            return false;
        }
        filled += *n;
        if (*n <= much || filled == buffer_.size())
            break;
    }
    if (filled > 0)
        handler_.data({buffer_.data(), filled});
    return filled == buffer_.size();
}

Task<> SerialDevice::run(std::shared_ptr<SerialDevice> self) {
    (void)self;
    while (!stopped_) {
        if (!tty_ && path_.empty()) {
            co_await wake_.async_wait(as_value);
            continue;
        }
        if (!tty_) {
            co_await reopen();
            continue;
        }
        if (!handler_.wanted()) {
            co_await wake_.async_wait(as_value);
            continue;
        }
        const auto [error] =
            co_await ready_->async_wait(asio::posix::stream_descriptor::wait_read, as_value);
        if (!error && tty_ && handler_.wanted())
            read_once();
    }
}

/// The folder tells when a node appears. It can be there before udev has given it its rights, and a
/// folder that is a link's target is not watched: hence another look now and then.
Task<> SerialDevice::reopen() {
    constexpr milliseconds soon{250};
    constexpr milliseconds later{1000};
    constexpr seconds hurry{15};
    DirectoryWatch watch(loop_, path_.parent_path());
    WaitSet wait(loop_);
    wait.add(watch.fd());
    const TimePoint since = Clock::now();
    while (!stopped_ && !tty_ && !path_.empty()) {
        watch.arm();
        const auto opened = co_await open(roots_);
        if (stopped_)
            co_return;
        if (opened) {
            if (break_)
                co_await set_break(true);
            handler_.back();
            co_return;
        }
        co_await wait.wait(Clock::now() + (Clock::now() - since < hurry ? soon : later));
        watch.drain();
    }
}

} // namespace longcord
