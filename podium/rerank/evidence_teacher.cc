#include "podium/rerank/evidence_teacher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/rerank/trace_text.h"

namespace podium::rerank {
namespace {

constexpr int kCited = 2;           // candidates a trace compares
constexpr size_t kMaxEvidence = 3;  // cited of the choice; one fewer of the other
constexpr size_t kCategoryTokens = 8;
constexpr size_t kSamples = 32;  // that a thread draws at once

double standard_deviation(const Slate& slate) {
  double sum = 0, squares = 0;
  for (const SlateCandidate& candidate : slate.candidates) {
    sum += candidate.upstream_score;
    squares += double(candidate.upstream_score) * candidate.upstream_score;
  }
  const double n = double(slate.candidates.size()), mean = sum / n;
  return std::sqrt(std::max(0.0, squares / n - mean * mean));
}

// Plackett-Luce by perturbation: sorting score / scale + Gumbel noise samples without replacement.
std::vector<int> sample_order(const Slate& slate, double temperature, Rng& rng) {
  const double scale = std::max(1e-6, temperature * standard_deviation(slate));
  std::vector<double> keys;
  for (const SlateCandidate& candidate : slate.candidates) {
    keys.push_back(temperature > 0 ? candidate.upstream_score / scale + rng.gumbel()
                                   : candidate.upstream_score);
  }
  std::vector<int> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return keys[a] > keys[b]; });
  return order;
}

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

std::string pattern(const PromptContext& context, const Slate& slate) {
  if (context.dataset == nullptr) return "unknown";
  const size_t shown =
      std::min<size_t>(std::max(0, context.options.max_history), slate.history.size());
  std::map<std::string_view, int> count;
  std::string_view best;
  bool any = false;
  for (size_t i = slate.history.size() - shown; i < slate.history.size(); ++i) {
    const auto categories = context.dataset->categories(slate.history[i]);
    if (categories.empty()) continue;
    any = true;
    const int n = ++count[categories.back()];
    if (best.empty() || n >= count[best]) best = categories.back();
  }
  if (!any) return "unknown";
  if (count[best] < 2 && shown > 1) return "mixed";
  const std::string text = shortened(context, best);
  return text.empty() ? "unknown" : text;
}

std::string evidence_text(const Evidence& evidence, size_t most) {
  std::vector<int> kinds;
  for (int kind = 0; kind < kEvidenceKinds; ++kind) {
    if (evidence[kind] > 0) kinds.push_back(kind);
  }
  if (kinds.empty()) return fmt::format(" {}", kNoEvidence);
  std::stable_sort(kinds.begin(), kinds.end(),
                   [&](int a, int b) { return evidence[a] > evidence[b]; });
  if (kinds.size() > most) kinds.resize(most);
  std::string text;
  for (int kind : kinds) {
    text += fmt::format("{} {}", text.empty() ? "" : ",",
                        evidence_claim(EvidenceKind(kind), evidence[kind]));
  }
  return text;
}

std::vector<TokenId> write_trace(const PromptContext& context, const Slate& slate,
                                 const std::vector<int>& order) {
  std::vector<TokenId> out;
  const auto add_text = [&](std::string_view text) {
    const auto tokens = context.tokenizer.encode(text);
    out.insert(out.end(), tokens.begin(), tokens.end());
  };
  add_text(fmt::format("{}{}.", kPatternBegin, pattern(context, slate)));
  std::vector<int> cited(order.begin(), order.begin() + std::min<size_t>(kCited, order.size()));
  std::sort(cited.begin(), cited.end());
  for (size_t i = 0; i < cited.size(); ++i) {
    const SlateCandidate& candidate = slate.candidates[cited[i]];
    out.push_back(context.vocabulary.candidate(size_t(cited[i])));
    const size_t most = cited[i] == order.front() ? kMaxEvidence : kMaxEvidence - 1;
    add_text(evidence_text(candidate.evidence, most) + (i + 1 == cited.size() ? ". best" : "."));
  }
  out.push_back(context.vocabulary.candidate(size_t(order.front())));
  return out;
}

}  // namespace

TeacherTrace EvidenceTeacher::sample(const PromptContext& context, const Slate& slate,
                                     Rng& rng) const {
  PODIUM_CHECK(!slate.candidates.empty());
  std::vector<int> order = sample_order(slate, temperature_, rng);
  std::vector<TokenId> trace = write_trace(context, slate, order);
  return {std::move(trace), std::move(order)};
}

std::vector<TeacherTrace> EvidenceTeacher::answer(const PromptContext& context,
                                                  std::span<const TeacherQuestion> questions,
                                                  int threads) const {
  std::vector<TeacherTrace> traces(questions.size());
  parallel_for(threads, questions.size(), kSamples, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      traces[i] = sample(context, *questions[i].slate, *questions[i].rng);
    }
  });
  return traces;
}

std::vector<std::string> trace_phrases() {
  std::vector<std::string> phrases = {"pattern: mixed.", "pattern: unknown.", " no evidence.",
                                      " no evidence. best"};
  for (int kind = 0; kind < kEvidenceKinds; ++kind) {
    for (int level = 1; level <= 3; ++level) {
      const std::string claim = evidence_claim(EvidenceKind(kind), level);
      phrases.push_back(fmt::format(" {}. best", claim));
      phrases.push_back(fmt::format(", {}.", claim));
    }
  }
  return phrases;
}

}  // namespace podium::rerank
