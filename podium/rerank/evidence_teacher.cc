#include "podium/rerank/evidence_teacher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/rerank/claims.h"
#include "podium/rerank/trace_text.h"

namespace podium::rerank {
namespace {

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

std::vector<TokenId> write_trace(const PromptContext& context, const Slate& slate,
                                 const std::vector<int>& order) {
  std::vector<TokenId> out;
  const auto add_text = [&](std::string_view text) {
    const auto tokens = context.tokenizer.encode(text);
    out.insert(out.end(), tokens.begin(), tokens.end());
  };
  add_text(fmt::format("{}{}.", kPatternBegin, usual_pattern(context, slate)));
  std::vector<int> cited(order.begin(), order.begin() + std::min(kCitations, order.size()));
  std::sort(cited.begin(), cited.end());
  for (size_t i = 0; i < cited.size(); ++i) {
    const SlateCandidate& candidate = slate.candidates[cited[i]];
    out.push_back(context.vocabulary.candidate(size_t(cited[i])));
    const size_t most = cited[i] == order.front() ? kMostClaims : kMostClaims - 1;
    add_text(evidence_text(candidate.evidence, most) + (i + 1 == cited.size() ? ". best" : ";"));
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
  std::vector<std::string> phrases = {"pattern: mixed.", "pattern: unknown.", " no evidence;",
                                      " no evidence. best"};
  for (int kind = 0; kind < kEvidenceKinds; ++kind) {
    for (int level = 1; level <= 3; ++level) {
      const std::string claim = evidence_claim(EvidenceKind(kind), level);
      phrases.push_back(fmt::format(" {}. best", claim));
      phrases.push_back(fmt::format(", {};", claim));
    }
  }
  return phrases;
}

}  // namespace podium::rerank
