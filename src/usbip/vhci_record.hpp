// SPDX-License-Identifier: MIT
// Which vhci ports are ours. Only a port with a record here is ever detached; the record is written
// before the attach, so that a service killed in between finds its port again. usbip(8) has a
// record of its own, which is written too: `usbip port` then knows where our devices come from.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "usb/place.hpp"
#include "usbip/vhci_status.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace longcord {

struct VhciRecord {
    unsigned port = 0;
    Place place;
    std::uint32_t devid = 0;
    unsigned sockfd = 0; ///< the number given to attach: with port and devid it names one attach
    std::string server;  ///< "10.77.0.2:3240", "[fd00::2]:3240"
    bool operator==(const VhciRecord&) const = default;
};

/// Proof that the port holds what the record says: the same port, devid and sockfd, in use. A port
/// that is being enumerated, or in error, shows none of them and so proves nothing: see may_own.
bool owns(const VhciRecord&, const VhciPort&);
/// Not disproved: ours, or attached by somebody to a port we have a record of, and not enumerated.
bool may_own(const VhciRecord&, const VhciPort&);

class VhciRecords {
  public:
    explicit VhciRecords(Roots roots) : roots_(std::move(roots)) {}

    /// By port. Files that are not exactly a record of ours are passed over in silence: they cannot
    /// make a port ours.
    std::vector<VhciRecord> load() const;
    /// ErrorKind::system, ...: not written, so do not attach.
    Result<> save(const VhciRecord&) const;
    /// usbip's record goes too, unless somebody else's attach has replaced it.
    void remove(unsigned port) const;

  private:
    Result<VhciRecord> read(unsigned port) const;
    std::filesystem::path own_file(unsigned port) const;
    std::filesystem::path usbip_file(unsigned port) const;

    Roots roots_;
};

} // namespace longcord
