// What a chat model says to a slate, read strictly, and its explanation as a trace of the policy's.
//
// An answer is one JSON object, {"explanation": TEXT, "recommendations": ["c_2", ...]}: no other
// keys, all candidates by name, each once; the text cites the first of them, and no item that was
// not shown. All else is refused: nothing a catalogue or a model says can add a candidate, or leave
// one out.
//
// As a trace: c_2 becomes the candidate's token, h_1 the item's semantic ID. A
// clause that names a candidate again is left out. Clauses are taken as long as they fit, the first
// choice's citation among them; the trace ends " best" and that choice, like the evidence
// teacher's. It never begins "pattern: ", by which the two forms are known (trace_check.h).
#pragma once

#include <string>
#include <string_view>

#include "podium/base/json.h"
#include "podium/rerank/teacher.h"

namespace podium::rerank {

struct ChatAnswerRead {
  TeacherTrace sample;  // its order is empty when the answer is refused
  std::string flaw;     // why: one of few phrases, to be counted
};

// An answer's form as a JSON schema, as far as schemas can say it: not that names differ.
Json chat_answer_schema(size_t candidates);

// slate: as it was shown. max_trace: tokens of a trace at most.
ChatAnswerRead read_chat_answer(const PromptContext& context, const Slate& slate,
                                std::string_view answer, int max_trace);

}  // namespace podium::rerank
