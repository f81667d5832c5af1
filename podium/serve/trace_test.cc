#include "podium/serve/trace.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "podium/base/error.h"
#include "podium/serve/test_api.h"

namespace podium::serve {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* kSpan = "b7ad6b7169203331";

std::string header(const std::string& flags) {
  return fmt::format("00-{}-{}-{}", kTrace, kSpan, flags);
}

TEST(TraceParent, IsReadAsW3cHasIt) {
  const auto parent = trace_parent(header("01"));
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace, kTrace);
  EXPECT_EQ(parent->span, kSpan);
  EXPECT_TRUE(parent->sampled);
  EXPECT_FALSE(trace_parent(header("00"))->sampled);
  EXPECT_TRUE(trace_parent(header("03"))->sampled) << "other flags are to come";
  std::string later = header("01") + "-more";
  EXPECT_FALSE(trace_parent(later)) << "not of version 00";
  later[1] = '1';
  EXPECT_TRUE(trace_parent(later));
  later[55] = '.';
  EXPECT_FALSE(trace_parent(later));
  const std::string none(32, '0');
  for (const std::string& bad :
       {std::string(), header("0g"), header("01").substr(1), "ff" + header("01").substr(2),
        fmt::format("00-{}-{}-01", none, kSpan),
        fmt::format("00-{}-{}-01", kTrace, none.substr(16)),
        fmt::format("00-{}-{}-01", std::string(32, 'A'), kSpan), std::string(55, '-')}) {
    EXPECT_FALSE(trace_parent(bad)) << bad;
  }
}

TEST(Tracer, DropsAndCountsWhatItCannotKeepOrSend) {
  const auto spans = [](size_t count) { return std::vector<Span>(count); };
  std::promise<void> asked, go;
  std::atomic<int> sends{0};
  {
    Tracer tracer(
        [&](const std::string&) {
          if (sends++ > 0) return true;
          asked.set_value();
          go.get_future().wait();
          return false;  // the first does not arrive
        },
        {.queue = 10, .batch = 4, .every = 1h});
    tracer.end(spans(4));
    asked.get_future().wait();
    tracer.end(spans(10));
    tracer.end(spans(1));
    EXPECT_EQ(tracer.dropped(), 1u) << "the queue is full";
    go.set_value();
    while (tracer.sent() < 8) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(tracer.dropped(), 5u);
  }
  EXPECT_EQ(sends, 4) << "the rest was sent at the end";
}

TEST(Tracer, SpeaksToACollector) {
  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(at);
  ASSERT_EQ(::bind(listening, reinterpret_cast<const sockaddr*>(&at), length), 0);
  ASSERT_EQ(::listen(listening, 4), 0);
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&at), &length);
  std::string heard;
  std::thread collector([&] {
    for (const char* status : {"200 OK", "503 Unavailable"}) {
      const int socket = ::accept(listening, nullptr, nullptr);
      std::string request;
      char buffer[4096];
      while (!request.ends_with("{\"spans\": 1}")) {
        const ssize_t got = ::recv(socket, buffer, sizeof(buffer), 0);
        if (got <= 0) break;
        request.append(buffer, size_t(got));
      }
      const std::string reply = fmt::format("HTTP/1.1 {}\r\nContent-Length: 2\r\n\r\n{{}}", status);
      (void)!::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL);
      ::close(socket);
      heard = request;
    }
  });
  const std::string url = fmt::format("http://127.0.0.1:{}", ntohs(at.sin_port));
  EXPECT_TRUE(otlp_over_http(url)("{\"spans\": 1}"));
  EXPECT_FALSE(otlp_over_http(url + "/")("{\"spans\": 1}"));
  collector.join();
  ::close(listening);
  EXPECT_TRUE(heard.starts_with("POST /v1/traces HTTP/1.1\r\n")) << heard;
  EXPECT_NE(heard.find("Content-Type: application/json\r\n"), std::string::npos) << heard;
  EXPECT_FALSE(otlp_over_http(url)("{}")) << "nobody listens";
  for (const char* bad : {"https://127.0.0.1:4318", "127.0.0.1:4318", "http://", "http://a:b"}) {
    EXPECT_THROW(otlp_over_http(bad), Error) << bad;
  }
}

class TraceTest : public ApiTest {
 protected:
  Json attribute(const Json& span, const std::string& key) {
    for (const Json& attribute : span["attributes"]) {
      if (attribute["key"] == key) return attribute["value"];
    }
    return {};
  }
  std::vector<Json> sent_;
};

TEST_F(TraceTest, ARequestHasASpanAndItsStagesBelowIt) {
  {
    Tracer tracer(
        [&](const std::string& body) {
          const Json json = parse_json(body, "body");
          const Json& of = json["resourceSpans"][0];
          EXPECT_EQ(of["resource"]["attributes"][1]["value"]["stringValue"], "test");
          for (const Json& span : of["scopeSpans"][0]["spans"]) sent_.push_back(span);
          return true;
        },
        {.version = "test", .every = 1h});
    Api api(bundle_, rules_, *store_, {.threads = 1, .version = "test", .tracer = &tracer});
    const Headers goes_on = {{"traceparent", header("01")}, {"X-Request-ID", "asked"}};
    EXPECT_EQ(reply(api, "POST", "/v1/recommend", R"({"user": "u3"})", goes_on).status, 200);
    const Headers not_sampled = {{"traceparent", header("00")}};
    EXPECT_EQ(reply(api, "POST", "/v1/recommend", R"({"user": "u3"})", not_sampled).status, 200);
    EXPECT_EQ(reply(api, "GET", "/healthz").status, 200);
    EXPECT_EQ(reply(api, "POST", "/v1/rerank", "{}").status, 400);
    EXPECT_NE(reply(api, "GET", "/metrics").body.find("podium_spans_total"), std::string::npos);
  }
  ASSERT_EQ(sent_.size(), 5u) << "two requests, and three stages of one";
  const Json& request = sent_[0];
  EXPECT_EQ(request["traceId"], kTrace);
  EXPECT_EQ(request["parentSpanId"], kSpan);
  EXPECT_EQ(request["name"], "POST /v1/recommend");
  EXPECT_EQ(request["kind"], 2);
  EXPECT_EQ(attribute(request, "http.route")["stringValue"], "/v1/recommend");
  EXPECT_EQ(attribute(request, "http.response.status_code")["intValue"], "200");
  EXPECT_EQ(attribute(request, "podium.request_id")["stringValue"], "asked");
  EXPECT_EQ(Json(sent_).dump().find("u3"), std::string::npos) << "nobody is named";
  const auto ns = [](const Json& span, const char* name) {
    return std::stoll(span[name].get<std::string>());
  };
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(sent_[i]["name"], (std::vector{"policy", "ranking", "retrieval"})[i - 1]);
    EXPECT_EQ(sent_[i]["traceId"], kTrace);
    EXPECT_EQ(sent_[i]["parentSpanId"], request["spanId"]);
    EXPECT_GE(ns(sent_[i], "startTimeUnixNano"), ns(request, "startTimeUnixNano"));
    EXPECT_LE(ns(sent_[i], "endTimeUnixNano"), ns(request, "endTimeUnixNano"));
  }
  EXPECT_EQ(sent_[4]["name"], "POST /v1/rerank");
  EXPECT_FALSE(sent_[4].contains("parentSpanId"));
  EXPECT_NE(sent_[4]["traceId"], kTrace);
}

}  // namespace
}  // namespace podium::serve
