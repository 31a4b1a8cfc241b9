// SPDX-License-Identifier: MIT
#include "serial/tty_nodes.hpp"

#include <algorithm>

namespace longcord {

namespace fs = std::filesystem;

/// usb-serial has 1-1.2:1.0/ttyUSB0/tty/ttyUSB0, cdc_acm 1-1.2:1.0/tty/ttyACM0.
static void add_ttys(const fs::path& folder, std::vector<std::string>& names) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder / "tty", error))
        names.push_back(entry.path().filename().string());
}

std::vector<TtyNode> tty_nodes(const Roots& roots, const std::string& busid) {
    std::vector<TtyNode> out;
    std::error_code error;
    const std::string prefix = busid + ":";
    for (const auto& entry :
         fs::directory_iterator(roots.sys() / "bus/usb/devices" / busid, error)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix))
            continue;
        std::vector<std::string> names;
        add_ttys(entry.path(), names);
        for (const auto& below : fs::directory_iterator(entry.path(), error))
            if (below.path().filename().string().starts_with("tty"))
                add_ttys(below.path(), names);
        for (const std::string& tty : names)
            out.push_back({name.substr(prefix.size()), roots.dev() / tty});
    }
    std::ranges::sort(out, {}, [](const TtyNode& node) { return node.interface; });
    return out;
}

} // namespace longcord
