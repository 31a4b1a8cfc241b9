// SPDX-License-Identifier: MIT
// Between Beast's messages and ours.
#pragma once

#include "portal/message.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

namespace longcord {

using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;
using BeastResponse = boost::beast::http::response<boost::beast::http::string_body>;

/// ErrorKind::invalid: its target or its Host is none.
Result<PortalRequest> from_beast(const BeastRequest& request);
/// Without the body.
BeastResponse to_beast(const PortalResponse& answer, bool keep_alive);

/// It sends its body only when told to go on (RFC 9110, 10.1.1).
bool waits_for_go_on(const BeastRequest& request);
/// Of a request that could not be read.
unsigned status_of(const boost::system::error_code& error);
/// The client ended, was late, or was never there: nobody is left to be answered.
bool nobody_there(const boost::system::error_code& error);

} // namespace longcord
