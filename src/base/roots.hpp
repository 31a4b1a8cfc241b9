// SPDX-License-Identifier: MIT
// Where the outside world begins. Every fixed path of the product is taken from here, so a test can
// put the whole world below one directory (LONGCORD_ROOT=DIR).
#pragma once

#include <filesystem>

namespace longcord {

struct Roots {
    std::filesystem::path prefix = "/";

    /// From LONGCORD_ROOT; "/" where it is not set.
    static Roots from_environment();

    std::filesystem::path sys() const { return prefix / "sys"; }
    std::filesystem::path dev() const { return prefix / "dev"; }
    std::filesystem::path proc() const { return prefix / "proc"; }
    std::filesystem::path pve() const { return prefix / "etc/pve"; }
    std::filesystem::path config() const { return prefix / "etc/longcord"; }
    std::filesystem::path run() const { return prefix / "run/longcord"; }
    std::filesystem::path qemu_run() const { return prefix / "run/qemu-server"; }
    std::filesystem::path state() const { return prefix / "var/lib/longcord"; }
    /// Where usbip(8) records what was attached; we write there too, so `usbip port` knows us.
    std::filesystem::path vhci_record() const { return prefix / "run/vhci_hcd"; }
};

} // namespace longcord
