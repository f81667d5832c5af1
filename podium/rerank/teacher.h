// Who writes the traces that a policy learns to reason from, and how often it is asked.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/base/option_range.h"
#include "podium/base/rng.h"
#include "podium/rerank/prompt.h"

namespace podium::rerank {

struct TeacherOptions {
  std::string kind = "evidence";
  double temperature = 1.0;
  int draws = 6;
  int tries = 8;
  double shuffle_share = 0.5;  // closes position bias
  // Of kind endpoint.
  std::string model = {}, mode = "rejection", prompt_file = {};
  int answer_tokens = 600;
  std::string format = "object";
  template <class V>
  void visit(V& v) {
    v("kind", kind,
      "who writes the traces: evidence (built in, from the ranker's scores and evidence) or "
      "endpoint (a chat model, see the section endpoint)",
      one_of({"evidence", "endpoint"}));
    v("temperature", temperature,
      "sampling temperature: of the evidence teacher in deviations of a slate's scores, of an "
      "endpoint as it takes it",
      between(0, 100));
    v("draws", draws, "traces drawn a slate; the policy reads the next one in each epoch",
      between(1, 1000));
    v("tries", tries, "samples a draw until a trace is accepted", between(1, 10000));
    v("shuffle_share", shuffle_share, "share of the draws that show the candidates shuffled",
      between(0, 1));
    v("model", model, "the chat model that the endpoint is asked for");
    v("mode", mode,
      "rejection hides what the user chose, targeted shows it to the chat model; both keep a trace "
      "only if its first choice is what the user chose",
      one_of({"rejection", "targeted"}));
    v("template", prompt_file,
      "file of the chat model's instructions; empty: the built-in ones, which the stage traces "
      "writes beside its traces");
    v("answer_tokens", answer_tokens, "tokens that an answer of the chat model may have",
      between(16, 100000));
    v("format", format,
      "what the endpoint is told of the answer's form (response_format): that it is a JSON object, "
      "its schema, or, for one that knows neither, nothing",
      one_of({"object", "schema", "nothing"}));
    v.rule([this] { return kind == "evidence" || !model.empty(); },
           "a teacher behind an endpoint needs the name of its model");
    v.rule(
        [this] { return kind == "endpoint" || mode == "rejection"; },
        "the evidence teacher never sees what the user chose: mode targeted needs kind endpoint");
  }
};

struct TeacherTrace {
  std::vector<TokenId> trace;  // tokens between open_trace and open_answer
  std::vector<int> order;      // the teacher's permutation; empty: what it said was no answer
};

// A sample that is wanted.
struct TeacherQuestion {
  const Slate* slate;  // as it is shown
  int draw, attempt;   // tell samples of one slate apart
  Rng* rng;            // only of this draw
};

// Immutable and thread-safe, or for one thread, as each says. A new teacher is one class and one
// line of the traces stage (pipeline/trace_stage.cc).
class Teacher {
 public:
  virtual ~Teacher() = default;
  // A sample a question, in their order. Throws Error when it cannot go on.
  virtual std::vector<TeacherTrace> answer(const PromptContext& context,
                                           std::span<const TeacherQuestion> questions,
                                           int threads) const = 0;
};

}  // namespace podium::rerank
