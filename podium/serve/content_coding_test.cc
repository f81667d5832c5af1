#include "podium/serve/content_coding.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "podium/base/rng.h"
#include "podium/serve/http_server.h"
#include "podium/serve/test_line.h"

namespace podium::serve {
namespace {

std::string some_json(size_t items) {
  std::string json = "[";
  for (size_t i = 0; i < items; ++i) {
    json += R"({"id":"B0000)" + std::to_string(i * 7919) + R"(","title":"Lip Balm"},)";
  }
  json.back() = ']';
  return json;
}

std::string coding_of(const HttpReply& reply) {
  for (const auto& [name, value] : reply.headers) {
    if (name == "Content-Encoding") return value;
  }
  return "";
}

bool varies(const HttpReply& reply) {
  for (const auto& [name, value] : reply.headers) {
    if (name == "Vary") return value == "Accept-Encoding";
  }
  return false;
}

// The status of unpacking a body, 200 where it did; the body becomes what it held.
int unpacked(std::string& body, const std::string& coding, uint64_t most = 8 << 20) {
  HttpRequest request{"POST", "/", {{"content-encoding", coding}}, body};
  const auto refused = decode(request, most);
  body = std::move(request.body);
  return refused ? refused->status : 200;
}

TEST(ContentCoding, AllowedIsWhatTheCallerWeighs) {
  const auto allowed = [](const std::string& accept) {
    return allows_gzip({"GET", "/", {{"accept-encoding", accept}}, ""});
  };
  EXPECT_TRUE(allowed("gzip"));
  EXPECT_TRUE(allowed("deflate, GZIP;q=0.3 , br"));
  EXPECT_TRUE(allowed("x-gzip"));
  EXPECT_TRUE(allowed("*"));
  EXPECT_TRUE(allowed("br;q=1, *;Q=0.1"));
  EXPECT_TRUE(allowed("identity;q=0.5, gzip;q=0.5"));
  EXPECT_TRUE(allowed("identity;q=0, gzip;q=0.001"));
  EXPECT_FALSE(allowed(""));
  EXPECT_FALSE(allowed("br, zstd"));
  EXPECT_FALSE(allowed("gzip;q=0"));
  EXPECT_FALSE(allowed("gzip; q=0.000"));
  EXPECT_FALSE(allowed("gzip;q=0, *;q=1"));
  EXPECT_FALSE(allowed("*;q=0"));
  EXPECT_FALSE(allowed("identity, gzip;q=0.5")) << "as it is is wished for more";
  EXPECT_FALSE(allowed("gzip;q=much")) << "no weight";
  EXPECT_FALSE(allowed("gzip;q=-1"));
  EXPECT_FALSE(allowed("gzipped"));
  EXPECT_FALSE(allows_gzip({"GET", "/", {}, ""}));
  EXPECT_TRUE(
      allows_gzip({"GET", "/", {{"Accept-Encoding", "br"}, {"Accept-Encoding", "gzip"}}, ""}));
}

TEST(ContentCoding, LongTextIsCompressed) {
  const std::string json = some_json(100);
  HttpReply reply{.body = json};
  encode(reply, true);
  EXPECT_EQ(coding_of(reply), "gzip");
  EXPECT_TRUE(varies(reply));
  EXPECT_LT(reply.body.size(), json.size() / 3);
  ASSERT_EQ(unpacked(reply.body, "gzip"), 200);
  EXPECT_EQ(reply.body, json);

  HttpReply plain{.body = json};
  encode(plain, false);
  EXPECT_EQ(plain.body, json);
  EXPECT_TRUE(varies(plain)) << "a cache must not give it to everybody";
}

TEST(ContentCoding, WhatWinsNothingIsLeft) {
  Rng rng(1);
  std::string noise(5000, ' ');
  for (char& byte : noise) byte = char(rng.below(256));
  for (HttpReply reply :
       {HttpReply{.body = some_json(5)}, HttpReply{.body = some_json(100), .type = "image/png"},
        HttpReply{.body = noise, .type = "text/plain; charset=utf-8"}}) {
    const std::string before = reply.body;
    encode(reply, true);
    EXPECT_EQ(coding_of(reply), "");
    EXPECT_EQ(reply.body, before);
  }
}

TEST(ContentCoding, WhatIsStoredCompressedIsUnpackedForWhoCannotReadIt) {
  const std::string script = some_json(100);
  const HttpReply stored{.body = gzip(script),
                         .type = "text/javascript",
                         .headers = {{"Cache-Control", "no-cache"}, {"Content-Encoding", "gzip"}}};
  HttpReply packed = stored, plain = stored;
  encode(packed, true);
  EXPECT_EQ(packed.body, stored.body);
  EXPECT_EQ(coding_of(packed), "gzip");
  EXPECT_TRUE(varies(packed));
  encode(plain, false);
  EXPECT_EQ(plain.body, script);
  EXPECT_EQ(coding_of(plain), "");
  EXPECT_TRUE(varies(plain));
}

TEST(ContentCoding, RequestsAreUnpacked) {
  const std::string json = some_json(100);
  for (const std::string coding : {"gzip", "x-gzip", "GZip"}) {
    std::string body = gzip(json);
    EXPECT_EQ(unpacked(body, coding), 200);
    EXPECT_EQ(body, json);
  }
  std::string members = gzip("one, ") + gzip("") + gzip("two");
  EXPECT_EQ(unpacked(members, "gzip"), 200);
  EXPECT_EQ(members, "one, two");
  std::string same = json;
  EXPECT_EQ(unpacked(same, "identity"), 200);
  EXPECT_EQ(same, json);
  std::string nothing;
  EXPECT_EQ(unpacked(nothing, "gzip"), 200);
}

TEST(ContentCoding, OtherCodingsAreRefusedWithTheCure) {
  for (const std::string coding : {"br", "deflate", "zstd", "gzip, gzip", "identity, gzip", "x"}) {
    HttpRequest request{"POST", "/", {{"Content-Encoding", coding}}, "x"};
    const auto refused = decode(request, 100);
    ASSERT_TRUE(refused) << coding;
    EXPECT_EQ(refused->status, 415);
    EXPECT_NE(std::ranges::find(refused->headers,
                                std::pair<std::string, std::string>("Accept-Encoding", "gzip")),
              refused->headers.end());
  }
}

TEST(ContentCoding, TheLimitIsOfWhatIsUnpacked) {
  std::string fits = gzip(std::string(100000, 'x')), more = gzip(std::string(100001, 'x'));
  EXPECT_EQ(unpacked(fits, "gzip", 100000), 200);
  EXPECT_EQ(fits.size(), 100000u);
  EXPECT_EQ(unpacked(more, "gzip", 100000), 413);
  std::string bomb;  // 1 MB of it is 1 GB
  const std::string member = gzip(std::string(64 << 20, '\0'));
  for (int i = 0; i < 16; ++i) bomb += member;
  const size_t size = bomb.size();
  EXPECT_EQ(unpacked(bomb, "gzip"), 413);
  EXPECT_EQ(bomb.size(), size) << "it stays packed";
}

TEST(ContentCoding, BrokenBodiesAreRefused) {
  const std::string json = some_json(50), whole = gzip(json);
  for (size_t length = 1; length < whole.size(); ++length) {
    std::string part = whole.substr(0, length);
    EXPECT_EQ(unpacked(part, "gzip"), 400) << length;
  }
  std::string tail = whole + "x", text = json;
  EXPECT_EQ(unpacked(tail, "gzip"), 400) << "something comes after it";
  EXPECT_EQ(unpacked(text, "gzip"), 400) << "it is none";
  Rng rng(1);
  size_t refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = whole;
    for (uint64_t flips = 1 + rng.below(3); flips > 0; --flips) {
      damaged[size_t(rng.below(damaged.size()))] ^= char(1 << rng.below(8));
    }
    const int status = unpacked(damaged, "gzip");
    EXPECT_TRUE(status == 400 || (status == 200 && damaged == json)) << "round " << round;
    refused += status == 400;
  }
  EXPECT_GT(refused, 1900u) << "but for the frame's time and name, all of it counts";
}

TEST(ContentCoding, OverTheWire) {
  const std::string json = some_json(100);
  const HttpServer server({},
                          [&](const HttpRequest&, const Reply& reply) { reply({.body = json}); });
  Line line(server.port());
  const auto ask = [&](const std::string& method, const std::string& accept) {
    line.say(method + " / HTTP/1.1\r\nHost: x\r\n" + accept + "\r\n");
  };
  ask("GET", "Accept-Encoding: gzip\r\n");
  auto [status, body] = line.hear();
  const std::string head = line.head();
  EXPECT_EQ(status, 200);
  EXPECT_NE(head.find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_NE(head.find("Vary: Accept-Encoding\r\n"), std::string::npos);
  ASSERT_EQ(unpacked(body, "gzip"), 200);
  EXPECT_EQ(body, json);
  ask("HEAD", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(line.hear_head(), 200);
  EXPECT_EQ(line.head(), head) << "as of the GET";
  ask("GET", "");
  EXPECT_EQ(line.hear().second, json);
  EXPECT_EQ(line.head().find("Content-Encoding"), std::string::npos);
}

}  // namespace
}  // namespace podium::serve
