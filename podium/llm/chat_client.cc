#include "podium/llm/chat_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <queue>
#include <unordered_map>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/llm/http_posts.h"

namespace podium::llm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLongestWait = 60, kLongestRetryAfter = 3600;  // seconds
constexpr double kGlance = 0.05;                                // between two looks at Ctrl-C
constexpr size_t kShown = 300;                                  // bytes of an endpoint's words
constexpr const char* kResume = "answers are kept: run the same command to go on";

enum class Verdict { kAnswered, kAgain, kRefused, kHopeless };

Verdict verdict_of(const HttpReply& reply) {
  if (reply.status == 0) return reply.hopeless ? Verdict::kHopeless : Verdict::kAgain;
  if (reply.status == 200) return Verdict::kAnswered;
  if (reply.status == 408 || reply.status == 425 || reply.status == 429 || reply.status >= 500) {
    return Verdict::kAgain;
  }
  const bool refused = reply.status == 400 || reply.status == 413 || reply.status == 422;
  return refused ? Verdict::kRefused : Verdict::kHopeless;
}

Clock::time_point after(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::string url_of(std::string base) {
  while (base.ends_with('/')) base.pop_back();
  return base + "/chat/completions";
}

// A question on its way.
struct Pending {
  ChatRequest request;
  std::vector<size_t> wanted;  // by these
  int attempt = 0;
};

}  // namespace

struct ChatClient::Impl {
  Impl(EndpointOptions wanted, std::string secret, const fs::path& file)
      : options(std::move(wanted)),
        key(std::move(secret)),
        store(file),
        posts({url_of(options.base_url), key, options.timeout}) {}

  double cost_of(const TokenCount& tokens) const {
    return (double(tokens.input) * options.input_price +
            double(tokens.output) * options.output_price) /
           1e6;
  }
  TokenCount with_reserved(TokenCount tokens) const {
    return {tokens.input + reserved.input + store.tokens().input,
            tokens.output + reserved.output + store.tokens().output};
  }
  bool affords(const ChatRequest& request) const {
    const TokenCount all = with_reserved(most_tokens(request));
    return (options.max_tokens == 0 || all.sum() <= options.max_tokens) &&
           (options.max_cost == 0 || cost_of(all) <= options.max_cost);
  }
  void reserve(const ChatRequest& request, int64_t sign) {
    const TokenCount tokens = most_tokens(request);
    reserved.input += sign * tokens.input;
    reserved.output += sign * tokens.output;
  }
  std::string words_of(const HttpReply& reply) const;
  Error unusable(const std::string& what, const std::string& cure) const {
    return {ErrorKind::kUnavailable, what, cure, options.base_url};
  }

  const EndpointOptions options;
  const std::string key;
  AnswerStore store;
  HttpPosts posts;
  TokenCount reserved;  // by what is in flight
  int64_t requests = 0, retries = 0;
  Rng jitter{stable_hash("retries")};
};

