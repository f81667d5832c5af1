#include "podium/rerank/prompt.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

// Two, so that neither is taken for the beginning of the other: what is read after them differs.
constexpr std::string_view kSlateText = "seen: ", kSequenceText = "history: ";

void append_codes(const PromptContext& context, std::span<const uint16_t> codes,
                  std::vector<TokenId>& out) {
  for (size_t level = 0; level < codes.size(); ++level) {
    out.push_back(context.vocabulary.code(int(level), codes[level]));
  }
}

// Null: a trained item.
const AddedItemName* find_added(const PromptContext& context, const Slate& slate, ItemIndex item) {
  if (item < context.sids.items()) return nullptr;
  const auto found = std::ranges::find(slate.added, item, &AddedItemName::item);
  PODIUM_CHECK(found != slate.added.end());
  return &*found;
}

std::span<const uint16_t> codes_of(const PromptContext& context, const Slate& slate,
                                   ItemIndex item) {
  const AddedItemName* const added = find_added(context, slate, item);
  return added ? std::span<const uint16_t>(added->codes) : context.sids.of(item);
}

// As prompts show it.
void append_item(const PromptContext& context, const Slate& slate, ItemIndex item,
                 std::vector<TokenId>& out) {
  append_codes(context, codes_of(context, slate, item), out);
  if (context.text_width > 0) out.back() = text_token(item);
}

void append_title(const PromptContext& context, const Slate& slate, ItemIndex item,
                  std::vector<TokenId>& out) {
  const int limit = context.options.title_tokens;
  if (limit <= 0) return;
  PODIUM_CHECK(context.dataset != nullptr);
  const AddedItemName* const added = find_added(context, slate, item);
  std::string title = " " + (added ? added->title : std::string(context.dataset->title(item)));
  std::replace(title.begin(), title.end(), '\n', ' ');
  const std::vector<TokenId> tokens = context.tokenizer.encode(title);
  out.insert(out.end(), tokens.begin(), tokens.begin() + std::min<size_t>(limit, tokens.size()));
}

// Reads one message token by token.
class AnswerParser {
 public:
  AnswerParser(const PromptContext& context, const Slate& slate, std::span<const TokenId> tokens)
      : context_(context), tokens_(tokens), left_(slate.candidates.size(), true) {}

  bool parse(ParsedAnswer& answer) {
    const Vocabulary& v = context_.vocabulary;
    if (take(v.open_trace)) {
      if (!trace(answer.trace)) return false;
    } else if (!take(v.open_answer_only)) {
      return false;
    }
    for (size_t rank = 0; rank < left_.size(); ++rank) {
      if (rank > 0 && !take(v.next_item)) return false;
      if (!item(answer.order)) return false;
    }
    return take(v.close_answer) && take(v.im_end) && at_ == tokens_.size();
  }

 private:
  bool take(TokenId token) {
    if (at_ == tokens_.size() || tokens_[at_] != token) return false;
    ++at_;
    return true;
  }

  bool trace(std::string& text) {
    const size_t begin = at_;
    while (at_ < tokens_.size() && tokens_[at_] != context_.vocabulary.open_answer) {
      if (!allowed_in_trace(context_.tokenizer, context_.vocabulary, tokens_[at_])) return false;
      ++at_;
    }
    text = context_.tokenizer.decode(tokens_.subspan(begin, at_ - begin));
    return take(context_.vocabulary.open_answer);
  }

  bool item(std::vector<int>& order) {
    if (at_ == tokens_.size()) return false;
    const int64_t index = int64_t(tokens_[at_]) - context_.vocabulary.first_candidate;
    if (index < 0 || index >= int64_t(left_.size()) || !left_[size_t(index)]) return false;
    ++at_;
    order.push_back(int(index));
    left_[size_t(index)] = false;
    return true;
  }

  const PromptContext& context_;
  std::span<const TokenId> tokens_;
  std::vector<bool> left_;  // candidates not named yet
  size_t at_ = 0;
};

}  // namespace

std::vector<int> Prompt::positions() const {
  std::vector<int> result(tokens.size());
  const auto at = [&](size_t t) { return result.begin() + std::ptrdiff_t(t); };
  std::iota(at(0), at(history()), 0);
  int next = int(history());
  for (size_t i = 0; i < candidates; ++i) {
    std::iota(at(item(i).begin), at(item(i).end), next);
    next += int(item(i).size());
    *at(names() + i) = next++;
  }
  return result;
}

std::vector<std::string> prompt_phrases() {
  return {std::string(kSlateText), std::string(kSequenceText)};
}

bool has_sid(const PromptContext& context, const Slate& slate, ItemIndex item) {
  if (item < context.sids.items()) return true;
  const auto found = std::ranges::find(slate.added, item, &AddedItemName::item);
  return found != slate.added.end() && found->codes.size() == size_t(context.sids.levels) &&
         std::ranges::all_of(found->codes,
                             [&](int code) { return code < context.sids.codes_per_level; });
}

