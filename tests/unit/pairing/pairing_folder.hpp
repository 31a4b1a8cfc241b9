// SPDX-License-Identifier: MIT
// A node's files below a temporary folder.
#pragma once

#include "base/files.hpp"
#include "base/roots.hpp"

#include <filesystem>
#include <stdlib.h>
#include <string>

#include <doctest/doctest.h>

namespace longcord {

class PairingFolder {
  public:
    PairingFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "longcord-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~PairingFolder() { std::filesystem::remove_all(path_); }
    PairingFolder(const PairingFolder&) = delete;
    PairingFolder& operator=(const PairingFolder&) = delete;

    Roots roots() const { return Roots{path_}; }
    std::filesystem::path path(const std::string& name) const { return path_ / name; }
    void write(const std::string& name, const std::string& content) const {
        REQUIRE(write_file(path_ / name, content, 0600).has_value());
    }
    bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }

    /// What pmxcfs shows while it runs, and what is left when it does not.
    void make_pve() const {
        std::filesystem::create_directories(path_ / "etc/pve/nodes/pve1");
        std::filesystem::create_symlink("nodes/pve1", path_ / "etc/pve/local");
    }
    void take_pve_away() const {
        std::filesystem::rename(path_ / "etc/pve", path_ / "etc/pve-away");
        std::filesystem::create_directories(path_ / "etc/pve");
    }
    void bring_pve_back() const {
        std::filesystem::remove(path_ / "etc/pve");
        std::filesystem::rename(path_ / "etc/pve-away", path_ / "etc/pve");
    }

  private:
    std::filesystem::path path_;
};

} // namespace longcord
