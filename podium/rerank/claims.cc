#include "podium/rerank/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "podium/base/error.h"
#include "podium/rerank/shown_items.h"
#include "podium/rerank/trace_text.h"

namespace podium::rerank {
namespace {

constexpr size_t kCategoryTokens = 8;

// Catalogue text in a trace: its leading words that fit the budget.
std::string shortened(const PromptContext& context, std::string_view category) {
  std::string text = quotable(category);
  while (context.tokenizer.encode(" " + text).size() > kCategoryTokens) {
    const size_t space = text.find_last_of(' ');
    if (space == std::string::npos || space == 0) return "";
    text.resize(space);
  }
  return text;
}

// The most special category of each item of the history that prompts show and that has any.
std::vector<std::string_view> history_categories(const PromptContext& context, const Slate& slate) {
  std::vector<std::string_view> found;
  if (context.dataset == nullptr) return found;
  for (const ItemIndex item : shown_history(context, slate)) {
    if (item >= context.dataset->items()) continue;  // it came after training
    const auto categories = context.dataset->categories(item);
    if (!categories.empty()) found.push_back(categories.back());
  }
  return found;
}

// At most `most`, the strongest first.
std::vector<EvidenceKind> strongest(const Evidence& evidence, size_t most) {
  std::vector<EvidenceKind> kinds;
  for (int kind = 0; kind < kEvidenceKinds; ++kind) {
    if (evidence[kind] > 0) kinds.push_back(EvidenceKind(kind));
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [&](EvidenceKind a, EvidenceKind b) { return evidence[a] > evidence[b]; });
  kinds.resize(std::min(most, kinds.size()));
  return kinds;
}

std::vector<TokenId> spell_pattern(const PromptContext& context, std::string_view pattern) {
  return context.tokenizer.encode(fmt::format("{}{}.", kPatternBegin, pattern));
}

void add_once(std::vector<TokenId> run, std::vector<std::vector<TokenId>>& runs) {
  if (std::ranges::find(runs, run) == runs.end()) runs.push_back(std::move(run));
}

}  // namespace

std::string usual_pattern(const PromptContext& context, const Slate& slate) {
  std::map<std::string_view, int> count;
  std::string_view best;
  for (const std::string_view category : history_categories(context, slate)) {
    const int n = ++count[category];
    if (best.empty() || n >= count[best]) best = category;
  }
  if (count.empty()) return "unknown";
  if (count[best] < 2 && shown_history(context, slate).size() > 1) return "mixed";
  const std::string text = shortened(context, best);
  return text.empty() ? "unknown" : text;
}

std::string evidence_text(const Evidence& evidence, size_t most) {
  const std::vector<EvidenceKind> kinds = strongest(evidence, most);
  if (kinds.empty()) return fmt::format(" {}", kNoEvidence);
  std::string text;
  for (const EvidenceKind kind : kinds) {
    text += fmt::format("{} {}", text.empty() ? "" : ",", evidence_claim(kind, evidence[kind]));
  }
  return text;
}

ClaimsWalk::ClaimsWalk(const PromptContext& context, const Slate& slate)
    : context_(&context), slate_(&slate) {
  for (const std::string_view pattern : {"mixed", "unknown"}) {
    add_once(spell_pattern(context, pattern), runs_);
  }
  for (const std::string_view category : history_categories(context, slate)) {
    const std::string text = shortened(context, category);
    if (!text.empty()) add_once(spell_pattern(context, text), runs_);
  }
  refresh();
}

void ClaimsWalk::begin(Step step) {
  step_ = step;
  said_ = 0;
  runs_.clear();
  if (step == Step::kClaim) spell_claims();
}

// Of the candidate that was cited last.
void ClaimsWalk::spell_claims() {
  const auto index = size_t(last_ - context_->vocabulary.first_candidate);
  const bool more = cited_.size() < std::min(kCitations, slate_->candidates.size());
  for (size_t most = 1; most <= kMostClaims; ++most) {
    const std::string text = evidence_text(slate_->candidates[index].evidence, most);
    add_once(context_->tokenizer.encode(text + (more ? ";" : ". best")), runs_);
  }
}

void ClaimsWalk::refresh() {
  allowed_.clear();
  if (step_ == Step::kChoose) allowed_ = cited_;
  if (step_ == Step::kCite) {
    for (size_t i = 0; i < slate_->candidates.size(); ++i) {
      const TokenId name = context_->vocabulary.candidate(i);
      if (!std::ranges::binary_search(cited_, name)) allowed_.push_back(name);
    }
  }
  for (const auto& run : runs_) allowed_.push_back(run[said_]);
  std::ranges::sort(allowed_);
  allowed_.erase(std::unique(allowed_.begin(), allowed_.end()), allowed_.end());
}

void ClaimsWalk::accept(TokenId token) {
  PODIUM_CHECK(std::ranges::binary_search(allowed_, token));
  if (step_ == Step::kChoose) {
    begin(Step::kDone);
  } else if (step_ == Step::kCite) {
    last_ = token;
    cited_.insert(std::ranges::upper_bound(cited_, token), token);
    begin(Step::kClaim);
  } else {
    std::erase_if(runs_, [&](const auto& run) { return run[said_] != token; });
    ++said_;
    const bool complete =
        std::ranges::any_of(runs_, [&](const auto& run) { return run.size() == said_; });
    const bool all = cited_.size() == std::min(kCitations, slate_->candidates.size());
    if (complete) begin(all ? Step::kChoose : Step::kCite);
  }
  refresh();
}

std::vector<Citation> citations(const PromptContext& context, const Slate& slate,
                                std::span<const TokenId> trace) {
  if (foreign_to_claims(context, slate, trace)) return {};
  std::vector<size_t> names;  // where they stand; the last is the choice
  const TokenId first = context.vocabulary.first_candidate;
  const TokenId end = first + TokenId(slate.candidates.size());
  for (size_t t = 0; t < trace.size(); ++t) {
    if (trace[t] >= first && trace[t] < end) names.push_back(t);
  }
  std::vector<Citation> cited;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    const auto candidate = size_t(trace[names[i]] - first);
    const Evidence& evidence = slate.candidates[candidate].evidence;
    const std::string said =
        context.tokenizer.decode(trace.subspan(names[i] + 1, names[i + 1] - names[i] - 1));
    size_t most = kMostClaims;
    while (most > 0 && !said.starts_with(evidence_text(evidence, most))) --most;
    cited.push_back({candidate, strongest(evidence, most)});
  }
  return cited;
}

std::optional<std::string> foreign_to_claims(const PromptContext& context, const Slate& slate,
                                             std::span<const TokenId> trace) {
  ClaimsWalk walk(context, slate);
  for (size_t t = 0; t < trace.size(); ++t) {
    if (!std::ranges::binary_search(walk.allowed(), trace[t])) {
      return context.tokenizer.decode(trace.subspan(t));
    }
    walk.accept(trace[t]);
  }
  return walk.done() ? std::nullopt : std::optional<std::string>("(it ends too soon)");
}

}  // namespace podium::rerank
