// Slate to prompt tokens, and answer tokens to permutation. One piece of code for the trainer, the
// evaluation and the server.
//
//   <|im_start|>system\n ... <|im_end|>\n<|im_start|>user\nhistory: SIDSID...\ncandidates:\n
//   evidence*SID[ title]<c_1>\n ... <|im_end|>\n<|im_start|>assistant\n
//
// The system message says whether a trace is wanted. A candidate's name <c_i> stands last: there
// the policy has read all of the candidate, and the answer, which names it, looks there.
//
// Catalogue text goes through Tokenizer::encode, which can never produce a control token.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/data/dataset.h"
#include "podium/rerank/slate.h"
#include "podium/rerank/vocabulary.h"
#include "podium/sid/codebook.h"

namespace podium::rerank {

struct PromptOptions {
  int max_history = 10;  // newest items shown
  bool evidence = true;  // collaborative context of each candidate
  int title_tokens = 0;  // tokens of title shown a candidate (0: SIDs alone, text is learnt in
                         // mid-training); costs context
  template <class V>
  void visit(V& v) {
    v("max_history", max_history, "newest history items shown to the policy");
    v("evidence", evidence, "show collaborative evidence of each candidate");
    v("title_tokens", title_tokens, "title tokens shown a candidate (0: semantic IDs alone)");
  }
};

// All that turns slates into tokens; holds references, which must outlive it. Thread-safe.
struct PromptContext {
  const text::Tokenizer& tokenizer;
  const Vocabulary& vocabulary;
  const sid::SidTable& sids;
  const data::Dataset* dataset;  // only for titles and traces; may be null if title_tokens == 0
  PromptOptions options;
};

std::vector<TokenId> build_prompt(const PromptContext& context, const Slate& slate,
                                  bool with_trace);
// Its two parts: what stays the same for a user until the history changes, and the rest.
std::vector<TokenId> build_prefix(const PromptContext& context, const Slate& slate,
                                  bool with_trace);
void append_candidates(const PromptContext& context, const Slate& slate,
                       std::vector<TokenId>& prefix);

// A user's events, oldest first, as mid-training reads them: "history: SIDSID...". It reads at most
// kSequenceItems, so that what comes next is known behind kSequenceItems - 1 at most.
inline constexpr size_t kSequenceItems = 20;
std::vector<TokenId> build_sequence(const PromptContext& context, std::span<const ItemIndex> items);

// The fixed text of prompts, for training the tokenizer.
std::vector<std::string> prompt_phrases();

// Appends sid_begin, the codes, sid_end.
void append_sid(const PromptContext& context, ItemIndex item, std::vector<TokenId>& out);

// The assistant's message for a given trace (empty + with_trace false: none) and order, up to and
// including <|im_end|>. order[r] = input position of the candidate at rank r. At most
// kMaxCandidates.
std::vector<TokenId> build_answer(const PromptContext& context, const Slate& slate,
                                  std::span<const TokenId> trace, bool with_trace,
                                  std::span<const int> order);

// Parses an emitted message; order is empty when it is not a permutation of the slate (invalid).
// Strict: nothing may be missing before, between or behind.
struct ParsedAnswer {
  std::vector<int> order;
  std::string trace;
};
ParsedAnswer parse_answer(const PromptContext& context, const Slate& slate,
                          std::span<const TokenId> tokens);

}  // namespace podium::rerank
