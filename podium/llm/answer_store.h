// What an endpoint has answered, kept so that nothing is asked and paid for twice.
//
// One line of JSON an answer, each written before it is used:
//   {"key": sha256 of the request, "model": "...", "sample": "0.0", "answer": "...",
//    "refused": false, "input_tokens": 812, "output_tokens": 95}
// The file only grows. A process that is killed leaves at most one torn last line, which the next
// one removes.
#pragma once

#include <string>
#include <unordered_map>

#include "podium/base/files.h"
#include "podium/llm/chat.h"

namespace podium::llm {

// For one thread of one process.
class AnswerStore {
 public:
  // Opens or makes it. Throws Error with the line of what is no answer.
  explicit AnswerStore(const fs::path& file);

  const ChatAnswer* find(const std::string& key) const;  // null: never asked
  // In the file when it returns. Throws Error when the disk refuses.
  void add(const std::string& key, const ChatRequest& request, const ChatAnswer& answer);

  size_t size() const { return answers_.size(); }
  const TokenCount& tokens() const { return tokens_; }  // of all answers

 private:
  void keep(std::string key, ChatAnswer answer);

  std::unordered_map<std::string, ChatAnswer> answers_;
  TokenCount tokens_;
  AppendFile file_;
};

}  // namespace podium::llm
