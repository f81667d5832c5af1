// Slate to prompt, and answer tokens to permutation. One piece of code for the trainer, the
// evaluation and the server. A prompt is read in blocks, so that what is known is not read again:
//
//   seen:               how every prompt begins
//   SID                 an item of the history, oldest first
//   SID[ title]         a candidate's item
//   <c_1>               a candidate, with its evidence: sees the beginning, the history and its
//                       item
//   {"recommendations":["    the answer: sees all
//
// The beginning and items see only themselves, so what the engine reads of an item it reads once
// for all users. Candidates do not see one another, so what a slate costs is linear in K. They
// stand one after the other, each after its item. A candidate is one token: the embeddings of its
// evidence, <e_a_3010> and <e_b_0000>, are added to its name's, and so are its numbers, projected.
// Where the policy reads texts, the vector of the item's text, projected, is added to its SID's
// last code.
//
// Catalogue text goes through Tokenizer::encode, which can never produce a control token.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "podium/base/option_range.h"
#include "podium/data/dataset.h"
#include "podium/rerank/model_spec.h"
#include "podium/rerank/slate.h"
#include "podium/rerank/vocabulary.h"
#include "podium/sid/codebook.h"

namespace podium::rerank {

struct PromptOptions {
  int max_history = 10;  // newest items shown
  bool evidence = true;  // collaborative context of each candidate
  bool text = true;
  bool claims = false;   // traces keep to the grammar of claims (rerank/claims.h)
  int title_tokens = 0;  // tokens of title shown a candidate (0: only SIDs, text is learnt in
                         // mid-training); costs context
  template <class V>
  void visit(V& v) {
    v("max_history", max_history, "newest history items shown to the policy",
      between(0, double(kMaxHistory)));
    v("evidence", evidence, "show collaborative evidence of each candidate");
    v("text", text, "show the vectors of the items' text");
    v("claims", claims,
      "traces say only what the prompt shows, in the evidence teacher's words (teacher.kind "
      "evidence)");
    v("title_tokens", title_tokens, "title tokens shown a candidate (0: only semantic IDs)",
      between(0, 64));
  }
};

// All that turns slates into tokens; holds references, which must outlive it. Thread-safe.
struct PromptContext {
  const text::Tokenizer& tokenizer;
  const Vocabulary& vocabulary;
  const sid::SidTable& sids;
  const data::Dataset* dataset;  // only for titles and traces; may be null if title_tokens == 0
  PromptOptions options;
  std::span<const float> texts = {};  // [items, text_width]: vectors of the items' text
  size_t text_width = 0;              // 0: prompts show no text
};

// The last code of an item that comes with its text, in a prompt's tokens: negative, so that it is
// none of the tokenizer's.
constexpr TokenId text_token(ItemIndex item) { return -1 - TokenId(item); }
constexpr bool is_text(TokenId token) { return token < 0; }
constexpr ItemIndex item_of_text(TokenId token) { return ItemIndex(-1 - token); }
TokenId last_code(const PromptContext& context, const Slate& slate, ItemIndex item);
// The vector of an item's text [text_width]; the slate knows those of its added items.
std::span<const float> text_of(const PromptContext& context, const Slate& slate, ItemIndex item);

struct Span {
  size_t begin, end;
  size_t size() const { return end - begin; }
};

// Raise when prompts are built otherwise or a policy has other tensors, and funnel/bundle_files.h's
// version with it: what a policy has learnt of the old ones does not hold for the new.
inline constexpr int kPromptForm = 7;

// All but the answer.
struct Prompt {
  std::vector<TokenId> tokens;  // all blocks, then the candidates' names
  std::vector<Span> blocks;     // in tokens: the beginning, the history's items, candidates' items
  size_t candidates = 0;        // K
  std::vector<TokenId> evidence;  // [K, evidence_tokens]: their embeddings are added to the names'
  std::vector<float> numbers;     // [K, F]; empty when the slate has none
  // [K, kScores], where the choice begins: the upstream's scores, where they tell nothing
  // -log(1 + place), which falls as a list's clicks do; and the ranker's.
  std::vector<float> scores;

  // The block of a candidate's item.
  const Span& item(size_t candidate) const {
    return blocks[blocks.size() - candidates + candidate];
  }
  // Tokens of the beginning and the history's items, at least one.
  size_t history() const { return blocks[blocks.size() - candidates - 1].end; }
  // The first candidate's name, in tokens.
  size_t names() const { return blocks.back().end; }
  size_t evidence_tokens() const { return candidates ? evidence.size() / candidates : 0; }
  // Of every token (RoPE). The answer goes on after the last.
  std::vector<int> positions() const;
};

Prompt build_prompt(const PromptContext& context, const Slate& slate);
std::vector<float> first_scores(const Slate& slate);  // Prompt::scores

// A user's events, oldest first, as mid-training reads them: "history: SIDSID...", every token of
// which sees all before it. It reads at most kSequenceItems, so that what comes next is known
// after kSequenceItems - 1 at most.
inline constexpr size_t kSequenceItems = 20;
std::vector<TokenId> build_sequence(const PromptContext& context, std::span<const ItemIndex> items);

// The fixed text of prompts, for training the tokenizer.
std::vector<std::string> prompt_phrases();

// Whether the item is one of the catalogue, or one that the slate has added with codes of the
// table's shape.
bool has_sid(const PromptContext& context, const Slate& slate, ItemIndex item);

// Appends the codes; of an item that the slate has added, its own.
void append_sid(const PromptContext& context, ItemIndex item, std::vector<TokenId>& out);
void append_sid(const PromptContext& context, const Slate& slate, ItemIndex item,
                std::vector<TokenId>& out);

// The assistant's message for a given trace (empty + with_trace false: none) and order, up to and
// including <|im_end|>. order[r] = input position of the candidate at rank r. At most
// kMaxCandidates.
std::vector<TokenId> build_answer(const PromptContext& context, const Slate& slate,
                                  std::span<const TokenId> trace, bool with_trace,
                                  std::span<const int> order);

// The trace of an emitted message: what stands between its beginning and the answer; empty where
// there is none.
std::span<const TokenId> trace_of(const PromptContext& context, std::span<const TokenId> message);

// Parses an emitted message; order is empty when it is not a permutation of the slate (invalid).
// Strict: nothing may be missing before, between or after.
struct ParsedAnswer {
  std::vector<int> order;
  std::string trace;
};
ParsedAnswer parse_answer(const PromptContext& context, const Slate& slate,
                          std::span<const TokenId> tokens);

}  // namespace podium::rerank
