// HTTP as the API sees it, without a library's types.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace podium::serve {

inline constexpr uint64_t kMostBodyBytes = 8 << 20;  // of a request

// Of headers: in any case.
bool same_name(std::string_view a, std::string_view b);

struct HttpRequest {
  std::string method, target;  // "POST", "/v1/events?x=1"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  // Any case; empty where there is none.
  std::string_view header(std::string_view name) const;
};

class ReplyStream;  // reply_stream.h

struct HttpReply {
  int status = 200;
  std::string body = {};  // JSON, unless empty
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<ReplyStream> stream = {};  // the body instead, as it comes
};

// Answers once, on any thread.
using Reply = std::function<void(HttpReply reply)>;
// Must not throw, nor block for long.
using Handler = std::function<void(HttpRequest request, Reply reply)>;

}  // namespace podium::serve
