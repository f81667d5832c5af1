#include "podium/rerank/trace_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "podium/rerank/shown_items.h"
#include "podium/rerank/trace_text.h"

namespace podium::rerank {
namespace {

constexpr std::string_view kChoiceWord = "best";

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The first word of what begins here; empty where none begins.
std::string_view word_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && is_word_byte(text[end])) ++end;
  return text.substr(at, end - at);
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// `part` is all of `whole`, or its first words.
bool begins_with_words(std::string_view whole, std::string_view part) {
  return whole.starts_with(part) && (whole.size() == part.size() || whole[part.size()] == ' ');
}

// One reading of one trace.
class Reading {
 public:
  Reading(const TraceChecker& checker, const PromptContext& context, const Slate& slate,
          std::span<const TokenId> trace)
      : checker_(checker), context_(context), slate_(slate), trace_(trace) {}

  // The first thing that was not shown.
  std::string ungrounded() {
    while (at_ < trace_.size() && flaw_.empty()) {
      if (is_name(trace_[at_])) {
        name();
      } else if (is_code(trace_[at_])) {
        semantic_id();
      } else {
        words();
      }
    }
    return flaw_;
  }

  bool is_name(TokenId token) const {
    return token >= context_.vocabulary.first_candidate &&
           token < context_.vocabulary.candidate(kMaxCandidates);
  }

 private:
  bool is_code(TokenId token) const {
    const Vocabulary& v = context_.vocabulary;
    return token >= v.first_code && token < v.first_code + v.levels * v.codes;
  }
  void name() {
    const auto index = size_t(trace_[at_++] - context_.vocabulary.first_candidate);
    named_ = cited_ = nullptr;
    if (index < slate_.candidates.size()) {
      named_ = cited_ = &slate_.candidates[index];
    } else {
      flaw_ = fmt::format("<c_{}> is no candidate", index + 1);
    }
  }
  void semantic_id();
  bool was_shown(std::span<const TokenId> id) const;
  void words();
  void pattern(std::string_view claim);
  std::string_view evidence(std::string_view text);
  bool claims_evidence(std::string_view part);
  void prose(std::string_view text);

  const TraceChecker& checker_;
  const PromptContext& context_;
  const Slate& slate_;
  const std::span<const TokenId> trace_;
  size_t at_ = 0;
  const SlateCandidate* named_ = nullptr;  // by the token before
  const SlateCandidate* cited_ = nullptr;  // by name, or name and semantic ID, just before
  std::optional<ShownItems> shown_;        // once it is needed
  std::string flaw_;
};

void Reading::semantic_id() {
  const size_t begin = at_;
  const auto most = std::min(trace_.size(), begin + size_t(context_.vocabulary.levels));
  while (at_ < most && is_code(trace_[at_])) ++at_;
  const auto id = trace_.subspan(begin, at_ - begin);
  std::vector<TokenId> own;
  if (named_ != nullptr) append_sid(context_, slate_, named_->item, own);
  const bool known = named_ != nullptr ? std::ranges::equal(own, id) : was_shown(id);
  if (!known) {
    flaw_ = fmt::format("semantic ID {} was not shown{}", context_.tokenizer.decode(id),
                        named_ != nullptr ? " by that name" : "");
  }
  cited_ = named_;
  named_ = nullptr;
}

bool Reading::was_shown(std::span<const TokenId> id) const {
  const auto is = [&](ItemIndex item) {
    std::vector<TokenId> codes;
    append_sid(context_, slate_, item, codes);
    return std::ranges::equal(codes, id);
  };
  return std::ranges::any_of(shown_history(context_, slate_), is) ||
         std::ranges::any_of(slate_.candidates, is, &SlateCandidate::item);
}

void Reading::words() {
  const size_t begin = at_;
  while (at_ < trace_.size() && !is_name(trace_[at_]) && !is_code(trace_[at_])) ++at_;
  const std::string run = context_.tokenizer.decode(trace_.subspan(begin, at_ - begin));
  std::string_view text = run;
  if (begin == 0 && text.starts_with(kPatternBegin)) {
    text.remove_prefix(kPatternBegin.size());
    if (text.ends_with('.')) text.remove_suffix(1);
    pattern(text);
  } else {
    prose(evidence(text));
  }
  named_ = cited_ = nullptr;
}

// "mixed", "unknown", or the first words of a category of the shown history.
void Reading::pattern(std::string_view claim) {
  if (claim == "mixed" || claim == "unknown") return;
  for (const ItemIndex item : shown_history(context_, slate_)) {
    if (context_.dataset == nullptr || claim.empty()) break;
    for (const std::string_view category : context_.dataset->categories(item)) {
      if (begins_with_words(quotable(category), claim)) return;
    }
  }
  flaw_ = fmt::format("pattern '{}' is no category of the history", claim);
}

// Checks the claims that follow a citation, up to the end of their sentence; returns the rest.
std::string_view Reading::evidence(std::string_view text) {
  if (cited_ == nullptr) return text;
  const size_t end = std::min(text.find_first_of(".;"), text.size());
  for (size_t begin = 0; begin < end && flaw_.empty();) {
    const size_t comma = std::min(text.find(',', begin), end);
    const std::string_view part = trimmed(text.substr(begin, comma - begin));
    if (!claims_evidence(part)) prose(part);
    begin = comma + 1;
  }
  return text.substr(end);
}

// Whether that is what it does; a claim that does not hold is the flaw.
bool Reading::claims_evidence(std::string_view part) {
  const auto judge = [&](bool holds) {
    if (!holds) flaw_ = fmt::format("evidence '{}' is not the candidate's", part);
    return true;
  };
  if (part == kNoEvidence) {
    return judge(std::ranges::all_of(cited_->evidence, [](int level) { return level == 0; }));
  }
  for (int kind = 0; kind < kEvidenceKinds; ++kind) {
    for (int level = 1; level <= 3; ++level) {
      if (part != evidence_claim(EvidenceKind(kind), level)) continue;
      return judge(cited_->evidence[size_t(kind)] == level);
    }
  }
  return false;
}

void Reading::prose(std::string_view text) {
  std::string_view said = trimmed(text);
  said.remove_prefix(std::min(said.find_first_not_of(" .;"), said.size()));
  if (said.empty() || said == kChoiceWord || !flaw_.empty()) return;
  if (!shown_) shown_ = shown_items(context_, slate_);
  for (const double number : numbers_in(said)) {
    if (!shown_->numbers.contains(number)) flaw_ = fmt::format("number {} was not shown", number);
  }
  const std::string category = checker_.foreign_category(said, shown_->text);
  if (!category.empty()) flaw_ = fmt::format("category '{}' was not shown", category);
}

}  // namespace

