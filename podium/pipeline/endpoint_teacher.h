// A teacher behind a chat endpoint: a slate becomes a message (rerank/chat_prompt.h), its answer a
// trace (rerank/chat_answer.h); llm/chat_client.h asks, and asks nothing twice.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "podium/base/json.h"
#include "podium/llm/chat_client.h"
#include "podium/rerank/chat_prompt.h"
#include "podium/rerank/teacher.h"

namespace podium::pipeline {

using AnswerFlaws = std::map<std::string, int64_t>;  // how often answers were refused, and why

// For one thread. What it is given must outlive it.
class EndpointTeacher : public rerank::Teacher {
 public:
  struct Setup {
    rerank::TeacherOptions options;
    int max_trace = 96;  // tokens
    rerank::ChatTemplate instructions;
  };
  EndpointTeacher(Setup setup, llm::ChatClient& client, AnswerFlaws& flaws)
      : setup_(std::move(setup)), client_(client), flaws_(flaws) {}

  std::vector<rerank::TeacherTrace> answer(const rerank::PromptContext& context,
                                           std::span<const rerank::TeacherQuestion> questions,
                                           int threads) const override;

  // What is sent for a question.
  llm::ChatRequest request_for(const rerank::PromptContext& context,
                               const rerank::TeacherQuestion& question) const;

 private:
  const Setup setup_;
  llm::ChatClient& client_;
  AnswerFlaws& flaws_;
};

// The instructions that the options name, as text. Throws Error when they cannot be used.
std::string chat_instructions(const rerank::TeacherOptions& options);

Json to_json(const llm::ChatUsage& usage, const AnswerFlaws& flaws);

}  // namespace podium::pipeline
