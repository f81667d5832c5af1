#include "podium/shadow/trial.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "podium/base/error.h"

namespace podium::shadow {
namespace {

using serving::Answer;
using serving::Clock;

constexpr size_t kWarmUp = 50;  // questions that are asked before: an engine learns its items

double quantile(std::vector<double> values, double q) {
  const size_t at = std::min(values.size() - 1, size_t(q * double(values.size())));
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(at), values.end());
  return values[at];
}

// One recommender, and what became of the questions to it.
class Asked {
 public:
  explicit Asked(const serving::Recommender& recommender) : recommender_(recommender) {}

  // Nothing when it failed.
  std::optional<Answer> ask(const Question& question, bool counts) {
    serving::Request request = question.request;
    const auto start = Clock::now();
    request.deadline = question.within < Clock::time_point::max() - start
                           ? start + question.within
                           : Clock::time_point::max();
    try {
      Answer answer = recommender_.answer(request);
      if (counts) count(answer, Clock::now() - start);
      return answer;
    } catch (const std::exception& error) {
      if (counts && side_.failed++ == 0) side_.failure = error.what();
      return std::nullopt;
    }
  }

  Side side() const {
    Side side = side_;
    side.items = recommender_.bundle().dataset().items() + recommender_.added_items();
    side.shown = shown_.size();
    if (!ms_.empty()) side.p50_ms = quantile(ms_, .5), side.p99_ms = quantile(ms_, .99);
    return side;
  }

 private:
  void count(const Answer& answer, Clock::duration took) {
    ms_.push_back(std::chrono::duration<double, std::milli>(took).count());
    side_.history += answer.history + answer.unknown_history;
    side_.unknown += answer.unknown_history;
    side_.degraded += answer.degraded.empty() ? 0 : 1;
    for (const std::string_view what : answer.degraded) ++side_.went_without[std::string(what)];
    for (size_t r = 0; r < std::min(kShown, answer.items.size()); ++r) {
      shown_.insert(answer.items[r].id);
    }
  }

  const serving::Recommender& recommender_;
  Side side_;
  std::vector<double> ms_;
  std::unordered_set<std::string> shown_;
};

int32_t rank_of(const std::optional<Answer>& answer, const std::string& item) {
  if (!answer) return -1;
  for (size_t r = 0; r < answer->items.size(); ++r) {
    if (answer->items[r].id == item) return int32_t(r);
  }
  return -1;
}

// How alike the slates are.
class Likeness {
 public:
  void add(const Answer& active, const Answer& candidate) {
    const size_t a = std::min(kShown, active.items.size());
    const size_t b = std::min(kShown, candidate.items.size());
    if (a == 0 || b == 0) return;
    size_t common = 0;
    for (size_t i = 0; i < a; ++i) {
      for (size_t j = 0; j < b; ++j) {
        if (active.items[i].id != candidate.items[j].id) continue;
        ++common;
        moved_ += std::abs(double(i) - double(j));
      }
    }
    ++pairs_;
    common_ += common;
    overlap_ += double(common) / double(std::max(a, b));
    same_first_ += active.items[0].id == candidate.items[0].id ? 1 : 0;
  }
  void tell(Report& report) const {
    if (pairs_ == 0) return;
    report.overlap = overlap_ / double(pairs_);
    report.same_first = same_first_ / double(pairs_);
    if (common_ > 0) report.rank_change = moved_ / double(common_);
  }

 private:
  size_t pairs_ = 0, common_ = 0;
  double overlap_ = 0, same_first_ = 0, moved_ = 0;
};

// The events held out, and where both sides had them.
class Hits {
 public:
  void add(const Question& question, const std::optional<Answer>& active,
           const std::optional<Answer>& candidate) {
    const auto index = users_.try_emplace(question.user, uint32_t(users_.size())).first->second;
    targets_.targets.push_back(
        {.user = index, .history = uint32_t(question.request.history.size())});
    active_.rank.push_back(rank_of(active, question.taken));
    candidate_.rank.push_back(rank_of(candidate, question.taken));
  }
  std::optional<Foreseen> tell(int resamples) {
    if (targets_.targets.empty()) return std::nullopt;
    active_.stage = "active", candidate_.stage = "candidate";
    active_.lists.resize(active_.rank.size());
    candidate_.lists.resize(candidate_.rank.size());
    const eval::Evaluation both =
        eval::evaluate(targets_, {active_, candidate_}, {.resamples = resamples}, 1);
    return Foreseen{.events = targets_.targets.size(),
                    .users = users_.size(),
                    .active = both.stages[0].rows[0],
                    .candidate = both.stages[1].rows[0],
                    .difference = both.comparisons[0].difference,
                    .p = both.comparisons[0].p[eval::kN10]};
  }

 private:
  std::unordered_map<std::string, uint32_t> users_;
  eval::TargetSet targets_;
  eval::StageResult active_, candidate_;
};

}  // namespace

Question question_of(const HeldOut& event) {
  Question question{.request = {}, .user = event.user, .taken = event.item};
  question.request.history = event.history;
  question.request.times = event.times;
  question.request.time = event.time;
  question.request.k = kShown;
  return question;
}

void fill_up(std::vector<Question>& questions, const serving::Bundle& bundle, size_t least) {
  if (questions.size() >= least) return;
  const size_t users = bundle.dataset().users();
  const size_t step = std::max<size_t>(1, users / (least - questions.size()));
  for (size_t user = 0; user < users && questions.size() < least; user += step) {
    Question question;
    question.request.user = bundle.dataset().user_id(data::UserIndex(user));
    question.request.may_be_new = true;
    questions.push_back(std::move(question));
  }
}

Report compare(const serving::Recommender& active, const serving::Recommender& candidate,
               const std::vector<Question>& questions, const TrialOptions& options) {
  const auto stop_if_told = [&] {
    if (options.stop == nullptr || !*options.stop) return;
    throw Error(ErrorKind::kInterrupted, "the evaluation was ended before it was done",
                "ask for it again");
  };
  const auto rest_since = [&](Clock::time_point began) {
    if (options.rest > 0) std::this_thread::sleep_for((Clock::now() - began) * options.rest);
  };
  Asked of_active(active), of_candidate(candidate);
  for (size_t i = 0; i < std::min(kWarmUp, questions.size()); ++i) {
    stop_if_told();
    const auto began = Clock::now();
    of_active.ask(questions[i], false);
    of_candidate.ask(questions[i], false);
    rest_since(began);
  }
  Report report;
  report.active = active.bundle().dir().string();
  report.candidate = candidate.bundle().dir().string();
  report.planned = questions.size();
  Likeness likeness;
  Hits hits;
  const auto end = Clock::now() + options.most;
  for (const Question& question : questions) {
    stop_if_told();
    const auto began = Clock::now();
    if (began >= end) break;
    std::optional<Answer> before, after;
    const bool first = report.questions++ % 2 == 0;
    if (first) before = of_active.ask(question, true);
    after = of_candidate.ask(question, true);
    if (!first) before = of_active.ask(question, true);
    if (before && after) likeness.add(*before, *after);
    if (!question.taken.empty()) hits.add(question, before, after);
    rest_since(began);
  }
  report.of_active = of_active.side();
  report.of_candidate = of_candidate.side();
  likeness.tell(report);
  const auto &old_ms = report.of_active.p50_ms, &new_ms = report.of_candidate.p50_ms;
  if (old_ms && new_ms && *old_ms > 0) report.latency_ratio = *new_ms / *old_ms;
  report.foreseen = hits.tell(options.resamples);
  return report;
}

}  // namespace podium::shadow
