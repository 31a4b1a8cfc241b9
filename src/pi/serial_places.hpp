// SPDX-License-Identifier: MIT
// Which serial ports there are to be: one for each terminal of each device in mode `serial`, bound
// to the place and not to the terminal, which has another name each time. A port outlives its
// device: whoever has it open sees silence while the board is away. Pure.
#pragma once

#include "pi/modes.hpp"
#include "serial/tty_nodes.hpp"

#include <map>
#include <string>
#include <vector>

namespace longcord {

/// A device that is plugged now.
struct SerialSeen {
    Device device;
    bool serial = false; ///< its mode is serial
    std::vector<TtyNode> nodes;
};

struct SerialChannel {
    std::string key;           ///< "platform-fe9c0000.xhci/1.2"; a further terminal "...:1.1"
    std::string name;          ///< the same for people: "1-1.2", "1-1.2:1.1"
    std::string place;         ///< "1-1.2"
    std::string stable_place;  ///< "platform-fe9c0000.xhci/1.2"
    std::filesystem::path tty; ///< empty: it is not there now
    bool first = true;         ///< the place's own port: pi.yaml's `ports` means this one
    bool operator==(const SerialChannel&) const = default;
};

class SerialPlaces {
  public:
    /// Terminals of one device: the largest bridges have four. Those beyond are not served.
    static constexpr std::size_t max_channels = 8;

    /// `seen`: everything that is plugged. A place where nothing is plugged keeps its channels as
    /// long as what was there last would still be serial.
    void update(const std::vector<SerialSeen>& seen, const Modes& modes);
    /// By key.
    std::vector<SerialChannel> channels() const;

  private:
    struct Served {
        Device device; ///< there now, or the latest that was
        /// Of this device, in the order of their appearance, which is the kernel's: the first has
        /// the place's own port, and keeps it while the others are already going.
        std::vector<std::string> interfaces;
        std::map<std::string, std::filesystem::path> channels; ///< terminals by key; empty: away
    };
    void serve(const SerialSeen& seen);

    std::map<std::string, Served> places_; ///< by stable place
};

} // namespace longcord
