// The rules of a slate as they were read: what each does is told in docs/rules.md, and done by
// apply.h. Immutable once read.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace podium::policy {

inline constexpr int kMostPlaces = 1000;   // that a rule can name
inline constexpr int kMostWatched = 100;   // first places whose objective or exposure is steered
inline constexpr int kMostDraws = 10'000;  // of Thompson sampling

struct Named {
  std::string name, reason;  // the reason is the name where none was given
};

using Scalar = std::variant<bool, double, std::string>;

// Of one field; every part that is there must hold (condition.h).
struct FieldTest {
  std::string field = {};
  bool of_request = false;  // else of the item
  std::optional<bool> present = {};
  std::vector<Scalar> in = {}, not_in = {};  // empty: not tested
  std::optional<double> at_least = {}, at_most = {};
  std::optional<double> older_than = {}, newer_than = {};  // seconds
  std::string matches_request = {};  // a field of the request; empty: not tested
};
using Condition = std::vector<FieldTest>;  // all must hold

struct Filter : Named {
  enum class Kind : uint8_t { kKeep, kDrop, kSeen, kBlocked };
  Kind kind = Kind::kKeep;
  Condition condition = {};                         // of kKeep: who stays; of kDrop: who leaves
  bool unknown_leaves = true;                       // where the condition is unknown
  std::set<std::string, std::less<>> blocked = {};  // ids
};

// Adds to the score, which is 0 to 1 within the slate.
struct Boost : Named {
  double weight = 0;
  std::string field = {};  // empty: the weight itself
  double half_life = 0;    // seconds: of a time; 0: field is a number
  Condition when = {};     // empty: for all
};

struct Cap : Named {
  std::string field = {};
  int at_most = 1;
  int first = kMostPlaces;
};

struct Pin : Named {
  std::string item = {};
  int place = 1;
  Condition when = {};  // empty: always
};

struct Sponsored : Named {
  std::vector<int> places = {};  // ascending, distinct
  Condition when = {};
  std::string label = {};
};

struct Duplicates : Named {
  std::string field = {};
  int words = 1;  // a shingle's
  double threshold = 0.8;
};

struct Diversity : Named {
  enum class Method : uint8_t { kMmr, kDpp };
  Method method = Method::kMmr;
  double trade = 0.3;
  std::vector<std::string> fields = {};  // empty: by vectors
  int first = 50;
};

struct Objective : Named {
  std::string field = {};
  double at_least = 0;
  int first = 10;
};

struct Exposure : Named {
  std::string field = {};
  std::vector<std::pair<std::string, double>> targets = {};  // value, share
  double tolerance = 0.05;
  int first = 10;
};

struct Explore : Named {
  enum class Method : uint8_t { kEpsilonGreedy, kThompson, kLinUcb };
  Method method = Method::kEpsilonGreedy;
  double epsilon = 0;
  int draws = 200;
  double alpha = 1;
  int window = kMostPlaces, from = 1;
};

struct RuleSet {
  std::vector<Filter> filters;
  std::vector<Boost> boosts;
  std::vector<Cap> caps;
  std::vector<Pin> pins;
  std::vector<Sponsored> sponsored;
  std::optional<Duplicates> duplicates;
  std::optional<Diversity> diversity;
  std::vector<Objective> objectives;
  std::vector<Exposure> exposures;
  std::optional<Explore> explore;
};

}  // namespace podium::policy
