// SPDX-License-Identifier: MIT
#include "portal/web_files.hpp"

#include "base/files.hpp"

#include <array>

namespace longcord {

namespace fs = std::filesystem;

static std::string type_of(const fs::path& file) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> types{{
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
    }};
    for (const auto& [ending, type] : types)
        if (file.extension() == ending)
            return std::string(type);
    return {};
}

/// FNV-1a: it only has to be another one for another content.
static std::string tag_of(std::string_view content) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : content)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return fmt::format("\"{:016x}\"", hash);
}

Result<WebFiles> WebFiles::read(const fs::path& folder) {
    WebFiles web;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const auto type = type_of(entry.path());
        if (type.empty() || !entry.is_regular_file(error))
            continue;
        auto content = read_file(entry.path(), max_file);
        if (!content)
            return content.error();
        const auto tag = tag_of(*content);
        web.files_["/" + entry.path().filename().string()] = {
            std::make_shared<const std::string>(std::move(*content)), type, tag};
    }
    const auto index = web.files_.find("/index.html");
    if (index == web.files_.end())
        return fail(
            ErrorKind::not_found,
            "{}: the portal's page is not there; install longcord-portal anew", folder.string());
    web.files_["/"] = index->second;
    return web;
}

bool WebFiles::has(std::string_view path) const {
    return files_.find(path) != files_.end();
}

PortalResponse WebFiles::answer(const PortalRequest& request) const {
    const File& file = files_.find(request.path)->second;
    PortalResponse response;
    response.content_type = file.type;
    response.headers.emplace_back("Cache-Control", "no-cache"); // asked for anew, by its ETag
    response.headers.emplace_back("ETag", file.tag);
    if (request.if_none_match == file.tag)
        response.status = 304;
    else
        response.body = file.content;
    return response;
}

} // namespace longcord