std::string TraceVerdict::in_words() const {
  return fmt::format("{}, {}, {}", ungrounded.empty() ? "grounded" : "not grounded: " + ungrounded,
                     consistent ? "consistent" : "not consistent",
                     repeats ? "repeats a candidate" : "no repeats");
}

TraceChecker::TraceChecker(const PromptContext& context) : context_(context) {
  if (context.dataset == nullptr) return;
  std::set<std::string> all;
  for (ItemIndex item = 0; item < context.dataset->items(); ++item) {
    for (const std::string_view name : context.dataset->categories(item)) {
      all.insert(quotable(name));
    }
  }
  for (const std::string& category : all) {
    const std::string_view first = word_at(category, 0);
    if (!first.empty()) categories_[std::string(first)].push_back(category);
  }
  for (auto& [first, same] : categories_) {
    std::ranges::stable_sort(same, std::greater<>(), &std::string::size);
  }
}

std::string TraceChecker::foreign_category(std::string_view text, std::string_view shown) const {
  const auto begins_here = [&](size_t at, const std::string& category) {
    const size_t end = at + category.size();
    return text.substr(at).starts_with(category) &&
           (end == text.size() || !is_word_byte(text[end]));
  };
  for (size_t at = 0; at < text.size();) {
    const std::string_view word = word_at(text, at);
    size_t read = std::max<size_t>(1, word.size());
    if (const auto found = categories_.find(word); found != categories_.end()) {
      for (const std::string& category : found->second) {
        if (!begins_here(at, category)) continue;
        if (shown.find(category) == std::string_view::npos) return category;
        read = category.size();
        break;
      }
    }
    at += read;
  }
  return "";
}

TraceVerdict TraceChecker::check(const Slate& slate, std::span<const TokenId> trace,
                                 std::span<const int> order) const {
  Reading reading(*this, context_, slate, trace);
  TraceVerdict verdict;
  verdict.ungrounded = reading.ungrounded();
  const bool chooses = !trace.empty() && reading.is_name(trace.back());
  verdict.consistent = chooses && !order.empty() &&
                       trace.back() == context_.vocabulary.candidate(size_t(order.front()));
  std::set<TokenId> named;
  for (const TokenId token : trace.first(trace.size() - (chooses ? 1 : 0))) {
    if (reading.is_name(token) && !named.insert(token).second) verdict.repeats = true;
  }
  return verdict;
}

TraceShares shares_of(std::span<const TraceVerdict> verdicts) {
  if (verdicts.empty()) return {};
  const auto share = [&](const auto& holds) {
    return double(std::ranges::count_if(verdicts, holds)) / double(verdicts.size());
  };
  return {share([](const TraceVerdict& v) { return v.ungrounded.empty(); }),
          share([](const TraceVerdict& v) { return v.consistent; }),
          share([](const TraceVerdict& v) { return v.repeats; })};
}

}  // namespace podium::rerank
