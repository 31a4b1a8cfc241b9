// SPDX-License-Identifier: MIT
#include "pi/mode_store.hpp"

#include "base/files.hpp"
#include "usb/topology.hpp"

#include <cerrno>
#include <cstdio>

namespace longcord {

namespace fs = std::filesystem;

static constexpr std::size_t max_file = 1024 * 1024;

static fs::path modes_file(const Roots& roots) {
    return roots.state() / "modes.json";
}

Result<Modes> load_modes(const Roots& roots) {
    const auto text = read_file(modes_file(roots), max_file);
    if (!text && text.error().kind == ErrorKind::not_found)
        return Modes{};
    if (!text)
        return text.error();
    auto modes = parse_modes(*text);
    if (!modes)
        return fail(
            modes.error().kind,
            "{}: {}; no mode is set until it is mended, or set anew (then "
            "this one becomes modes.json.broken)",
            modes_file(roots).string(), modes.error().message);
    return modes;
}

Result<> save_modes(const Roots& roots, const Modes& modes) {
    const auto file = modes_file(roots);
    if (const auto before = load_modes(roots); !before && before.error().kind == ErrorKind::invalid)
        if (std::rename(file.c_str(), (file.string() + ".broken").c_str()) != 0)
            return fail_errno(errno, "rename " + file.string());
    return write_file(file, format_modes(modes));
}

Result<ControllerPlace> by_controller(const Roots& roots, const Place& place) {
    const auto hub = roots.sys() / "bus/usb/devices" / fmt::format("usb{}", place.bus);
    std::error_code error;
    const auto real = fs::canonical(hub, error).string();
    const auto sys = fs::canonical(roots.sys(), error).string();
    const auto controller = real.starts_with(sys + '/')
                                ? controller_of(real.substr(sys.size()) + '/' + place.busid())
                                : std::string();
    if (controller.empty())
        return fail(
            ErrorKind::not_found, "{}: this machine has no USB bus {}", place.busid(), place.bus);
    return ControllerPlace{controller, place.path};
}

} // namespace longcord
