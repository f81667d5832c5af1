// One question to a chat endpoint and its answer, as the OpenAI interface spells them
// (POST /chat/completions).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "podium/base/json.h"

namespace podium::llm {

struct ChatRequest {
  std::string model, system, user;
  Json sampling = Json::object();  // "temperature", "max_tokens"...: sent as they are
  std::string sample;              // tells samples of one question apart, e.g. "3.0"
};

// sha256 of all of the request: equal keys, equal questions.
std::string key_of(const ChatRequest& request);
// The JSON that is sent. Its seed follows from the key, so that samples of one question differ.
std::string body_of(const ChatRequest& request);
// Tokens that the answer may cost at most, roughly: what the endpoint counts is known afterwards.
struct TokenCount {
  int64_t input = 0, output = 0;
  int64_t sum() const { return input + output; }
};
TokenCount most_tokens(const ChatRequest& request);

struct ChatAnswer {
  std::string text;      // empty when the model said nothing
  bool refused = false;  // the endpoint would not answer this question
  TokenCount tokens;     // as the endpoint counted
};

// Null when the body is no completion: cut, or of another kind. Tokens that the endpoint does not
// count are taken to be four bytes each of what was said.
std::optional<ChatAnswer> parse_completion(std::string_view body, const ChatRequest& request);

}  // namespace podium::llm
