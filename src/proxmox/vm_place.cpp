// SPDX-License-Identifier: MIT
#include "proxmox/vm_place.hpp"

#include "proxmox/vm_files.hpp"

#include <algorithm>

namespace longcord {

namespace fs = std::filesystem;

Result<VmPlace> find_vm(const Roots& roots, unsigned vmid) {
    std::error_code error;
    const auto own = fs::read_symlink(roots.pve() / "local", error).filename();
    if (error)
        return fail(
            ErrorKind::unavailable,
            "{} is not there: this is no Proxmox node, or pve-cluster.service does not run",
            (roots.pve() / "local").string());
    auto nodes = names_in(roots.pve() / "nodes");
    if (!nodes)
        return nodes.error();
    std::sort(nodes->begin(), nodes->end());
    VmPlace place;
    fs::path elsewhere; // a rules file that has not followed its VM yet
    for (const auto& node : *nodes) {
        const bool here = node == own.string();
        const auto folder =
            here ? roots.pve() / "qemu-server" : roots.pve() / "nodes" / node / "qemu-server";
        const auto config = folder / fmt::format("{}.conf", vmid);
        const auto rules = folder / fmt::format("{}.usb.conf", vmid);
        if (fs::exists(config, error)) {
            place = {node, here, config, rules};
        } else if (fs::exists(rules, error)) {
            elsewhere = rules;
        }
    }
    if (place.config.empty())
        return fail(ErrorKind::not_found, "there is no VM {}", vmid);
    if (!elsewhere.empty() && !fs::exists(place.rules, error))
        place.rules = elsewhere;
    return place;
}

fs::path intent_file(const Roots& roots, unsigned vmid) {
    return roots.pve() / "longcord/vm" / fmt::format("{}.json", vmid);
}

} // namespace longcord
