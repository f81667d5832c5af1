// A chat endpoint in the test's own process: loopback, a free port, and every fault that a test
// asks for.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/mutex.h"

namespace podium::llm {

struct TestReply {
  int status = 200;
  std::string body = {};
  std::string headers = {};  // further ones, each with its "\r\n"
  double delay = 0;          // seconds before it is sent
  bool cut = false;          // half of it is sent, and the connection closed
};

// A completion that says `text`.
inline TestReply says(const std::string& text, int input = 100, int output = 20) {
  const Json body = {{"choices", {{{"message", {{"role", "assistant"}, {"content", text}}}}}},
                     {"usage", {{"prompt_tokens", input}, {"completion_tokens", output}}}};
  return {.body = body.dump()};
}

class TestChatServer {
 public:
  // Told each request's JSON and how many came before it, one at a time.
  using Handler = std::function<TestReply(const Json& request, int number)>;

  explicit TestChatServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    PODIUM_CHECK(::bind(listener_, any, size) == 0 && ::listen(listener_, 64) == 0);
    PODIUM_CHECK(::getsockname(listener_, any, &size) == 0);
    url_ = fmt::format("http://127.0.0.1:{}/v1", ntohs(address.sin_port));
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~TestChatServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
    ::close(listener_);
  }
  TestChatServer(const TestChatServer&) = delete;
  TestChatServer& operator=(const TestChatServer&) = delete;

  const std::string& url() const { return url_; }
  int requests() const { return requests_; }
  int most_at_once() const { return most_at_once_; }
  std::string last_head() {  // the last request's first lines
    const MutexLock lock(mutex_);
    return last_head_;
  }

 private:
  void accept_all() {
    for (int socket; (socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      connections_.emplace_back([this, socket] {
        serve(socket);
        ::close(socket);
      });
    }
  }

  void serve(int socket) {
    std::string text;
    size_t head = std::string::npos, length = 0;
    char bytes[65536];
    while (head == std::string::npos || text.size() < head + 4 + length) {
      const ssize_t n = ::recv(socket, bytes, sizeof bytes, 0);
      if (n <= 0) return;
      text.append(bytes, size_t(n));
      if (head != std::string::npos || (head = text.find("\r\n\r\n")) == std::string::npos)
        continue;
      length = std::stoul(text.substr(text.find("Content-Length: ") + 16));
      if (text.find("Expect: 100-continue") < head)
        send_all(socket, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    answer(socket, text.substr(0, head), parse_json(text.substr(head + 4), "request"));
  }

  void answer(int socket, const std::string& head, const Json& request) {
    TestReply reply;
    {
      const MutexLock lock(mutex_);
      most_at_once_ = std::max<int>(most_at_once_, ++now_);
      last_head_ = head;
      reply = handler_(request, requests_++);
    }
    for (double waited = 0; waited < reply.delay && !stopping_; waited += 0.01) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    --now_;
    std::string text =
        fmt::format("HTTP/1.1 {} Any\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}",
                    reply.status, reply.body.size(), reply.headers, reply.body);
    if (reply.cut) text.resize(text.size() - reply.body.size() / 2 - 1);
    send_all(socket, text);
  }

  static void send_all(int socket, std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(size_t(n));
    }
  }

  const Handler handler_;
  int listener_ = -1;
  std::string url_;
  std::atomic<int> requests_{0}, now_{0}, most_at_once_{0};
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  std::string last_head_ PODIUM_GUARDED_BY(mutex_);
  std::thread acceptor_;
  std::vector<std::thread> connections_;
};

}  // namespace podium::llm
