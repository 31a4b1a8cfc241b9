// SPDX-License-Identifier: MIT
#include "pairing/pending_store.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "pairing/ssh_key.hpp"
#include "usb/place.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <unistd.h>

namespace longcord {

namespace fs = std::filesystem;

namespace {

constexpr const char* folder_name = "pairing";
constexpr std::size_t id_size = 16;

/// "workbench.0123456789abcdef.used"
struct FileName {
    std::string pi;
    std::string id;
    std::string state; ///< "", "used" or "wrong"
};

std::optional<FileName> parse_name(const std::string& text) {
    const auto dot = text.find('.');
    if (dot == std::string::npos)
        return std::nullopt;
    FileName name{text.substr(0, dot), text.substr(dot + 1, id_size), {}};
    const std::string rest = text.substr(dot + 1 + name.id.size());
    const bool is_id = name.id.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_pi_name(name.pi) || name.id.size() != id_size || !is_id)
        return std::nullopt;
    if (!rest.empty() && rest != ".used" && rest != ".wrong")
        return std::nullopt;
    name.state = rest.empty() ? "" : rest.substr(1);
    return name;
}

std::vector<std::pair<fs::path, FileName>> list(const fs::path& folder) {
    std::vector<std::pair<fs::path, FileName>> files;
    std::error_code error; // no folder: no pairing under way
    for (fs::directory_iterator file(folder, error), end; !error && file != end;
         file.increment(error))
        if (auto name = parse_name(file->path().filename().string()))
            files.emplace_back(file->path(), std::move(*name));
    return files;
}

Result<Pending> read(const fs::path& file) {
    const auto text = read_file(file, max_pending_file);
    if (!text)
        return text.error();
    auto pending = parse_pending(*text);
    if (!pending)
        return fail(ErrorKind::invalid, "{}: {}", file.string(), pending.error().message);
    return pending;
}

fs::path with(const fs::path& file, const char* ending) {
    return file.string() + ending;
}

void drop_all(const fs::path& file) {
    for (const char* ending : {"", ".used", ".wrong"})
        ::unlink(with(file, ending).c_str()); // one that is not there is as good as removed
}

/// True for whoever was first; false: somebody else was, or it is not there.
Result<bool> take(const fs::path& file) {
    if (::rename(file.c_str(), with(file, ".used").c_str()) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    return fail_errno(errno, "rename " + file.string());
}

fs::path file_of(const fs::path& base, const std::string& pi, std::string_view fingerprint) {
    return base / folder_name / (pi + '.' + pairing_id(fingerprint));
}

} // namespace

Result<std::vector<OpenPairing>> read_pending(const Roots& roots, const Complain& complain) {
    const auto base = pairing_base(roots);
    if (!base)
        return base.error();
    std::vector<OpenPairing> all;
    for (const auto& [file, name] : list(*base / folder_name)) {
        if (name.state == "wrong")
            continue;
        auto pending = read(file);
        if (!pending) {
            if (pending.error().kind != ErrorKind::not_found)
                complain(file, pending.error().message);
            continue;
        }
        if (name.state == "used" && pending->used.empty())
            pending->used = "it is being used";
        std::string print = fingerprint_of(pending->key);
        all.push_back({name.pi, std::move(print), std::move(*pending)});
    }
    return all;
}

Result<> begin_pairing(
    const Roots& roots, const std::string& pi, const Pending& pending, UnixTime now) {
    const auto base = pairing_base(roots);
    if (!base)
        return base.error();
    sweep_pairings(roots, now);
    std::size_t open = 0;
    for (const auto& [file, name] : list(*base / folder_name)) {
        if (name.state.empty() && name.pi == pi)
            drop_all(file); // a token that was printed before and is not wanted any more
        else if (name.state.empty())
            ++open;
    }
    if (open >= max_pending)
        return fail(
            ErrorKind::full,
            "{} pairings are under way already, which is the limit; each ends "
            "after 10 minutes",
            open);
    return write_file(file_of(*base, pi, fingerprint_of(pending.key)), format(pending), 0600);
}

Result<PairingUse> use_pairing(
    const Roots& roots, const std::string& pi, std::string_view fingerprint, std::string_view by,
    UnixTime now) {
    const auto base = pairing_base(roots);
    if (!base)
        return base.error();
    const fs::path file = file_of(*base, pi, fingerprint);
    const auto open = read(file);
    if (open && !is_in_time(*open, now))
        return PairingUse{};
    if (open) {
        const auto first = take(file);
        if (!first)
            return first.error();
        if (*first) {
            Pending used = *open;
            used.used = printable(by);
            // For people only: that it is used, the name of the file says.
            if (auto noted = write_file(with(file, ".used"), format(used), 0600); !noted)
                used.used.clear();
            return PairingUse{PairingUse::Kind::first, std::move(used)};
        }
    }
    const auto before = read(with(file, ".used"));
    if (!before)
        return PairingUse{};
    return PairingUse{PairingUse::Kind::again, *before};
}

Result<unsigned> count_wrong_use(
    const Roots& roots, const std::string& pi, std::string_view fingerprint) {
    const auto base = pairing_base(roots);
    if (!base)
        return base.error();
    const fs::path file = file_of(*base, pi, fingerprint);
    const auto before = read_file(with(file, ".wrong"), max_pending_file);
    const unsigned count = (before ? parse_decimal(trim(*before), 1000).value_or(0) : 0) + 1;
    if (count >= max_wrong_uses) {
        drop_all(file);
        return count;
    }
    if (auto written = write_file(with(file, ".wrong"), fmt::format("{}\n", count), 0600); !written)
        return written.error();
    return count;
}

void sweep_pairings(const Roots& roots, UnixTime now) {
    const auto base = pairing_base(roots);
    if (!base)
        return;
    const auto files = list(*base / folder_name);
    for (const auto& [file, name] : files) {
        if (name.state == "wrong") {
            const fs::path owner = file.parent_path() / (name.pi + '.' + name.id);
            const auto belongs = [&](const auto& other) {
                return other.first == owner || other.first == with(owner, ".used");
            };
            if (std::ranges::none_of(files, belongs))
                ::unlink(file.c_str());
        } else if (const auto pending = read(file);
                   pending ? !is_in_time(*pending, now)
                           : pending.error().kind == ErrorKind::invalid) {
            ::unlink(file.c_str());
        }
    }
}

void forget_pairings(const Roots& roots, const std::string& pi) {
    const auto base = pairing_base(roots);
    if (!base)
        return;
    for (const auto& [file, name] : list(*base / folder_name))
        if (name.pi == pi)
            ::unlink(file.c_str());
}

} // namespace longcord
