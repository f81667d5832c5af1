// A candidate bundle beside the active one: both answer the same questions.
//
//   questions   what was asked lately, and what users did since (held_out.h)
//     │ both sides answer each, one at a time, turn and turn about
//     ▼
//   Report      the slates side by side, what answers went without, times; of the events held out
//               whether they were foreseen, paired over users
//
// Rules are not applied: they are not the bundle's, and know what a user has done since.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "podium/eval/metrics.h"
#include "podium/serving/recommender.h"
#include "podium/shadow/held_out.h"

namespace podium::shadow {

struct Question {
  serving::Request request;                                           // its deadline is not read
  serving::Clock::duration within = serving::Clock::duration::max();  // of the answer
  std::string user = {}, taken = {};  // an item held out, and whose; or none
};

// As of the moment of an event held out, with what was known before it.
Question question_of(const HeldOut& event);
// Users of the bundle, evenly taken, until there are `least` questions.
void fill_up(std::vector<Question>& questions, const serving::Bundle& bundle, size_t least);

// What one bundle answered.
struct Side {
  size_t failed = 0;         // no answer
  std::string failure = {};  // the first of them, in words
  size_t degraded = 0;
  std::map<std::string, size_t, std::less<>> went_without = {};
  std::optional<double> p50_ms, p99_ms;  // of answers; none without one
  size_t items = 0, shown = 0;           // of the catalogue; of them in the first kShown of answers
  size_t history = 0, unknown = 0;       // events of the histories; of them of items not known
};

// Of the questions with an event held out. Intervals of 95 %, paired over users.
struct Foreseen {
  size_t events = 0, users = 0;
  eval::MetricRow active{}, candidate{}, difference{};
  double p = 1;  // of the difference of N@10
};

struct Report {
  std::string active, candidate;      // directories
  size_t questions = 0, planned = 0;  // asked; fewer than planned when the time was over
  Side of_active, of_candidate;
  // Over the first kShown of both answers; none where no question has two.
  std::optional<double> overlap;        // share of the items that both have
  std::optional<double> same_first;     // share of questions with the same first item
  std::optional<double> rank_change;    // mean of the places that a common item moved
  std::optional<double> latency_ratio;  // of the medians
  std::optional<Foreseen> foreseen;     // none without an event held out
};

inline constexpr size_t kShown = 10;

struct TrialOptions {
  std::chrono::seconds most = std::chrono::seconds(30);  // of asking; what was asked then counts
  double rest = 0;       // after each question, so many times as long as that took
  int resamples = 2000;  // of the intervals
  const std::atomic<bool>* stop = nullptr;  // true: throw Error (kInterrupted)
};

// Asks on the caller's thread.
Report compare(const serving::Recommender& active, const serving::Recommender& candidate,
               const std::vector<Question>& questions, const TrialOptions& options = {});

Json to_json(const Report& report);
std::string render(const Report& report);  // for terminals

}  // namespace podium::shadow
