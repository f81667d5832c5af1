// Compressed bodies, both ways: gzip (RFC 9110, 8.4 and 12.5.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "podium/serve/http.h"

namespace podium::serve {

inline constexpr size_t kLeastGzip = 1024;  // bytes of a body below which nothing is won

// Whether the request's Accept-Encoding allows an answer in gzip, and no worse than one as it is.
bool allows_gzip(const HttpRequest& request);

// Compresses the body where that is allowed and pays: text of kLeastGzip bytes or more. A body that
// the reply says is gzip is unpacked where that is not allowed. On any thread.
void encode(HttpReply& reply, bool gzip_allowed);

// Undoes the request's Content-Encoding. Otherwise the reply that refuses it: 400 for what does not
// unpack, 413 for more than `most` bytes, 415 for a coding other than gzip.
std::optional<HttpReply> decode(HttpRequest& request, uint64_t most);

std::string gzip(std::string_view bytes);  // empty: no memory

}  // namespace podium::serve
