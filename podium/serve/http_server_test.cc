// The server by hand-made bytes over a socket.
#include "podium/serve/http_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "podium/serve/reply_stream.h"
#include "podium/serve/test_line.h"

namespace podium::serve {
namespace {

TEST(HttpServer, KeepsConnectionsAndAnswersInOrder) {
  const HttpServer server({}, echo);
  Line line(server.port());
  line.say(kGet + "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz" + kGet);
  EXPECT_EQ(line.hear(), std::pair(200, std::string("\"GET /a \"")));
  EXPECT_EQ(line.hear(), std::pair(200, std::string("\"POST /b xyz\"")));
  EXPECT_EQ(line.hear().first, 200);
  line.say("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  EXPECT_EQ(line.hear(), std::pair(200, std::string("\"POST /c hi\"")));
  line.say("POST /d HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(line.hear().first, 100);
  line.say("ok");
  EXPECT_EQ(line.hear(), std::pair(200, std::string("\"POST /d ok\"")));
  line.say("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  EXPECT_EQ(line.hear_head(), 200) << "its length, and no body";
  EXPECT_EQ(line.hear(), std::pair(200, std::string("\"GET /a \"")));
  line.say("GET /e HTTP/1.0\r\n\r\n");
  EXPECT_EQ(line.hear().first, 200);
  EXPECT_TRUE(line.hung_up()) << "HTTP/1.0 asks for one reply";
}

// Answers /s in parts, which the test sends.
struct PartsHandler {
  std::shared_ptr<ReplyStream> parts = std::make_shared<ReplyStream>();

  void operator()(const HttpRequest& request, const Reply& reply) const {
    if (!request.target.starts_with("/s")) return echo(request, reply);
    reply({.type = "text/event-stream", .stream = parts});
  }
};

TEST(HttpServer, WritesPartsAsTheyCome) {
  for (const char* version : {"1.1", "1.0"}) {
    const bool chunks = std::string(version) == "1.1";
    const PartsHandler handler;
    const HttpServer server({}, handler);
    Line line(server.port());
    line.say(fmt::format("GET /s HTTP/{}\r\nHost: x\r\n\r\n", version));
    EXPECT_EQ(line.hear_head(), 200);
    EXPECT_EQ(line.head().find("Transfer-Encoding: chunked") != std::string::npos, chunks);
    EXPECT_TRUE(handler.parts->send("abc"));
    EXPECT_EQ(line.hear_bytes(chunks ? 8 : 3), chunks ? "3\r\nabc\r\n" : "abc");
    EXPECT_TRUE(handler.parts->send(std::string(100000, 'x')));
    const std::string long_chunk = "186a0\r\n" + std::string(100000, 'x') + "\r\n";
    EXPECT_EQ(line.hear_bytes(chunks ? 100009 : 100000),
              chunks ? long_chunk : std::string(100000, 'x'));
    handler.parts->end();
    EXPECT_EQ(line.hear_bytes(chunks ? 5 : 1), chunks ? "0\r\n\r\n" : "");
    if (!chunks) continue;
    line.say(kGet);
    EXPECT_EQ(line.hear().first, 200) << "the connection goes on";
  }
}

TEST(HttpServer, WhoeverSendsPartsLearnsThatThePeerHasLeft) {
  const PartsHandler handler;
  const HttpServer server({}, handler);
  Line line(server.port());
  line.say("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(line.hear_head(), 200);
  line.hang_up();
  while (handler.parts->send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(HttpServer, RefusesWhatIsReadInTwoWays) {
  const HttpServer server({.most_header_bytes = 1000, .most_body_bytes = 50}, echo);
  const auto status = [&](const std::string& bytes) {
    Line line(server.port());
    line.say(bytes);
    const int told = line.hear().first;
    EXPECT_TRUE(line.hung_up()) << bytes;
    return told;
  };
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(status("hello\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/3.7\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(
      status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nxyz"),
      400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400);
  EXPECT_EQ(status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(
      status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
      501);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n"), 417);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 51\r\n\r\n"), 413);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"), 431);
}

TEST(HttpServer, WhoStillSendsHearsTheRefusal) {
  const HttpServer server({.most_body_bytes = 1000}, echo);
  const std::string piece(1 << 20, 'x');
  for (int round = 0; round < 5; ++round) {
    Line line(server.port());
    line.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n");
    for (int i = 0; i < 8; ++i) line.say(piece);
    EXPECT_EQ(line.hear().first, 413);
    EXPECT_TRUE(line.hung_up());
  }
}

TEST(HttpServer, DrainsWhatIsUnderWay) {
  std::promise<Reply> asked;
  HttpServer server({}, [&](const HttpRequest& request, Reply reply) {
    if (request.target == "/wait") return asked.set_value(std::move(reply));
    echo(request, reply);
  });
  Line idle(server.port()), working(server.port());
  idle.say(kGet);
  EXPECT_EQ(idle.hear().first, 200);
  working.say("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  Reply reply = asked.get_future().get();
  std::thread draining([&] { server.drain(); });
  EXPECT_TRUE(idle.hung_up());
  reply({.body = "\"late\""});
  EXPECT_EQ(working.hear(), std::pair(200, std::string("\"late\"")));
  EXPECT_TRUE(working.hung_up());
  draining.join();
  EXPECT_FALSE(Line(server.port()).connected());
}

}  // namespace
}  // namespace podium::serve
