// SPDX-License-Identifier: MIT
#include "doctor/hookscript_checks.hpp"

#include "base/files.hpp"
#include "proxmox/snippets.hpp"
#include "proxmox/vm_config.hpp"
#include "proxmox/vm_files.hpp"

#include <fmt/core.h>

namespace longcord {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_text = 512 * 1024;

struct Named {
    unsigned vmid = 0;
    std::string node; ///< empty: this one
    std::string hookscript;
};

std::vector<Named> named_in(const fs::path& folder, const std::string& node) {
    std::vector<Named> found;
    const auto names = names_in(folder);
    if (!names)
        return found;
    for (const auto& name : *names) {
        const auto vmid = vmid_of(name, ".conf");
        if (!vmid)
            continue;
        const auto text = read_file(folder / name, max_text);
        if (!text)
            continue;
        if (auto config = parse_vm_config(*text); !config.hookscript.empty())
            found.push_back({*vmid, node, std::move(config.hookscript)});
    }
    return found;
}

std::vector<Named> named_in_cluster(const Roots& roots) {
    std::vector<Named> all = named_in(roots.pve() / "qemu-server", "");
    std::error_code error;
    const auto own = fs::read_symlink(roots.pve() / "local", error).filename().string();
    const auto nodes = names_in(roots.pve() / "nodes");
    if (!nodes)
        return all;
    for (const auto& node : *nodes)
        if (node != own)
            for (auto& named : named_in(roots.pve() / "nodes" / node / "qemu-server", node))
                all.push_back(std::move(named));
    return all;
}

Finding missing(const Named& named) {
    if (named.node.empty())
        return bad(
            fmt::format("VM {}", named.vmid),
            fmt::format(
                "names the hookscript {}, which this node has not: it cannot start",
                named.hookscript),
            fmt::format(
                "install longcord-host here, or: qm set {} --delete hookscript", named.vmid));
    return warning(
        fmt::format("VM {}", named.vmid),
        fmt::format(
            "of {} names the hookscript {}, which this node has not: it could not start here",
            named.node, named.hookscript),
        fmt::format(
            "copy it to this node, or on {}: qm set {} --delete hookscript", named.node,
            named.vmid));
}

Findings check_one(const Roots& roots, const Named& named, const std::string& storages) {
    const auto path = snippet_path(named.hookscript, storages);
    if (!path)
        return {};
    const fs::path file = roots.prefix / path->relative_path();
    std::error_code ignored;
    if (!fs::exists(file, ignored))
        return {missing(named)};
    const auto text = read_file(file, max_text);
    if (!named.node.empty() || !text || text->find("device_add") == std::string::npos)
        return {};
    return {warning(
        fmt::format("VM {}", named.vmid),
        fmt::format(
            "has the hookscript {}, which plugs USB devices by itself: two programs plug the same",
            named.hookscript),
        fmt::format("once your rules are in place: qm set {} --delete hookscript", named.vmid))};
}

} // namespace

Findings check_hookscripts(const Roots& roots) {
    const auto storages = read_file(roots.pve() / "storage.cfg", max_text);
    Findings findings;
    for (const auto& named : named_in_cluster(roots))
        for (auto& finding : check_one(roots, named, storages ? *storages : std::string()))
            findings.push_back(std::move(finding));
    return findings;
}

} // namespace longcord
