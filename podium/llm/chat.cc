#include "podium/llm/chat.h"

#include "podium/base/error.h"
#include "podium/base/files.h"
#include "podium/base/rng.h"

namespace podium::llm {
namespace {

constexpr int64_t kBytesAToken = 4;
constexpr int64_t kUnlimitedAnswer = 4096;  // tokens, where a request sets no limit

Json messages_of(const ChatRequest& request) {
  return Json::array({{{"role", "system"}, {"content", request.system}},
                      {{"role", "user"}, {"content", request.user}}});
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int64_t count_of(const Json& usage, const char* name, size_t bytes) {
  const auto found = usage.find(name);
  if (found != usage.end() && found->is_number_unsigned()) return found->get<int64_t>();
  return int64_t(bytes) / kBytesAToken + 1;
}

}  // namespace

std::string key_of(const ChatRequest& request) {
  return sha256(dumped({{"model", request.model},
                        {"messages", messages_of(request)},
                        {"sampling", request.sampling},
                        {"sample", request.sample}}));
}

std::string body_of(const ChatRequest& request) {
  Json body = {{"model", request.model}, {"messages", messages_of(request)}};
  body.update(request.sampling);
  body["seed"] = stable_hash(key_of(request)) & 0x7fffffff;
  return dumped(body);
}

TokenCount most_tokens(const ChatRequest& request) {
  return {int64_t(request.system.size() + request.user.size()) / kBytesAToken + 1,
          request.sampling.value("max_tokens", kUnlimitedAnswer)};
}

std::optional<ChatAnswer> parse_completion(std::string_view body, const ChatRequest& request) {
  try {
    const Json json = parse_json(body, "the endpoint's answer");
    ChatAnswer answer;
    const Json& content = json.at("choices").at(0).at("message").at("content");
    if (!content.is_null()) content.get_to(answer.text);
    const Json usage = json.value("usage", Json::object());
    answer.tokens = {count_of(usage, "prompt_tokens", request.system.size() + request.user.size()),
                     count_of(usage, "completion_tokens", answer.text.size())};
    return answer;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace podium::llm
