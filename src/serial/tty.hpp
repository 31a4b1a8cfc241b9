// SPDX-License-Identifier: MIT
// The only file that knows the kernel's terminals: a serial line (/dev/ttyUSB0) or a pseudo
// terminal, open for us alone, in raw mode. Rates are given as numbers (termios2), so the kernel
// takes any, and what it says afterwards is what is in force. Closing never drops DTR and RTS
// (HUPCL): that would reset boards. A pseudo terminal has no modem lines; setting them there does
// nothing and is no error.
#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "serial/line_settings.hpp"

#include <filesystem>
#include <string_view>

namespace longcord {

struct LineErrors {
    unsigned framing = 0;
    unsigned parity = 0;
    unsigned overrun = 0;
    unsigned brk = 0;
};

class Tty {
  public:
    /// Fails with ErrorKind::busy where another program has it exclusively, and with invalid where
    /// it is no terminal.
    static Result<Tty> open(const std::filesystem::path& device);

    // These can wait for the device on the other end of a cable: never on the loop.
    /// What is in force afterwards; a driver may take less than it was asked for.
    Result<LineSettings> set(const LineSettings& wanted);
    Result<LineSettings> settings() const;
    /// Both lines with one ioctl.
    void set_lines(ModemLines lines);
    ModemLines lines() const;
    bool has_modem_lines() const;
    ModemInputs inputs() const;
    /// Counted since the device was opened; all 0 where the driver does not count.
    LineErrors errors() const;
    void set_break(bool on);
    void purge(bool rx, bool tx);
    /// What the kernel still has to send, in bytes.
    std::size_t unsent() const;

    // These do not wait.
    /// Others may open it again, though we still have it.
    void release() noexcept;
    /// 0: nothing there now. An error: the device is gone.
    Result<std::size_t> read(char* to, std::size_t size);
    Result<std::size_t> write(std::string_view bytes);
    int fd() const noexcept { return fd_.get(); }

  private:
    explicit Tty(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
    int other_outputs_ = 0; ///< OUT1 and OUT2, on which a PC's interrupts hang
};

} // namespace longcord
