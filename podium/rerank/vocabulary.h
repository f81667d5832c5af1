// The policy's control tokens, as ids of one tokenizer. All are added tokens of tokenizer.json.
//
// The answer is JSON whose punctuation is made of added tokens with literal spellings, so that an
// answer costs few tokens and its concatenated text parses as JSON:
//   {"explanation":"TRACE","recommendations":["<c_3>","<c_1>",...]}
//
// <c_i> is the slate's i-th candidate in the order shown. One token a candidate, the same few in
// every slate (LlamaRec's verbaliser): a small policy learns to name its choice from thousands of
// slates, where spelling a SID of the catalogue would take it millions; and an answer is short.
#pragma once

#include <string>
#include <vector>

#include "podium/rerank/slate.h"
#include "podium/sid/codebook.h"
#include "podium/text/tokenizer.h"

namespace podium::rerank {

using text::TokenId;

// Evidence is told in as few tokens as there are groups of kGroupKinds kinds: <e_a_3010> says that
// the first group's kinds have the levels 3, 0, 1 and 0.
inline constexpr int kGroupKinds = 4, kEvidenceGroups = kEvidenceKinds / kGroupKinds;
inline constexpr int kGroupValues = 256;  // (levels 0..3)^kGroupKinds
// The level of a group's i-th kind in its token's value: the i-th digit to base 4.
constexpr int group_level(int value, int i) { return value >> 2 * (kGroupKinds - 1 - i) & 3; }

// Spellings of all added tokens for SIDs of this shape: ends of messages and documents, codes,
// evidence, candidates, JSON punctuation.
std::vector<std::string> added_tokens(int levels, int codes_per_level);

struct Vocabulary {
  Vocabulary(const text::Tokenizer& tokenizer, int sid_levels, int codes_per_level);

  TokenId code(int level, uint16_t code) const { return first_code + level * codes + code; }
  TokenId evidence(int group, const Evidence& evidence_levels) const;
  TokenId candidate(size_t index) const { return first_candidate + TokenId(index); }  // from 0

  TokenId im_end;            // <|im_end|>
  TokenId open_trace;        // {"explanation":"
  TokenId open_answer;       // ","recommendations":["   (ends the trace)
  TokenId open_answer_only;  // {"recommendations":["    (no trace)
  TokenId next_item;         // ","
  TokenId close_answer;      // "]}
  TokenId first_code, first_evidence, first_candidate;
  int levels, codes;
};

// The first of podium's added tokens at the end of the tokenizer's ids; what stands before them is
// text, or belongs to the public checkpoint that the tokenizer comes from.
TokenId first_own_token(const text::Tokenizer& tokenizer, int levels, int codes_per_level);

// Tokens a trace may hold: a mask over the vocabulary, computed once a tokenizer. SID, candidate
// and text tokens are allowed; ends of messages, answer punctuation, evidence tokens and
// JSON-breaking bytes are not. 1 = allowed; open_answer is allowed.
bool allowed_in_trace(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary,
                      TokenId token);  // open_answer aside
std::vector<uint8_t> trace_mask(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary);

}  // namespace podium::rerank
