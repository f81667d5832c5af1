// What is asked of a Recommender, and what it answers. Users and items go by their string ids.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "podium/rerank/slate.h"
#include "podium/serving/live_state.h"

namespace podium::serving {

using Clock = std::chrono::steady_clock;

inline constexpr size_t kMostItems = 1000;  // that can be asked for

inline constexpr size_t kMostIdLength = 512;  // characters of an id that is kept

// What is wrong with an id that is to be kept: it is empty, too long, or holds control characters
// of ASCII, which break lines of logs and headers. Empty: nothing.
std::string id_problem(std::string_view id);

// With candidates: their order. Without: the k best items.
struct Request {
  // Whose history: a user's, or one that is given. Neither: somebody new.
  std::string user;
  std::vector<std::string> history;  // oldest first
  std::vector<int64_t> times;        // of history, unix seconds, not falling; empty: unknown

  // When: the moment asked for, unix seconds; none: now. The ranker reads how long ago the user's
  // last event was, by the same rule in training, evaluation and serving (Recommender).
  std::optional<int64_t> time;

  bool may_be_new = false;  // a user whom nobody knows is somebody new, and no error

  std::vector<std::string> candidates;  // 2 .. 100, distinct, best first as far as the caller knows
  // What the caller tells of candidates that neither bundle nor live state knows: for this request
  // they are items of the catalogue.
  std::vector<LiveItem> described = {};
  size_t k = 10;         // 1 .. kMostItems; every candidate is answered
  bool explain = false;  // let the reasoning policy answer, and tell its trace
  Clock::time_point deadline = Clock::time_point::max();
};

struct AnswerItem {
  std::string id = {}, title = {};  // the title is empty when there is none
  int upstream_rank = 0;            // from 0: before the policy; with candidates: in the request
  bool known = true;     // false: a candidate that podium knows nothing of, left in its place
  uint32_t sources = 0;  // without candidates: bit s: Bundle::source_names()[s] found it
  rerank::Evidence evidence{};
  // How likely the policy holds it that this item is taken first of those that it ordered: its
  // choice, times how likely none of those before it was (Plackett and Luce's model). Never rises
  // along the list. NaN: the policy did not choose it.
  float score = std::numeric_limits<float>::quiet_NaN();
};

// An item that a policy's trace cites, and what it says of it, the strongest first.
struct Cited {
  std::string item;
  std::vector<rerank::EvidenceKind> kinds;
};

// What an answer went without. Each is a text that stays: "policy late", ...
namespace degraded {
inline constexpr std::string_view kRetrievalLate = "retrieval late";  // the most popular items
inline constexpr std::string_view kFewFound = "few found";  // the most popular items come after
inline constexpr std::string_view kRankingLate = "ranking late";  // in the sources' order
// The policy was cut short: the names that it had chosen, then the others as it was about to rank
// them; upstream's order if it had chosen none.
inline constexpr std::string_view kPolicyLate = "policy late";
inline constexpr std::string_view kPolicyInvalid = "policy invalid";  // upstream's order
}  // namespace degraded

// Milliseconds; 0 where a stage had no part.
struct StageTimes {
  double retrieval = 0, ranking = 0, policy = 0;
};

struct Answer {
  std::vector<AnswerItem> items;  // best first
  std::string explanation = {};   // the policy's trace, items by their titles; empty without one
  std::vector<Cited> cited = {};  // in it; empty where traces keep to no grammar of claims
  std::vector<std::string_view> degraded = {};
  StageTimes took = {};
  size_t history = 0;          // events that were used
  size_t history_shown = 0;    // of them the newest that the policy was shown
  size_t unknown_history = 0;  // events of items that podium does not know, left out
  size_t unknown_candidates = 0;
  bool new_user = false;  // nobody knows the user: answered as somebody new

  bool has(std::string_view what) const {
    for (const std::string_view told : degraded) {
      if (told == what) return true;
    }
    return false;
  }
};

}  // namespace podium::serving
