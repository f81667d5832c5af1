// A client that says what it is told to, byte by byte, over a socket to this machine; and what
// servers of tests answer.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

#include "podium/serve/http.h"

namespace podium::serve {

inline const std::string kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

// A Handler: "METHOD TARGET BODY" as JSON.
inline void echo(const HttpRequest& request, const Reply& reply) {
  reply({.body = "\"" + request.method + " " + request.target + " " + request.body + "\""});
}

class Line {
 public:
  Line() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval most{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
  }
  explicit Line(uint16_t port) : Line() { connect(port); }
  ~Line() { hang_up(); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void connect(uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
  bool connected() const { return connected_; }
  // False: the peer has hung up, and its system has told so.
  bool say(std::string_view bytes) const {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }
  // One reply's status and body; status 0: the server has hung up.
  std::pair<int, std::string> hear() {
    const int status = hear_head();
    const size_t at = head_.find("Content-Length: ");
    const size_t length =
        status == 0 || at == std::string::npos ? 0 : std::stoul(head_.substr(at + 16));
    while (heard_.size() < length) {
      if (!more()) return {};
    }
    std::string body = heard_.substr(0, length);
    heard_.erase(0, length);
    return {status, body};
  }
  // The next bytes, of any kind.
  std::string hear_bytes(size_t count) {
    while (heard_.size() < count && more()) {
    }
    const std::string bytes = heard_.substr(0, count);
    heard_.erase(0, count);
    return bytes;
  }
  // The status of a reply without a body.
  int hear_head() {
    size_t end = 0;
    while ((end = heard_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return 0;
    }
    head_ = heard_.substr(0, end + 2);
    heard_.erase(0, end + 4);
    return std::stoi(head_.substr(9, 3));
  }
  const std::string& head() const { return head_; }  // of the last reply
  bool hung_up() { return heard_.empty() && !more(); }
  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  bool more() {
    char bytes[4096];
    const ssize_t n = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (n > 0) heard_.append(bytes, size_t(n));
    return n > 0;
  }

  int socket_;
  bool connected_ = false;
  std::string heard_, head_;
};

}  // namespace podium::serve
