// SPDX-License-Identifier: MIT
#include "pi/give_back.hpp"

#include "base/log.hpp"
#include "control/client.hpp"
#include "usbip/export.hpp"

#include <cstdlib>

#include <spdlog/spdlog.h>

namespace longcord {

int give_back(const Roots& roots) {
    start_logging("info");
    if (ControlClient::connect(roots.run() / "pi.sock")) {
        spdlog::error("longcord-pi runs; first: systemctl stop longcord-pi");
        return EXIT_FAILURE;
    }
    const UsbipHost usbip_host(roots);
    int status = EXIT_SUCCESS;
    for (const auto& busid : usbip_host.bound()) {
        if (const auto unbound = usbip_host.unbind(busid)) {
            spdlog::info("{}: given back to this machine", busid);
        } else {
            spdlog::warn("{}: not given back: {}", busid, unbound.error().message);
            status = EXIT_FAILURE;
        }
    }
    return status;
}

} // namespace longcord
