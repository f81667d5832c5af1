// HTTP posts to one address, many in flight at once, by libcurl.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace podium::llm {

struct HttpReply {
  int status = 0;                     // 0: there was none
  std::string body;                   // at most 16 MiB
  std::string error;                  // where status is 0: why, in words
  bool hopeless = false;              // where status is 0: it would be so again
  std::optional<double> retry_after;  // seconds, as the server asks
};

// For one thread. Redirects are not followed, and nothing but http and https is spoken. A loopback
// address is reached without a proxy.
class HttpPosts {
 public:
  struct Target {
    std::string url;
    std::string bearer;   // the key; empty: none is sent
    double timeout = 60;  // seconds
  };
  explicit HttpPosts(Target target);
  ~HttpPosts();

  void start(std::string id, std::string body);
  size_t in_flight() const;
  // Those that have ended, with their ids; waits for one at most so many seconds.
  std::vector<std::pair<std::string, HttpReply>> wait(double seconds);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace podium::llm