void append_sid(const PromptContext& context, ItemIndex item, std::vector<TokenId>& out) {
  PODIUM_CHECK(item < context.sids.items());
  append_codes(context, context.sids.of(item), out);
}

void append_sid(const PromptContext& context, const Slate& slate, ItemIndex item,
                std::vector<TokenId>& out) {
  append_codes(context, codes_of(context, slate, item), out);
}

std::span<const float> text_of(const PromptContext& context, const Slate& slate, ItemIndex item) {
  const size_t width = context.text_width;
  if (const AddedItemName* const added = find_added(context, slate, item)) {
    PODIUM_CHECK(added->text.size() == width);
    return added->text;
  }
  PODIUM_CHECK((size_t(item) + 1) * width <= context.texts.size());
  return context.texts.subspan(size_t(item) * width, width);
}

TokenId last_code(const PromptContext& context, const Slate& slate, ItemIndex item) {
  const int level = context.sids.levels - 1;
  return context.vocabulary.code(level, codes_of(context, slate, item)[size_t(level)]);
}

std::vector<TokenId> build_sequence(const PromptContext& context,
                                    std::span<const ItemIndex> items) {
  std::vector<TokenId> out = context.tokenizer.encode(kSequenceText);
  for (const ItemIndex item : items) append_sid(context, item, out);
  return out;
}

std::vector<float> first_scores(const Slate& slate) {
  const auto [least, most] =
      std::ranges::minmax(slate.candidates, {}, &SlateCandidate::upstream_score);
  const bool told = least.upstream_score < most.upstream_score;
  std::vector<float> scores;
  for (size_t i = 0; i < slate.candidates.size(); ++i) {
    const SlateCandidate& candidate = slate.candidates[i];
    scores.push_back(told ? candidate.upstream_score : -std::log1p(float(i)));
    scores.push_back(candidate.ranker_score);
  }
  return scores;
}

Prompt build_prompt(const PromptContext& context, const Slate& slate) {
  const PromptOptions& options = context.options;
  const size_t k = slate.candidates.size();
  PODIUM_CHECK(k <= kMaxCandidates);
  Prompt prompt;
  prompt.tokens = context.tokenizer.encode(kSlateText);
  prompt.candidates = k;
  std::vector<TokenId>& tokens = prompt.tokens;
  prompt.blocks.push_back({0, tokens.size()});
  const auto close_block = [&] {
    prompt.blocks.push_back({prompt.blocks.back().end, tokens.size()});
  };
  const size_t shown = std::min<size_t>(std::max(0, options.max_history), slate.history.size());
  for (const ItemIndex item : std::span(slate.history).last(shown)) {
    append_item(context, slate, item, tokens);
    close_block();
  }
  for (const SlateCandidate& candidate : slate.candidates) {
    append_item(context, slate, candidate.item, tokens);
    append_title(context, slate, candidate.item, tokens);
    close_block();
  }
  for (size_t i = 0; i < k; ++i) {
    tokens.push_back(context.vocabulary.candidate(i));
    for (int group = 0; options.evidence && group < kEvidenceGroups; ++group) {
      prompt.evidence.push_back(context.vocabulary.evidence(group, slate.candidates[i].evidence));
    }
    const auto& numbers = slate.candidates[i].numbers;
    prompt.numbers.insert(prompt.numbers.end(), numbers.begin(), numbers.end());
  }
  prompt.scores = first_scores(slate);
  return prompt;
}

std::vector<TokenId> build_answer(const PromptContext& context, const Slate& slate,
                                  std::span<const TokenId> trace, bool with_trace,
                                  std::span<const int> order) {
  const Vocabulary& v = context.vocabulary;
  PODIUM_CHECK(order.size() == slate.candidates.size());
  PODIUM_CHECK(with_trace || trace.empty());
  std::vector<TokenId> out;
  if (with_trace) {
    out.push_back(v.open_trace);
    out.insert(out.end(), trace.begin(), trace.end());
    out.push_back(v.open_answer);
  } else {
    out.push_back(v.open_answer_only);
  }
  for (size_t rank = 0; rank < order.size(); ++rank) {
    if (rank > 0) out.push_back(v.next_item);
    PODIUM_CHECK(size_t(order[rank]) < slate.candidates.size());
    out.push_back(v.candidate(size_t(order[rank])));
  }
  out.push_back(v.close_answer);
  out.push_back(v.im_end);
  return out;
}

std::span<const TokenId> trace_of(const PromptContext& context, std::span<const TokenId> message) {
  if (message.empty() || message.front() != context.vocabulary.open_trace) return {};
  const auto end = std::ranges::find(message, context.vocabulary.open_answer);
  return {message.begin() + 1, end};
}

ParsedAnswer parse_answer(const PromptContext& context, const Slate& slate,
                          std::span<const TokenId> tokens) {
  ParsedAnswer answer;
  if (!AnswerParser(context, slate, tokens).parse(answer)) answer.order.clear();
  return answer;
}

}  // namespace podium::rerank
