// SPDX-License-Identifier: MIT
// A real QEMU: firmware only, TCG, with an xHCI behind a PCI bridge as `longcord vm prepare` makes
// it and emulated devices at its ports. It needs qemu-system-x86; a missing one fails the tests.
#pragma once

#include "fake_monitor.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace longcord::test {

class Qemu {
  public:
    explicit Qemu(std::vector<std::string> options = {});
    ~Qemu();
    Qemu(const Qemu&) = delete;
    Qemu& operator=(const Qemu&) = delete;

    const std::filesystem::path& socket() const { return socket_; }
    int pid() const { return pid_; }

  private:
    Folder folder_;
    std::filesystem::path socket_ = folder_.path / "qmp";
    int pid_ = -1;
};

} // namespace longcord::test
