#include "podium/rerank/vocabulary.h"

#include <fmt/format.h>

#include <set>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

static_assert(kEvidenceGroups * kGroupKinds == kEvidenceKinds);

std::string code_spelling(int level, int code) {
  return fmt::format("<s_{}_{}>", char('a' + level), code);
}

std::string evidence_spelling(int group, int value) {
  std::string levels;
  for (int i = 0; i < kGroupKinds; ++i) levels += char('0' + group_level(value, i));
  return fmt::format("<e_{}_{}>", char('a' + group), levels);
}

std::string candidate_spelling(int index) { return fmt::format("<c_{}>", index + 1); }

// The first id of a block whose last spelling must lie size - 1 after it.
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
                                     "<|im_end|>",
                                     "{\"explanation\":\"",
                                     "\",\"recommendations\":[\"",
                                     "{\"recommendations\":[\"",
                                     "\",\"",
                                     "\"]}"};
  for (int group = 0; group < kEvidenceGroups; ++group) {
    for (int value = 0; value < kGroupValues; ++value) {
      tokens.push_back(evidence_spelling(group, value));
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

Vocabulary::Vocabulary(const text::Tokenizer& tokenizer, int sid_levels, int codes_per_level)
    : im_end(tokenizer.added("<|im_end|>")),
      open_trace(tokenizer.added("{\"explanation\":\"")),
      open_answer(tokenizer.added("\",\"recommendations\":[\"")),
      open_answer_only(tokenizer.added("{\"recommendations\":[\"")),
      next_item(tokenizer.added("\",\"")),
      close_answer(tokenizer.added("\"]}")),
      first_code(block(tokenizer, code_spelling(0, 0),
                       code_spelling(sid_levels - 1, codes_per_level - 1),
                       sid_levels * codes_per_level)),
      first_evidence(block(tokenizer, evidence_spelling(0, 0),
                           evidence_spelling(kEvidenceGroups - 1, kGroupValues - 1),
                           kEvidenceGroups * kGroupValues)),
      first_candidate(block(tokenizer, candidate_spelling(0),
                            candidate_spelling(kMaxCandidates - 1), int(kMaxCandidates))),
      levels(sid_levels),
      codes(codes_per_level) {}

TokenId Vocabulary::evidence(int group, const Evidence& evidence_levels) const {
  int value = 0;
  for (int i = 0; i < kGroupKinds; ++i) {
    const int level = evidence_levels[size_t(group) * kGroupKinds + size_t(i)];
    PODIUM_CHECK(level <= 3);
    value = value * 4 + level;
  }
  return first_evidence + group * kGroupValues + value;
}

TokenId first_own_token(const text::Tokenizer& tokenizer, int levels, int codes_per_level) {
  const std::vector<std::string> own = added_tokens(levels, codes_per_level);
  const std::set<std::string_view> spellings(own.begin(), own.end());
  TokenId first = TokenId(tokenizer.vocab());
  while (first > 0 && tokenizer.is_added(first - 1) &&
         spellings.contains(tokenizer.bytes_of(first - 1))) {
    --first;
  }
  return first;
}

bool allowed_in_trace(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary,
                      TokenId token) {
  if (token < 0 || token >= tokenizer.vocab()) return false;
  if (tokenizer.is_added(token)) {
    const TokenId last_code =
        vocabulary.code(vocabulary.levels - 1, uint16_t(vocabulary.codes - 1));
    return (token >= vocabulary.first_code && token <= last_code) ||
           (token >= vocabulary.first_candidate &&
            token < vocabulary.first_candidate + int(kMaxCandidates));
  }
  for (const char c : tokenizer.bytes_of(token)) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

std::vector<uint8_t> trace_mask(const text::Tokenizer& tokenizer, const Vocabulary& vocabulary) {
  std::vector<uint8_t> mask(tokenizer.vocab());
  for (size_t i = 0; i < mask.size(); ++i) {
    mask[i] = allowed_in_trace(tokenizer, vocabulary, TokenId(i));
  }
  mask[vocabulary.open_answer] = 1;
  return mask;
}

}  // namespace podium::rerank
