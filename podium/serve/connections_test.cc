// Many connections, and peers that are slow, silent or gone.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>
#include <deque>
#include <future>
#include <thread>
#include <vector>

#include "podium/serve/http_server.h"
#include "podium/serve/open_files.h"
#include "podium/serve/test_line.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PODIUM_TRACED_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PODIUM_TRACED_MEMORY 1
#endif
#endif

namespace podium::serve {
namespace {

using namespace std::chrono_literals;

size_t resident_bytes() {
  size_t pages = 0, resident = 0;
  FILE* const file = std::fopen("/proc/self/statm", "r");
  if (std::fscanf(file, "%zu %zu", &pages, &resident) != 2) resident = 0;
  std::fclose(file);
  return resident * size_t(sysconf(_SC_PAGESIZE));
}

// A process of its own that holds connections open, since one process may not have the descriptors
// of both ends. Made before there are threads.
class Crowd {
 public:
  Crowd() {
    if (::pipe(orders_) != 0 || ::pipe(reports_) != 0) return;
    child_ = ::fork();
    if (child_ == 0) obey();
    ::close(orders_[0]);
    ::close(reports_[1]);
  }
  ~Crowd() {
    ::close(orders_[1]);
    ::close(reports_[0]);
    ::waitpid(child_, nullptr, 0);
  }
  // Connects so often, with one request on each; returns how many were answered.
  size_t open(uint16_t port, size_t count) const {
    const size_t order[] = {port, count};
    size_t answered = 0;
    if (::write(orders_[1], order, sizeof(order)) != sizeof(order)) return 0;
    return ::read(reports_[0], &answered, sizeof(answered)) == sizeof(answered) ? answered : 0;
  }

 private:
  [[noreturn]] void obey() const {
    ::close(orders_[1]);
    size_t order[2];
    std::deque<Line> lines;
    while (::read(orders_[0], order, sizeof(order)) == sizeof(order)) {
      size_t answered = 0;
      for (size_t i = 0; i < order[1]; ++i) {
        Line& line = lines.emplace_back(uint16_t(order[0]));
        line.say(kGet);
        answered += line.hear().first == 200;
      }
      if (::write(reports_[1], &answered, sizeof(answered)) < 0) break;
    }
    ::_exit(0);
  }

