#include "podium/llm/answer_store.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/scratch.h"

namespace podium::llm {
namespace {

ChatRequest asked(const std::string& text, const std::string& sample = "0.0") {
  return {.model = "m", .system = "s", .user = text, .sampling = Json::object(), .sample = sample};
}

void add(AnswerStore& store, const std::string& text, const ChatAnswer& answer) {
  store.add(key_of(asked(text)), asked(text), answer);
}

TEST(ChatKey, DependsOnEveryPartOfTheRequest) {
  const ChatRequest base = asked("q");
  std::vector<ChatRequest> others(5, base);
  others[0].model = "n";
  others[1].system = "t";
  others[2].user = "r";
  others[3].sampling["temperature"] = 0.5;
  others[4].sample = "0.1";
  for (const ChatRequest& other : others) EXPECT_NE(key_of(other), key_of(base));
  EXPECT_EQ(key_of(asked("q")), key_of(base));
  EXPECT_NE(parse_json(body_of(others[4]), "")["seed"], parse_json(body_of(base), "")["seed"]);
}

TEST(Completion, IsReadOrRefused) {
  const ChatRequest request = asked("12345678");
  const auto whole = parse_completion(
      R"({"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":7,"completion_tokens":3}})",
      request);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->text, "hi");
  EXPECT_EQ(whole->tokens.input, 7);
  EXPECT_EQ(whole->tokens.output, 3);
  const auto uncounted = parse_completion(R"({"choices":[{"message":{"content":null}}]})", request);
  ASSERT_TRUE(uncounted.has_value());
  EXPECT_EQ(uncounted->text, "");
  EXPECT_EQ(uncounted->tokens.input, 3);
  for (const char* bad : {"", "[]", "{}", R"({"choices":[]})", R"({"choices":[{"message":{}}]})",
                          R"({"choices":[{"message":{"content":5}}]})", "<html>", "\xff"}) {
    EXPECT_FALSE(parse_completion(bad, request).has_value()) << bad;
  }
}

TEST(AnswerStore, GivesBackWhatWasAnswered) {
  const fs::path file = scratch("store") / "answers.jsonl";
  {
    AnswerStore store(file);
    add(store, "a", {"line\nbreak \"q\"", false, {10, 2}});
    add(store, "b", {"", true, {0, 0}});
  }
  const AnswerStore store(file);
  EXPECT_EQ(store.size(), 2u);
  EXPECT_EQ(store.tokens().sum(), 12);
  ASSERT_NE(store.find(key_of(asked("a"))), nullptr);
  EXPECT_EQ(store.find(key_of(asked("a")))->text, "line\nbreak \"q\"");
  EXPECT_TRUE(store.find(key_of(asked("b")))->refused);
  EXPECT_EQ(store.find(key_of(asked("c"))), nullptr);
}

// Wherever a kill tears the last line, what stood before it is kept and the store goes on.
TEST(AnswerStore, DropsATornLastLine) {
  const fs::path file = scratch("torn") / "answers.jsonl";
  {
    AnswerStore store(file);
    add(store, "a", {"first", false, {1, 1}});
    add(store, "b", {"second", false, {1, 1}});
  }
  const std::string whole = read_file(file);
  const size_t first = whole.find('\n') + 1;
  for (size_t end = first; end < whole.size(); ++end) {
    write_file_atomic(file, whole.substr(0, end));
    AnswerStore store(file);
    EXPECT_EQ(store.size(), 1u) << end;
    add(store, "b", {"second", false, {1, 1}});
    EXPECT_EQ(read_file(file), whole) << end;
  }
}

TEST(AnswerStore, TellsTheLineThatIsNoAnswer) {
  const fs::path file = scratch("damaged") / "answers.jsonl";
  for (const char* bad : {"{}\n", "nonsense\n", "{\"key\": 5}\n"}) {
    write_file_atomic(file, bad);
    try {
      const AnswerStore store(file);
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_NE(error.where().find("answers.jsonl:1"), std::string::npos) << error.where();
    }
  }
}

}  // namespace
}  // namespace podium::llm
