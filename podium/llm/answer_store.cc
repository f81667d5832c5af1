#include "podium/llm/answer_store.h"

#include <fmt/format.h>

#include "podium/base/error.h"

namespace podium::llm {
namespace {

// The whole lines of the file; cuts off what follows the last of them.
std::string whole_lines(const fs::path& file) {
  if (!fs::exists(file)) return "";
  std::string text = read_file(file);
  const size_t end = text.rfind('\n') + 1;  // 0 where there is none
  if (end < text.size()) {
    fs::resize_file(file, end);
    text.resize(end);
  }
  return text;
}

ChatAnswer answer_from(const Json& json) {
  return {json.at("answer").get<std::string>(),
          json.at("refused").get<bool>(),
          {json.at("input_tokens").get<int64_t>(), json.at("output_tokens").get<int64_t>()}};
}

}  // namespace

AnswerStore::AnswerStore(const fs::path& file) : file_(file) {
  const std::string text = whole_lines(file);
  int number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    const std::string where = fmt::format("{}:{}", file.string(), ++number);
    try {
      const Json json = parse_json(std::string_view(text).substr(begin, end - begin), where);
      keep(json.at("key").get<std::string>(), answer_from(json));
    } catch (const Json::exception& e) {
      throw Error(ErrorKind::kCorrupt, fmt::format("not an answer: {}", e.what()),
                  "remove the line, or the file: what it held is asked again", where);
    }
    begin = end + 1;
  }
}

const ChatAnswer* AnswerStore::find(const std::string& key) const {
  const auto found = answers_.find(key);
  return found == answers_.end() ? nullptr : &found->second;
}

void AnswerStore::add(const std::string& key, const ChatRequest& request,
                      const ChatAnswer& answer) {
  const Json line = {{"key", key},
                     {"model", request.model},
                     {"sample", request.sample},
                     {"answer", answer.text},
                     {"refused", answer.refused},
                     {"input_tokens", answer.tokens.input},
                     {"output_tokens", answer.tokens.output}};
  file_.append(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  keep(key, answer);
}

void AnswerStore::keep(std::string key, ChatAnswer answer) {
  tokens_.input += answer.tokens.input;
  tokens_.output += answer.tokens.output;
  answers_.insert_or_assign(std::move(key), std::move(answer));
}

}  // namespace podium::llm
