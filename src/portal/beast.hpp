// SPDX-License-Identifier: MIT
// Between Beast's messages and ours.
#pragma once

#include "portal/message.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace longcord {

using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;

/// ErrorKind::invalid: its target or its Host is none.
Result<PortalRequest> from_beast(const BeastRequest& request);

} // namespace longcord