  int orders_[2] = {-1, -1}, reports_[2] = {-1, -1};
  pid_t child_ = -1;
};

TEST(Connections, TenThousandWaitAndOneAsks) {
  constexpr size_t kMany = 10000;
  const size_t many = connections_allowed(kMany);
  if (many < kMany) {
    GTEST_SKIP() << "only " << many << " connections are allowed here: see `ulimit -Hn`";
  }
  const Crowd crowd;
  const HttpServer server({.most_connections = kMany + 10}, echo);
  ASSERT_EQ(crowd.open(server.port(), 100), 100u);
  [[maybe_unused]] const size_t before = resident_bytes();
  ASSERT_EQ(crowd.open(server.port(), kMany - 100), kMany - 100);
  EXPECT_EQ(server.connections(), kMany);
  Line line(server.port());
  line.say(kGet);
  EXPECT_EQ(line.hear(), std::pair(200, std::string("\"GET /a \"")));
#ifndef PODIUM_TRACED_MEMORY
  EXPECT_LT((resident_bytes() - before) / kMany, 6000u) << "bytes a silent connection";
#endif
}

TEST(Connections, AsManyAsTheSystemAllows) {
  const auto allowed = [] {
    const rlimit few{300, 400};
    ::setrlimit(RLIMIT_NOFILE, &few);
    const size_t connections = connections_allowed(1000);
    rlimit after{};
    ::getrlimit(RLIMIT_NOFILE, &after);
    ::_exit(connections == 400 - kOtherFiles && after.rlim_cur == 400 ? 0 : 1);
  };
  EXPECT_EXIT(allowed(), testing::ExitedWithCode(0), "400 open files, so 144 connections");
}

TEST(Connections, OneMoreTakesTheLongestSilentOnesPlace) {
  std::mutex mutex;
  std::vector<Reply> replies;
  const HttpServer server({.most_connections = 3}, [&](const HttpRequest& request, Reply reply) {
    if (request.target != "/wait") return echo(request, reply);
    const std::lock_guard lock(mutex);
    replies.push_back(std::move(reply));
  });
  std::deque<Line> lines;
  for (int i = 0; i < 3; ++i) {
    Line& line = lines.emplace_back(server.port());
    line.say(kGet);
    ASSERT_EQ(line.hear().first, 200);
  }
  lines[0].say(kGet);  // so that the second is the one that is silent longest
  ASSERT_EQ(lines[0].hear().first, 200);
  Line more(server.port());
  more.say(kGet);
  EXPECT_EQ(more.hear().first, 200);
  EXPECT_TRUE(lines[1].hung_up());
  EXPECT_EQ(server.connections(), 3u);

  for (const Line* line : {&lines[0], &lines[2], &more}) {
    line->say("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  const auto waiting = [&] {
    const std::lock_guard lock(mutex);
    return replies.size();
  };
  while (waiting() < 3) std::this_thread::sleep_for(1ms);
  Line refused(server.port());
  EXPECT_TRUE(refused.hung_up()) << "nobody is silent";
  for (const Reply& reply : replies) reply({.body = "1"});
  EXPECT_EQ(lines[0].hear().first, 200) << "who has been asked for is answered";
  EXPECT_EQ(lines[2].hear().first, 200);
  EXPECT_EQ(more.hear().first, 200);
}

// Takes all descriptors but `left` from this process.
class FewDescriptors {
 public:
  explicit FewDescriptors(int left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    rlimit few = before_;
    few.rlim_cur = rlim_t(next + left);
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Connections, WithoutDescriptorsTheOthersWait) {
  const HttpServer server({}, echo);
  std::deque<Line> lines(5);
  const FewDescriptors few(2);
  for (Line& line : lines) line.connect(server.port());
  for (Line& line : lines) {  // each end makes room for another
    line.say(kGet);
    EXPECT_EQ(line.hear().first, 200);
    line.hang_up();
  }
}

TEST(Connections, ByteByByteIsCutOff) {
  const HttpServer server({.read_timeout = 200ms}, echo);
  const auto is_cut = [&](const std::string& begin, char drip) {
    Line line(server.port());
    line.say(begin);
    const std::string byte(1, drip);
    for (int i = 0; i < 1000; ++i) {  // 10 s
      if (!line.say(byte)) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  };
  EXPECT_TRUE(is_cut("G", 'E')) << "in its first line";
  EXPECT_TRUE(is_cut("GET / HTTP/1.1\r\nHost: x\r\nA: ", 'b')) << "in a header";
  EXPECT_TRUE(is_cut("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", '1'));
}

TEST(Connections, WhoNeverReadsItsAnswerIsCutOff) {
  const HttpServer server({.write_timeout = 100ms}, [](const HttpRequest&, const Reply& reply) {
    reply({.body = std::string(64 << 20, 'x')});  // more than the system keeps for a peer
  });
  Line line(server.port());
  line.say(kGet);
  while (server.connections() == 0) std::this_thread::sleep_for(1ms);
  for (int i = 0; i < 1000 && server.connections() > 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(server.connections(), 0u);
}

TEST(Connections, WhoVanishesIsForgotten) {
  const HttpServer server({.idle_timeout = 100ms}, echo);
  std::deque<Line> lines;
  for (int i = 0; i < 10; ++i) {
    Line& line = lines.emplace_back(server.port());
    if (i % 2 == 0) continue;  // from the start, or after an answer
    line.say(kGet);
    ASSERT_EQ(line.hear().first, 200);
  }
  for (Line& line : lines) EXPECT_TRUE(line.hung_up());
  while (server.connections() > 0) std::this_thread::sleep_for(1ms);  // a moment later
}

TEST(Connections, LargeBodiesShareTheirRoom) {
  std::promise<Reply> asked;
  const HttpServer server({.most_buffered_bytes = 1 << 20},
                          [&](const HttpRequest& request, Reply reply) {
                            if (request.target == "/wait") return asked.set_value(std::move(reply));
                            echo(request, reply);
                          });
  const auto post = [](const std::string& path, size_t bytes) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) +
           "\r\n\r\n" + std::string(bytes, 'x');
  };
  Line first(server.port()), second(server.port()), small(server.port());
  first.say(post("/wait", 600000));
  const Reply reply = asked.get_future().get();
  second.say(post("/b", 600000));
  EXPECT_EQ(second.hear().first, 503);
  EXPECT_NE(second.head().find("Retry-After"), std::string::npos);
  small.say(post("/c", 60000));
  EXPECT_EQ(small.hear().first, 200) << "small ones need no room";
  reply({.body = "1"});
  EXPECT_EQ(first.hear().first, 200);
  first.say(post("/d", 600000));
  EXPECT_EQ(first.hear().first, 200) << "the room is there again";
  first.say("POST /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(first.hear().first, 503) << "of unknown length, it may be of the longest";
}

}  // namespace
}  // namespace podium::serve
