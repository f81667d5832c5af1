#include "podium/pipeline/endpoint_teacher.h"

#include <fmt/format.h>

#include "podium/base/progress.h"
#include "podium/rerank/chat_answer.h"

namespace podium::pipeline {

llm::ChatRequest EndpointTeacher::request_for(const rerank::PromptContext& context,
                                              const rerank::TeacherQuestion& question) const {
  const rerank::TeacherOptions& options = setup_.options;
  rerank::ChatMessages messages = rerank::chat_messages(
      setup_.instructions, context, *question.slate, options.mode == "targeted");
  Json sampling = {{"temperature", options.temperature}, {"max_tokens", options.answer_tokens}};
  if (options.format == "object") sampling["response_format"] = {{"type", "json_object"}};
  if (options.format == "schema") {
    sampling["response_format"] = {
        {"type", "json_schema"},
        {"json_schema",
         {{"name", "ranking"},
          {"schema", rerank::chat_answer_schema(question.slate->candidates.size())}}}};
  }
  return {.model = options.model,
          .system = std::move(messages.system),
          .user = std::move(messages.user),
          .sampling = std::move(sampling),
          .sample = fmt::format("{}.{}", question.draw, question.attempt)};
}

std::vector<rerank::TeacherTrace> EndpointTeacher::answer(
    const rerank::PromptContext& context, std::span<const rerank::TeacherQuestion> questions,
    int) const {
  std::vector<rerank::TeacherTrace> samples(questions.size());
  Progress progress("teacher", questions.size(), "answers");
  client_.ask(
      questions.size(), [&](size_t i) { return request_for(context, questions[i]); },
      [&](size_t i, const llm::ChatAnswer& said) {
        rerank::ChatAnswerRead read =
            rerank::read_chat_answer(context, *questions[i].slate, said.text, setup_.max_trace);
        if (said.refused) read.flaw = "refused by the endpoint";
        if (!read.flaw.empty()) ++flaws_[read.flaw];
        samples[i] = std::move(read.sample);
        progress.add();
      });
  return samples;
}

std::string chat_instructions(const rerank::TeacherOptions& options) {
  if (options.prompt_file.empty()) return std::string(rerank::kChatInstructions);
  std::string text = read_file(options.prompt_file);
  rerank::parse_chat_template(text, options.prompt_file);  // told before any work
  return text;
}

Json to_json(const llm::ChatUsage& usage, const AnswerFlaws& flaws) {
  return {{"requests", usage.requests},
          {"retries", usage.retries},
          {"answers", usage.answers},
          {"input_tokens", usage.tokens.input},
          {"output_tokens", usage.tokens.output},
          {"cost", usage.cost},
          {"invalid", flaws}};
}

}  // namespace podium::pipeline
