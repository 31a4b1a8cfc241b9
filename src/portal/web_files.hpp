// SPDX-License-Identifier: MIT
// The page: the files of one folder, read once at the start. What is not in that list is not there,
// so no path in a request ever reaches the file system.
#pragma once

#include "portal/message.hpp"

#include <filesystem>
#include <map>

namespace longcord {

class WebFiles {
  public:
    static constexpr std::size_t max_file = 1024 * 1024;

    /// All files of the folder whose type is known. ErrorKind::not_found: no folder, or no
    /// index.html in it.
    static Result<WebFiles> read(const std::filesystem::path& folder);

    /// nullptr: there is no such file. "/" is index.html.
    bool has(std::string_view path) const;
    PortalResponse answer(const PortalRequest& request) const;

  private:
    struct File {
        std::shared_ptr<const std::string> content;
        std::string type;
        std::string tag; ///< ETag
    };
    std::map<std::string, File, std::less<>> files_; ///< by path
};

} // namespace longcord
