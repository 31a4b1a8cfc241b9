// SPDX-License-Identifier: MIT
#include "serial/tty.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/serial.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>
// Not <termios.h>: glibc's struct has no place for a rate as a number.
#include <asm/ioctls.h>
#include <asm/termbits.h>

namespace longcord {

// <asm/termios.h>, which glibc's <sys/ioctl.h> cannot stand beside it.
static constexpr int tiocm_out1 = 0x2000;
static constexpr int tiocm_out2 = 0x4000;

static Error open_failure(const std::string& device, int error) {
    switch (error) {
    case EBUSY:
        return fail(
            ErrorKind::busy, "{}: another program has it open for itself alone (fuser {})", device,
            device);
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return fail(
            ErrorKind::not_found,
            "{}: there is no such device now; /dev/serial/by-id has those that there are", device);
    case EACCES:
    case EPERM:
        return fail(
            ErrorKind::refused,
            "{}: permission denied; be root, or in the group that it belongs to (ls -l {})", device,
            device);
    default:
        return fail_errno(error, "open " + device);
    }
}

Result<Tty> Tty::open(const std::filesystem::path& device) {
    UniqueFd fd(::open(device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!fd)
        return open_failure(device.string(), errno);
    struct termios2 current {};
    if (::ioctl(fd.get(), TCGETS2, &current) != 0)
        return fail(ErrorKind::invalid, "{} is no serial port", device.string());
    // TIOCEXCL holds for everybody but root, and outlives us where somebody else has it open too;
    // the lock is what pyserial and a second server ask for, and ends with us.
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return fail(
            ErrorKind::busy, "{}: another program has it locked (fuser {})", device.string(),
            device.string());
    ::ioctl(fd.get(), TIOCEXCL);
    current.c_cflag &= ~static_cast<tcflag_t>(HUPCL);
    ::ioctl(fd.get(), TCSETS2, &current);
    Tty tty(std::move(fd));
    int outputs = 0;
    if (::ioctl(tty.fd(), TIOCMGET, &outputs) == 0)
        tty.other_outputs_ = outputs & (tiocm_out1 | tiocm_out2);
    return tty;
}

/// Rates that have a flag of their own get it, so that other programs (stty) know them too; any
/// other is given as a number.
static tcflag_t baud_flag(std::uint32_t baud) {
    struct Rate {
        std::uint32_t baud;
        tcflag_t flag;
    };
    static constexpr Rate rates[]{
        {50, B50},           {75, B75},           {110, B110},         {134, B134},
        {150, B150},         {200, B200},         {300, B300},         {600, B600},
        {1200, B1200},       {1800, B1800},       {2400, B2400},       {4800, B4800},
        {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
        {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
        {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
        {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
        {3500000, B3500000}, {4000000, B4000000}};
    for (const Rate& rate : rates)
        if (rate.baud == baud)
            return rate.flag;
    return BOTHER;
}

static tcflag_t size_flag(std::uint8_t bits) {
    constexpr tcflag_t sizes[]{CS5, CS6, CS7, CS8};
    return sizes[bits - 5];
}

static LineSettings settings_of(const struct termios2& t) {
    LineSettings s;
    s.baud = t.c_ospeed;
    s.data_bits = 5;
    while (s.data_bits < 8 && size_flag(s.data_bits) != (t.c_cflag & CSIZE))
        ++s.data_bits;
    const bool odd = (t.c_cflag & PARODD) != 0;
    if ((t.c_cflag & PARENB) == 0)
        s.parity = Parity::none;
    else if ((t.c_cflag & CMSPAR) != 0)
        s.parity = odd ? Parity::mark : Parity::space;
    else
        s.parity = odd ? Parity::odd : Parity::even;
    // The kernel has one bit for "more than one": with five data bits that is one and a half.
    if ((t.c_cflag & CSTOPB) != 0)
        s.stop = s.data_bits == 5 ? StopBits::one_and_half : StopBits::two;
    if ((t.c_cflag & CRTSCTS) != 0) {
        s.flow_out = s.flow_in = FlowControl::hardware;
    } else {
        s.flow_out = (t.c_iflag & IXON) != 0 ? FlowControl::xon_xoff : FlowControl::none;
        s.flow_in = (t.c_iflag & IXOFF) != 0 ? FlowControl::xon_xoff : FlowControl::none;
    }
    return s;
}

static tcflag_t parity_flags(Parity parity) {
    switch (parity) {
    case Parity::odd:
        return PARENB | PARODD;
    case Parity::even:
        return PARENB;
    case Parity::mark:
        return PARENB | PARODD | CMSPAR;
    case Parity::space:
        return PARENB | CMSPAR;
    default:
        return 0;
    }
}

Result<LineSettings> Tty::set(const LineSettings& wanted) {
    struct termios2 t {};
    if (::ioctl(fd(), TCGETS2, &t) != 0)
        return fail_errno(errno, "read the settings of the serial port");
    t.c_iflag = IGNBRK;
    t.c_oflag = 0;
    t.c_lflag = 0;
    t.c_cflag = CREAD | CLOCAL | baud_flag(wanted.baud) | size_flag(wanted.data_bits) |
                parity_flags(wanted.parity);
    if (wanted.stop != StopBits::one)
        t.c_cflag |= CSTOPB;
    if (wanted.flow_out == FlowControl::hardware)
        t.c_cflag |= CRTSCTS;
    if (wanted.flow_out == FlowControl::xon_xoff)
        t.c_iflag |= IXON;
    if (wanted.flow_in == FlowControl::xon_xoff)
        t.c_iflag |= IXOFF;
    t.c_ospeed = wanted.baud;
    t.c_ispeed = wanted.baud;
    std::memset(t.c_cc, 0, sizeof t.c_cc);
    t.c_cc[VMIN] = 1; // so that a read of nothing is EAGAIN, and 0 is the end
    t.c_cc[VSTART] = 0x11;
    t.c_cc[VSTOP] = 0x13;
    if (::ioctl(fd(), TCSETS2, &t) != 0 && errno != EINVAL) // EINVAL: not this; what holds is read
        return fail_errno(errno, "set the serial port");
    return settings();
}

Result<LineSettings> Tty::settings() const {
    struct termios2 t {};
    if (::ioctl(fd(), TCGETS2, &t) != 0)
        return fail_errno(errno, "read the settings of the serial port");
    return settings_of(t);
}

void Tty::set_lines(ModemLines lines) {
    int value = other_outputs_ | (lines.dtr ? TIOCM_DTR : 0) | (lines.rts ? TIOCM_RTS : 0);
    ::ioctl(fd(), TIOCMSET, &value); // a pseudo terminal has none
}

ModemLines Tty::lines() const {
    int value = 0;
    if (::ioctl(fd(), TIOCMGET, &value) != 0)
        return {};
    return {(value & TIOCM_DTR) != 0, (value & TIOCM_RTS) != 0};
}

bool Tty::has_modem_lines() const {
    int value = 0;
    return ::ioctl(fd(), TIOCMGET, &value) == 0;
}

ModemInputs Tty::inputs() const {
    int value = 0;
    if (::ioctl(fd(), TIOCMGET, &value) != 0)
        return 0;
    unsigned inputs = 0;
    inputs |= (value & TIOCM_CAR) != 0 ? modem_cd : 0U;
    inputs |= (value & TIOCM_RNG) != 0 ? modem_ri : 0U;
    inputs |= (value & TIOCM_DSR) != 0 ? modem_dsr : 0U;
    inputs |= (value & TIOCM_CTS) != 0 ? modem_cts : 0U;
    return static_cast<ModemInputs>(inputs);
}

LineErrors Tty::errors() const {
    serial_icounter_struct counted{};
    if (::ioctl(fd(), TIOCGICOUNT, &counted) != 0)
        return {};
    return {
        static_cast<unsigned>(counted.frame), static_cast<unsigned>(counted.parity),
        static_cast<unsigned>(counted.overrun) + static_cast<unsigned>(counted.buf_overrun),
        static_cast<unsigned>(counted.brk)};
}

void Tty::set_break(bool on) {
    ::ioctl(fd(), on ? TIOCSBRK : TIOCCBRK, 0);
}

void Tty::purge(bool rx, bool tx) {
    if (rx || tx)
        ::ioctl(fd(), TCFLSH, rx && tx ? TCIOFLUSH : rx ? TCIFLUSH : TCOFLUSH);
}

std::size_t Tty::unsent() const {
    int bytes = 0;
    return ::ioctl(fd(), TIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Tty::release() noexcept {
    ::ioctl(fd(), TIOCNXCL);
}

Result<std::size_t> Tty::read(char* to, std::size_t size) {
    for (;;) {
        const ssize_t n = ::read(fd(), to, size);
        if (n > 0)
            return static_cast<std::size_t>(n);
        if (n == 0)
            return fail(ErrorKind::not_found, "the device is gone");
        if (errno == EAGAIN)
            return std::size_t{0};
        if (errno != EINTR)
            return fail_errno(errno, "read from the serial port");
    }
}

Result<std::size_t> Tty::write(std::string_view bytes) {
    for (;;) {
        const ssize_t n = ::write(fd(), bytes.data(), bytes.size());
        if (n >= 0)
            return static_cast<std::size_t>(n);
        if (errno == EAGAIN)
            return std::size_t{0};
        if (errno != EINTR)
            return fail_errno(errno, "write to the serial port");
    }
}

} // namespace longcord
