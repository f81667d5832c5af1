#include "podium/rerank/vocabulary.h"

#include <fmt/format.h>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

constexpr int kEvidenceLevels = 3;

std::string code_spelling(int level, int code) {
  return fmt::format("<s_{}_{}>", char('a' + level), code);
}

std::string evidence_spelling(int kind, int level) {
  return fmt::format("<ev_{}_{}>", evidence_name(EvidenceKind(kind)), level);
}

std::string candidate_spelling(int index) { return fmt::format("<c_{}>", index + 1); }

// The first id of a block whose last spelling must lie size - 1 behind it.
TokenId block(const text::Tokenizer& tokenizer, const std::string& first, const std::string& last,
              int size) {
  const TokenId at = tokenizer.added(first);
  if (tokenizer.added(last) != at + size - 1) {
    throw Error(fmt::format("the tokens {} .. {} are not numbered in one run", first, last),
                "use the tokenizer.json that podium-train wrote beside the model");
  }
  return at;
}

}  // namespace

std::vector<std::string> added_tokens(int levels, int codes_per_level) {
  PODIUM_CHECK(levels >= 1 && levels <= sid::kMaxLevels && codes_per_level >= 1);
  std::vector<std::string> tokens = {"<|endoftext|>",
                                     "<|im_start|>",
                                     "<|im_end|>",
                                     "<|sid_begin|>",
                                     "<|sid_end|>",
                                     "{\"explanation\":\"",
                                     "\",\"recommendations\":[\"",
                                     "{\"recommendations\":[\"",
                                     "\",\"",
                                     "\"]}"};
  for (int kind = 0; kind < kEvidenceKinds; ++kind) {
    for (int level = 1; level <= kEvidenceLevels; ++level) {
      tokens.push_back(evidence_spelling(kind, level));
    }
  }
  for (int i = 0; i < int(kMaxCandidates); ++i) tokens.push_back(candidate_spelling(i));
  for (int level = 0; level < levels; ++level) {
    for (int code = 0; code < codes_per_level; ++code) {
      tokens.push_back(code_spelling(level, code));
    }
  }
  return tokens;
}

Vocabulary::Vocabulary(const text::Tokenizer& tokenizer, int levels, int codes_per_level)
    : im_start(tokenizer.added("<|im_start|>")),
      im_end(tokenizer.added("<|im_end|>")),
      sid_begin(tokenizer.added("<|sid_begin|>")),
      sid_end(tokenizer.added("<|sid_end|>")),
      open_trace(tokenizer.added("{\"explanation\":\"")),
      open_answer(tokenizer.added("\",\"recommendations\":[\"")),
      open_answer_only(tokenizer.added("{\"recommendations\":[\"")),
      next_item(tokenizer.added("\",\"")),
      close_answer(tokenizer.added("\"]}")),
      first_code(block(tokenizer, code_spelling(0, 0),
                       code_spelling(levels - 1, codes_per_level - 1), levels * codes_per_level)),
      first_evidence(block(tokenizer, evidence_spelling(0, 1),
                           evidence_spelling(kEvidenceKinds - 1, kEvidenceLevels),
                           kEvidenceKinds * kEvidenceLevels)),
      first_candidate(block(tokenizer, candidate_spelling(0),
                            candidate_spelling(kMaxCandidates - 1), int(kMaxCandidates))),
      levels(levels),
      codes(codes_per_level) {}

}  // namespace podium::rerank
