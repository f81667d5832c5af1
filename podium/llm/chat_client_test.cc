#include "podium/llm/chat_client.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/base/scratch.h"
#include "podium/llm/test_chat_server.h"

namespace podium::llm {
namespace {

constexpr const char* kKey = "sk-secret-123";

ChatRequest question(size_t i) {
  return {.model = "m",
          .system = "s",
          .user = "question " + std::to_string(i),
          .sampling = {{"max_tokens", 20}},
          .sample = "0.0"};
}

EndpointOptions options_for(const TestChatServer& server) {
  return {.base_url = server.url(), .concurrency = 4, .retries = 3, .first_wait = 0.01};
}

using Answers = std::map<size_t, std::string>;

Answers ask(ChatClient& client, size_t n) {
  Answers answers;
  client.ask(n, question, [&](size_t i, const ChatAnswer& answer) {
    EXPECT_FALSE(answers.contains(i));
    answers[i] = answer.refused ? "refused" : answer.text;
  });
  return answers;
}

Error error_of(ChatClient& client, size_t n) {
  try {
    ask(client, n);
  } catch (const Error& error) {
    return error;
  }
  return Error("");
}

std::string text_of(const Json& request) { return request["messages"][1]["content"]; }

// Says to each question what it was.
TestReply echo(const Json& request) { return says("re: " + text_of(request)); }

TEST(ChatClient, AnswersEveryQuestionWithSoManyAtOnce) {
  TestChatServer server([](const Json& request, int) {
    TestReply reply = echo(request);
    reply.delay = 0.02;
    return reply;
  });
  ChatClient client(options_for(server), kKey, scratch("all") / "a.jsonl");
  const Answers answers = ask(client, 20);
  ASSERT_EQ(answers.size(), 20u);
  EXPECT_EQ(answers.at(17), "re: question 17");
  EXPECT_GT(server.most_at_once(), 1);
  EXPECT_LE(server.most_at_once(), 4);
  EXPECT_NE(server.last_head().find("POST /v1/chat/completions "), std::string::npos);
  EXPECT_NE(server.last_head().find("Authorization: Bearer sk-secret-123"), std::string::npos);
  EXPECT_EQ(client.usage().requests, 20);
  EXPECT_EQ(client.usage().tokens.sum(), 20 * 120);
}

// Every fault that passes, each on its own question.
TEST(ChatClient, AsksAgainAfterWhatPasses) {
  std::set<std::string> failed;
  TestChatServer server([&](const Json& request, int) {
    const std::string text = text_of(request);
    TestReply whole = echo(request);
    if (!failed.insert(text).second) return whole;
    switch (text.back()) {
      case '0':
        return TestReply{.status = 429, .body = "slow down"};
      case '1':
        return TestReply{.status = 500, .body = "oops"};
      case '2':
        whole.delay = 30;  // past the time-out
        return whole;
      case '3':
        whole.cut = true;
        return whole;
      case '4':
        return TestReply{.body = "{\"choices\": ["};
      case '5':
        return TestReply{.status = 503, .body = ""};
      default:
        return whole;
    }
  });
  EndpointOptions options = options_for(server);
  options.timeout = 3;
  ChatClient client(options, "", scratch("faults") / "a.jsonl");
  const Answers answers = ask(client, 8);
  ASSERT_EQ(answers.size(), 8u);
  for (const auto& [i, text] : answers) EXPECT_EQ(text, "re: question " + std::to_string(i));
  EXPECT_EQ(client.usage().retries, 6);
  EXPECT_EQ(client.usage().requests, 14);
  EXPECT_EQ(server.last_head().find("Authorization"), std::string::npos);
}

TEST(ChatClient, WaitsAsLongAsTheEndpointAsks) {
  TestChatServer server([](const Json& request, int number) {
    if (number > 0) return echo(request);
    return TestReply{.status = 429, .body = "", .headers = "Retry-After: 1\r\n"};
  });
  EndpointOptions options = options_for(server);
  options.concurrency = 1;
  ChatClient client(options, "", scratch("after") / "a.jsonl");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(client, 3).size(), 3u);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(ChatClient, WaitsDoubleUpToAMinute) {
  EXPECT_DOUBLE_EQ(retry_wait(1, 0, std::nullopt, 0), 0.5);
  EXPECT_DOUBLE_EQ(retry_wait(1, 3, std::nullopt, 0.5), 6);
  EXPECT_DOUBLE_EQ(retry_wait(1, 50, std::nullopt, 0), 30);
  EXPECT_DOUBLE_EQ(retry_wait(1, 0, 20, 0), 20);
  EXPECT_DOUBLE_EQ(retry_wait(1, 0, 1e9, 0), 3600);
}

TEST(ChatClient, GivesUpAfterItsRetriesAndKeepsTheRest) {
  TestChatServer server([](const Json& request, int) {
    if (text_of(request) == "question 2") return TestReply{.status = 500, .body = "broken"};
    return echo(request);
  });
  ChatClient client(options_for(server), "", scratch("gives-up") / "a.jsonl");
  const Error error = error_of(client, 4);
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(error.message().find("no answer after 4 tries: 500 broken"), std::string::npos)
      << error.message();
  EXPECT_GE(client.usage().answers, 2);
}

TEST(ChatClient, AWrongKeyIsToldWithoutTheKey) {
  TestChatServer server([](const Json&, int) {
    return TestReply{.status = 401, .body = "bad key sk-secret-123\n\x1b[31m"};
  });
  ChatClient client(options_for(server), kKey, scratch("key") / "a.jsonl");
  const Error error = error_of(client, 5);
  EXPECT_NE(error.message().find("401 bad key ***"), std::string::npos) << error.message();
  EXPECT_EQ(error.message().find('\x1b'), std::string::npos);
  EXPECT_LE(server.requests(), 4) << "what was in flight, and no more";
}

// The first question tells a wrong request; a later one that only it is refused.
TEST(ChatClient, ARefusedQuestionIsAnAnswerOnceAnyWasAnswered) {
  TestChatServer server([](const Json& request, int) {
    if (text_of(request) == "question 1") return TestReply{.status = 400, .body = "filtered"};
    return echo(request);
  });
  EndpointOptions options = options_for(server);
  options.concurrency = 1;
  ChatClient client(options, "", scratch("refused") / "a.jsonl");
  EXPECT_EQ(ask(client, 3).at(1), "refused");
  ChatClient fresh(options, "", scratch("refused-first") / "a.jsonl");
  fresh.ask(
      1, [](size_t) { return question(0); }, [](size_t, const ChatAnswer&) {});
  EXPECT_EQ(ask(fresh, 2).at(1), "refused");
  ChatClient wrong(options, "", scratch("refused-only") / "a.jsonl");
  try {
    wrong.ask(
        1, [](size_t) { return question(1); }, [](size_t, const ChatAnswer&) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("filtered"), std::string::npos);
  }
}

TEST(ChatClient, NothingIsAskedTwice) {
  TestChatServer server([](const Json& request, int) { return echo(request); });
  const fs::path file = scratch("twice") / "a.jsonl";
  {
    ChatClient client(options_for(server), "", file);
    ask(client, 5);
    Answers same;  // one question, wanted three times
    client.ask(
        3, [](size_t) { return question(9); },
        [&](size_t i, const ChatAnswer& answer) { same[i] = answer.text; });
    EXPECT_EQ(same.size(), 3u);
    EXPECT_EQ(server.requests(), 6);
  }
  ChatClient client(options_for(server), "", file);
  EXPECT_EQ(ask(client, 8).at(7), "re: question 7");
  EXPECT_EQ(server.requests(), 6 + 3);
}

TEST(ChatClient, ABudgetIsKeptAndRaisingItGoesOn) {
  TestChatServer server([](const Json& request, int) { return says(text_of(request), 5, 20); });
  const fs::path file = scratch("budget") / "a.jsonl";
  EndpointOptions options = options_for(server);
  options.max_tokens = 130;  // five answers of 25
  {
    ChatClient client(options, "", file);
    const Error error = error_of(client, 20);
    EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
    EXPECT_NE(error.message().find("the budget is spent"), std::string::npos) << error.message();
    EXPECT_NE(error.cure().find("endpoint.max_tokens"), std::string::npos);
    EXPECT_LE(client.usage().tokens.sum(), 130);
    EXPECT_EQ(client.usage().answers, 5);
  }
  {  // a run that has spent it asks nothing
    ChatClient client(options, "", file);
    EXPECT_NE(error_of(client, 20).message(), "");
    EXPECT_EQ(server.requests(), 5);
  }
  options.max_tokens = 0;
  options.output_price = 1e6;  // one a token
  options.max_cost = 205;      // ten answers
  ChatClient client(options, "", file);
  EXPECT_NE(error_of(client, 20).message(), "");
  EXPECT_EQ(server.requests(), 10);
  EXPECT_DOUBLE_EQ(client.usage().cost, 200);
}

// A child asks and is killed in the middle; its parent goes on with what the child has paid for.
TEST(ChatClient, AKilledProcessLosesNoAnswer) {
  const fs::path file = scratch("killed") / "a.jsonl";
  std::set<std::string> answered;
  bool twice = false;
  TestChatServer server([&](const Json& request, int number) {
    TestReply reply = echo(request);
    if (number >= 10 && number < 14) {
      reply.delay = 30;  // those in flight when the child dies
    } else {
      twice = !answered.insert(text_of(request)).second || twice;
    }
    return reply;
  });
  const EndpointOptions options = options_for(server);
  const pid_t child = ::fork();
  if (child == 0) {
    ChatClient client(options, "", file);
    ask(client, 30);
    ::_exit(0);
  }
  const auto lines = [&] {
    const std::string text = fs::exists(file) ? read_file(file) : "";
    return std::count(text.begin(), text.end(), '\n');
  };
  for (int i = 0; i < 1000 && lines() < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_EQ(lines(), 10);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  ChatClient client(options, "", file);
  EXPECT_EQ(ask(client, 30).size(), 30u);
  EXPECT_FALSE(twice);
  EXPECT_EQ(client.usage().requests, 20);
}

// A child hears Ctrl-C while answers are in flight: it waits for them, keeps them and stops.
TEST(ChatClient, AnInterruptKeepsWhatIsInFlight) {
  const fs::path file = scratch("interrupted") / "a.jsonl";
  std::atomic<int> came{0};
  TestChatServer server([&](const Json& request, int) {
    ++came;
    TestReply reply = echo(request);
    reply.delay = 0.5;
    return reply;
  });
  const EndpointOptions options = options_for(server);
  const pid_t child = ::fork();
  if (child == 0) {
    set_quiet(true);
    install_interrupt_handler();
    ChatClient client(options, "", file);
    ::_exit(error_of(client, 30).kind() == ErrorKind::kInterrupted ? 0 : 1);
  }
  for (int i = 0; i < 1000 && came < 4; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(child, SIGINT);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(AnswerStore(file).size(), 4u);
  EXPECT_EQ(server.requests(), 4);
}

}  // namespace
}  // namespace podium::llm
