#include "podium/serve/event_stream.h"

#include <thread>

#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

using Events = std::vector<std::pair<std::string, Json>>;

class EventStreamTest : public ApiTest {
 protected:
  static inline const Headers kAccept = {{"Accept", "text/event-stream"}};

  // All of them, to the end.
  static Events heard(ReplyStream& stream) {
    std::string text;
    for (bool ended = false; !ended; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
      const ReplyStream::Parts parts = stream.take();
      text += parts.bytes;
      ended = parts.ended;
    }
    Events events;
    for (size_t at = 0; at < text.size();) {
      const size_t line = text.find('\n', at), end = text.find("\n\n", at);
      EXPECT_EQ(text.substr(at, 7), "event: ");
      EXPECT_EQ(text.substr(line + 1, 6), "data: ");
      events.emplace_back(text.substr(at + 7, line - at - 7),
                          parse_json(text.substr(line + 7, end - line - 7), "data"));
      at = end + 2;
    }
    return events;
  }
};

TEST_F(EventStreamTest, TellsTheTraceThenTheAnswer) {
  const std::pair<const char*, Json> calls[] = {
      {"/v1/recommend", {{"user", "u3"}, {"k", 5}, {"time", 2000000}}},
      {"/v1/rerank", {{"user", "u3"}, {"candidates", {"i1", "i2", "i9"}}, {"time", 2000000}}}};
  for (auto [path, body] : calls) {
    const HttpReply told = reply(api_, "POST", path, body.dump(), kAccept);
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told.type, "text/event-stream");
    ASSERT_NE(told.stream, nullptr);
    const Events events = heard(*told.stream);
    ASSERT_GE(events.size(), 3U) << "the trace in pieces";
    std::string trace;
    for (size_t i = 0; i + 1 < events.size(); ++i) {
      EXPECT_EQ(events[i].first, "trace");
      trace += events[i].second["text"];
    }
    EXPECT_EQ(events.back().first, "slate");
    const Json& slate = events.back().second;
    EXPECT_EQ(slate["explanation"], trace);
    body["explain"] = true;
    EXPECT_EQ(call("POST", path, body.dump()).second["items"], slate["items"]);
  }
}

TEST_F(EventStreamTest, WithoutATraceThereIsTheAnswer) {
  const std::string body = R"({"user": "u3", "k": 5, "explain": false})";
  const HttpReply told = reply(api_, "POST", "/v1/recommend", body, kAccept);
  ASSERT_NE(told.stream, nullptr);
  const Events events = heard(*told.stream);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].first, "slate");
}

TEST_F(EventStreamTest, AWrongRequestGetsAProblemAsEver) {
  const HttpReply told = reply(api_, "POST", "/v1/recommend", R"({"k": 0})", kAccept);
  EXPECT_EQ(told.status, 400);
  EXPECT_EQ(told.stream, nullptr);
  EXPECT_EQ(parse_json(told.body, "reply")["field"], "k");
  const std::string many = R"({"requests": [{"k": 1}]})";
  EXPECT_EQ(reply(api_, "POST", "/v1/recommend", many, kAccept).status, 400);
}

TEST_F(EventStreamTest, TheApiWaitsForAnswersThatNobodyReads) {
  for (int i = 0; i < 20; ++i) {
    Api api(bundle_, rules_, *store_, {.threads = 2});
    const HttpReply told = reply(api, "POST", "/v1/recommend", R"({"user": "u3"})", kAccept);
    told.stream->close();
  }
}

TEST(ReplyStream, PartsComeInOrderAndEnd) {
  ReplyStream stream;
  int ended = 0, woken = 0;
  stream.when_ended([&] { ++ended; });
  EXPECT_TRUE(stream.send("a"));
  stream.on_parts([&] { ++woken; });
  EXPECT_EQ(woken, 1) << "there was something already";
  EXPECT_TRUE(stream.send("b"));
  EXPECT_EQ(stream.take().bytes, "ab");
  EXPECT_TRUE(stream.send(""));
  EXPECT_EQ(woken, 2);
  stream.close();
  EXPECT_FALSE(stream.send("c"));
  EXPECT_EQ(ended, 0);
  stream.end();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(stream.take().ended);
}

}  // namespace
}  // namespace podium::serve
