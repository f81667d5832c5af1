// Asks many questions of a chat endpoint and gets an answer to each, whatever fails on the way:
//
//   429, 5xx, time-outs, cut connections, bodies that are no completion
//       sent again after a wait that doubles each time, with jitter, not before what Retry-After
//       asks; after 429 with Retry-After nothing new is sent until then
//   400, 413, 422    the question is refused: an answer too, once any other was answered
//   all else         an Error with what the endpoint says
//
// An answer is written to the store before it is handed on, and no question is asked twice that the
// store or a request in flight answers. Budgets hold for all answers of the store: a request is
// sent only when it and those in flight fit, by a rough count of their tokens.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "podium/llm/answer_store.h"
#include "podium/llm/chat.h"
#include "podium/llm/endpoint_options.h"

namespace podium::llm {

struct ChatUsage {
  int64_t requests = 0;  // sent by this client, retries among them
  int64_t retries = 0;
  int64_t answers = 0;  // in the store, of all runs; and what they cost
  TokenCount tokens;
  double cost = 0;
};

// For one thread.
class ChatClient {
 public:
  struct Impl;

  // key: the endpoint's API key; empty: none. It goes into the request's header and nowhere else.
  ChatClient(EndpointOptions options, std::string key, const fs::path& store);
  ~ChatClient();

  using Make = std::function<ChatRequest(size_t index)>;
  using Done = std::function<void(size_t index, const ChatAnswer&)>;
  // Calls done(i, answer) once for every i below n, in the order in which answers come; make(i)
  // shortly before question i is sent. Throws Error when the endpoint cannot be used, a budget is
  // spent (kUnavailable) or the process is interrupted: what is in flight is waited for, and kept.
  void ask(size_t n, const Make& make, const Done& done);

  ChatUsage usage() const;

 private:
  std::unique_ptr<Impl> impl_;
};

// Of the environment: PODIUM_LLM_API_KEY, else OPENAI_API_KEY, else empty.
std::string api_key();

// Seconds before the attempt-th retry (from 0): first_wait doubled each time up to a minute, of
// which a part drawn in [1/2, 1); at least retry_after, of which an hour is waited at most.
double retry_wait(double first_wait, int attempt, std::optional<double> retry_after, double drawn);

}  // namespace podium::llm