// What the endpoint says, fit to be printed: short, without control bytes, without the key.
std::string ChatClient::Impl::words_of(const HttpReply& reply) const {
  if (reply.status == 0) return reply.error;
  std::string words = reply.body;
  for (size_t at = 0; !key.empty() && (at = words.find(key, at)) != std::string::npos;) {
    words.replace(at, key.size(), "***");
  }
  words.resize(std::min(words.size(), kShown));
  std::ranges::replace_if(
      words, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return fmt::format("{} {}", reply.status, words);
}

namespace {

// One call of ask().
class Round {
 public:
  Round(ChatClient::Impl& client, size_t n, const ChatClient::Make& make,
        const ChatClient::Done& done)
      : client_(client), n_(n), make_(make), done_(done) {}

  void run() {
    for (;;) {
      look_for_interrupt();
      while (!stop_ && start_next()) {
      }
      const bool idle = client_.posts.in_flight() == 0;
      if (idle && (stop_ || finished())) break;
      for (auto& [key, reply] : client_.posts.wait(kGlance)) settle(key, reply);
    }
    if (stop_) throw *stop_;
  }

 private:
  struct Retry {
    Clock::time_point due;
    std::string key;
    bool operator<(const Retry& other) const { return due > other.due; }  // the soonest on top
  };

  bool finished() const { return next_ == n_ && pending_.empty(); }
  void stop(Error error) {
    if (!stop_) stop_ = std::move(error);
  }
  void look_for_interrupt();
  bool start_next();
  bool prepare(size_t index);
  void send(const std::string& key);
  void settle(const std::string& key, const HttpReply& reply);
  void again(const std::string& key, const HttpReply& reply);
  void answer(const std::string& key, const ChatAnswer& answer);

  ChatClient::Impl& client_;
  const size_t n_;
  const ChatClient::Make& make_;
  const ChatClient::Done& done_;
  size_t next_ = 0;
  std::unordered_map<std::string, Pending> pending_;
  std::optional<std::string> fresh_;  // pending, never sent
  std::priority_queue<Retry> retries_;
  Clock::time_point quiet_until_{};  // an endpoint asked for it
  std::optional<Error> stop_;
};

void Round::look_for_interrupt() {
  if (!interrupted() || stop_) return;
  if (client_.posts.in_flight() > 0) {
    log_info(
        fmt::format("waiting for the {} answers that are in flight", client_.posts.in_flight()));
  }
  stop({ErrorKind::kInterrupted, "interrupted", kResume});
}

// Sends or finds one more; false when there is nothing to do until a reply comes or time passes.
bool Round::start_next() {
  if (client_.posts.in_flight() >= size_t(client_.options.concurrency)) return false;
  const auto now = Clock::now();
  if (now < quiet_until_) return false;
  if (!retries_.empty() && retries_.top().due <= now) {
    const std::string key = retries_.top().key;
    retries_.pop();
    send(key);
    return true;
  }
  if (!fresh_) return next_ < n_ && prepare(next_++);
  const ChatRequest& request = pending_.at(*fresh_).request;
  if (!client_.affords(request)) {
    if (client_.posts.in_flight() == 0 && retries_.empty()) {
      stop(client_.unusable(
          fmt::format("the budget is spent: {} tokens, {:.2f} in money",
                      client_.store.tokens().sum(), client_.cost_of(client_.store.tokens())),
          fmt::format("raise endpoint.max_tokens or endpoint.max_cost; {}", kResume)));
    }
    return false;
  }
  client_.reserve(request, 1);
  send(*fresh_);
  fresh_.reset();
  return true;
}

bool Round::prepare(size_t index) {
  ChatRequest request = make_(index);
  const std::string key = key_of(request);
  if (const ChatAnswer* const known = client_.store.find(key)) {
    done_(index, *known);
  } else if (const auto found = pending_.find(key); found != pending_.end()) {
    found->second.wanted.push_back(index);
  } else {
    pending_.emplace(key, Pending{std::move(request), {index}});
    fresh_ = key;
  }
  look_for_interrupt();
  return true;
}

void Round::send(const std::string& key) {
  const Pending& pending = pending_.at(key);
  ++client_.requests;
  client_.retries += pending.attempt > 0;
  client_.posts.start(key, body_of(pending.request));
}

void Round::settle(const std::string& key, const HttpReply& reply) {
  switch (verdict_of(reply)) {
    case Verdict::kAnswered: {
      const auto said = parse_completion(reply.body, pending_.at(key).request);
      return said ? answer(key, *said) : again(key, reply);
    }
    case Verdict::kAgain:
      return again(key, reply);
    case Verdict::kRefused:
      if (client_.store.size() > 0) return answer(key, {.text = {}, .refused = true, .tokens = {}});
      [[fallthrough]];
    case Verdict::kHopeless:
      stop(client_.unusable(
          fmt::format("the endpoint cannot be used: {}", client_.words_of(reply)),
          "check endpoint.base_url, teacher.model and the key (PODIUM_LLM_API_KEY)"));
  }
}

void Round::again(const std::string& key, const HttpReply& reply) {
  Pending& pending = pending_.at(key);
  if (pending.attempt >= client_.options.retries) {
    return stop(client_.unusable(
        fmt::format("no answer after {} tries: {}", pending.attempt + 1, client_.words_of(reply)),
        kResume));
  }
  const double wait = retry_wait(client_.options.first_wait, pending.attempt++, reply.retry_after,
                                 client_.jitter.uniform());
  retries_.push({after(wait), key});
  if (reply.status == 429 && reply.retry_after) {
    quiet_until_ = std::max(quiet_until_, after(wait));
  }
}

void Round::answer(const std::string& key, const ChatAnswer& said) {
  const auto found = pending_.find(key);
  client_.reserve(found->second.request, -1);
  client_.store.add(key, found->second.request, said);
  for (const size_t index : found->second.wanted) done_(index, said);
  pending_.erase(found);
}

}  // namespace

ChatClient::ChatClient(EndpointOptions options, std::string key, const fs::path& store)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(key), store)) {}
ChatClient::~ChatClient() = default;

void ChatClient::ask(size_t n, const Make& make, const Done& done) {
  impl_->reserved = {};
  Round(*impl_, n, make, done).run();
}

ChatUsage ChatClient::usage() const {
  return {impl_->requests, impl_->retries, int64_t(impl_->store.size()), impl_->store.tokens(),
          impl_->cost_of(impl_->store.tokens())};
}

std::string api_key() {
  for (const char* name : {"PODIUM_LLM_API_KEY", "OPENAI_API_KEY"}) {
    if (const char* const value = std::getenv(name); value != nullptr && *value != '\0') {
      return value;
    }
  }
  return "";
}

double retry_wait(double first_wait, int attempt, std::optional<double> retry_after, double drawn) {
  const double doubled = first_wait * std::exp2(std::min(attempt, 30));
  const double wait = std::min(kLongestWait, doubled) * (0.5 + drawn / 2);
  return std::max(wait, std::min(kLongestRetryAfter, retry_after.value_or(0)));
}

}  // namespace podium::llm
