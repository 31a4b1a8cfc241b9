// SPDX-License-Identifier: MIT
// One serial device that may go and come back: the I/O around Tty. It is read all the time, also
// when nobody listens, so a board never blocks on its own log; what it is sent is queued within a
// bound. Settings, modem lines and everything else that may wait for a USB transfer run on the
// worker pool, one after the other. While the device is away, what is written to it is lost, as
// on a cable that hangs in the air, and its settings are remembered for when it is back.
#pragma once

#include "base/roots.hpp"
#include "base/task.hpp"
#include "base/worker_pool.hpp"
#include "serial/esp_reset.hpp"
#include "serial/port_mode.hpp"
#include "serial/tty.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class SerialDevice : public std::enable_shared_from_this<SerialDevice> {
  public:
    /// Above this the client is not read any further.
    static constexpr std::size_t max_queued = 64 * 1024;
    /// A command waits for the bytes before it as long as they move at all.
    static constexpr milliseconds stall{1000};
    /// A control transfer of the kernel gives up after 5 s.
    static constexpr milliseconds job_deadline{6000};

    struct Handler {
        std::function<void(std::string_view)> data;
        std::function<void(const Error&)> gone;
        std::function<void()> back;
        /// Whether the device may be read now.
        std::function<bool()> wanted;
    };

    SerialDevice(
        asio::io_context& loop, WorkerPool& pool, std::filesystem::path path, ModeChoice mode,
        LineSettings resting, Handler handler);

    /// Opens it. Waits for the device at most job_deadline.
    Task<Result<>> open(Roots roots);
    /// Reads until stop(), and opens the device again when it is back.
    Task<> run(std::shared_ptr<SerialDevice> self);
    void stop();
    /// For a device without a lasting name (the next ttyUSB0 can be another board): the name that
    /// it has now, and holds only until it is gone. Empty: it is not there.
    void plugged(const std::filesystem::path& path);

    bool present() const noexcept { return tty_ != nullptr; }
    PortMode mode() const noexcept { return mode_; }
    const LineSettings& settings() const noexcept { return in_force_; }
    ModemLines resting_lines() const noexcept { return resting_lines_; }
    const std::filesystem::path& path() const noexcept { return path_; }

    /// Queued; see room().
    void write(std::string_view bytes);
    std::size_t queued() const noexcept { return queue_.size() - sent_; }
    /// Until there is room again, or until wake() is called.
    Task<> room();
    /// Until all is written, or nothing has moved for `stall`.
    Task<> settled();
    /// Whether bytes wait and do not move.
    bool stalled() const;
    /// wanted() may have changed, or nobody waits for room any more.
    void wake();

    Task<> set(LineSettings wanted);
    Task<> control(ModemLines lines, bool dtr, bool on);
    Task<> set_break(bool on);
    Task<> purge(bool rx, bool tx);
    struct State {
        ModemInputs inputs = 0;
        std::uint8_t line = 0; ///< RFC 2217's line state; errors since the last call
    };
    Task<State> state();
    /// Whether state() can tell anything of the modem lines.
    bool has_modem_lines() const noexcept { return modem_; }

    /// The lines and settings as before the client came. A reset under way is played to its end.
    Task<> rest();

  private:
    template <class T> Task<Result<T>> job(std::function<Result<T>(Tty&)> what);
    Task<> set_lines(ModemLines lines);
    Task<> set_esp_lines(ModemLines lines);
    Task<> play(std::shared_ptr<SerialDevice> self);
    Task<> reopen();
    bool read_once();
    void write_some();
    void wait_to_write();
    void lose(const Error& why);

    asio::io_context& loop_;
    WorkerPool& pool_;
    std::filesystem::path path_;
    const bool lasting_name_;
    ModeChoice choice_;
    LineSettings resting_;
    Handler handler_;
    Roots roots_;
    PortMode mode_ = PortMode::passthrough;
    std::shared_ptr<Tty> tty_;
    std::optional<asio::posix::stream_descriptor> ready_; ///< of a duplicate of the tty's fd
    LineSettings in_force_;
    LineSettings wanted_;
    ModemLines resting_lines_;
    ModemLines lines_;
    bool break_ = false;
    bool modem_ = false;
    LineErrors errors_;
    std::optional<EspReset> esp_;
    bool stepping_ = false; ///< play() is under way
    bool stopped_ = false;
    bool busy_ = false; ///< a job is under way
    bool writing_ = false;
    std::string queue_;
    std::size_t sent_ = 0;      ///< of queue_
    TimePoint moved_{};         ///< when bytes were last taken from queue_
    asio::steady_timer turn_;   ///< for the next job
    asio::steady_timer wake_;   ///< the reader waits for wanted()
    asio::steady_timer room_;   ///< writers wait
    asio::steady_timer step_;   ///< of a reset
    asio::steady_timer played_; ///< rest() waits
    std::array<char, 64 * 1024> buffer_;
};

} // namespace longcord
