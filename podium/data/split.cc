#include "podium/data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "podium/base/error.h"

namespace podium::data {
namespace {

// Where a user's targets begin: at each event, or with baskets where the time moves on; then the
// number of events.
std::vector<uint32_t> begins_of(std::span<const int64_t> times, bool baskets) {
  std::vector<uint32_t> begins;
  for (uint32_t e = 0; e < times.size(); ++e) {
    if (e == 0 || !baskets || times[e] != times[e - 1]) begins.push_back(e);
  }
  begins.push_back(uint32_t(times.size()));
  return begins;
}

void ask_for(UserIndex user, uint32_t begin, uint32_t end, bool baskets, Phase& phase) {
  phase.targets.push_back({user, begin});
  if (baskets) phase.basket.push_back(end - begin);
}

// Asked for: the targets [n - depth + 1 - count, n - depth + 1) of n, fewer for users of few.
Phase hold_out(const Dataset& dataset, std::string name, bool baskets, uint32_t depth,
               uint32_t count = 1) {
  Phase phase{std::move(name), {&dataset, {}}, {}};
  for (UserIndex user = 0; user < dataset.users(); ++user) {
    const std::vector<uint32_t> begins = begins_of(dataset.times_of(user), baskets);
    const auto n = uint32_t(begins.size()) - 1;
    const uint32_t end = n >= depth ? n - depth + 1 : 0;
    const uint32_t first = end - std::min(end, std::max(1U, std::min(count, end / 2)));
    phase.fit.length.push_back(begins[first]);
    if (first == 0) continue;
    for (uint32_t t = first; t < end; ++t) {
      ask_for(user, begins[t], begins[t + 1], baskets, phase);
    }
  }
  return phase;
}

// Events before `begin` fit; events in [begin, end) are asked for.
Phase time_window(const Dataset& dataset, std::string name, bool baskets, int64_t begin,
                  int64_t end) {
  Phase phase{std::move(name), {&dataset, {}}, {}};
  for (UserIndex user = 0; user < dataset.users(); ++user) {
    const auto times = dataset.times_of(user);
    const auto first =
        static_cast<uint32_t>(std::lower_bound(times.begin(), times.end(), begin) - times.begin());
    const auto last =
        static_cast<uint32_t>(std::lower_bound(times.begin(), times.end(), end) - times.begin());
    phase.fit.length.push_back(first);
    const std::vector<uint32_t> begins = begins_of(times, baskets);
    for (size_t t = 0; t + 1 < begins.size(); ++t) {
      if (begins[t] < std::max(first, 1U) || begins[t] >= last) continue;
      ask_for(user, begins[t], begins[t + 1], baskets, phase);
    }
  }
  return phase;
}

// Whether a slate can be re-ranked and judged.
bool can_be_judged(const ImpressionSlate& slate) {
  return slate.items.size() >= 2 &&
         std::ranges::any_of(slate.clicked, [](uint8_t clicked) { return clicked != 0; });
}

// 1 / the chance of place p: as the log tells it, else as the model of who looks where.
double inverse_propensity(const ImpressionSlate& slate, size_t p, double position_bias) {
  const float told = slate.propensities.empty() ? 0 : slate.propensities[p];
  return std::min(kMostWeight,
                  told > 0 ? 1 / double(told) : std::pow(double(p + 1), position_bias));
}

// Of the slates asked for: the mean of 1 / P(looked at) over their clicks, 1 on average.
std::vector<float> weights_of(const Phase& phase, double position_bias) {
  const bool told = std::ranges::any_of(
      phase.shown, [&](uint64_t s) { return !phase.impressions->slate(s).propensities.empty(); });
  if (position_bias == 0 && !told) return {};
  std::vector<float> weights;
  double sum = 0;
  for (const uint64_t s : phase.shown) {
    const ImpressionSlate slate = phase.impressions->slate(s);
    double weight = 0, clicks = 0;
    for (size_t p = 0; p < slate.items.size(); ++p) {
      if (slate.clicked[p] == 0) continue;
      weight += inverse_propensity(slate, p, position_bias);
      clicks += 1;
    }
    weights.push_back(float(weight / clicks));
    sum += weight / clicks;
  }
  for (float& weight : weights) weight *= float(double(weights.size()) / sum);
  return weights;
}

// Events before `begin` fit; slates in [begin, end) are asked for.
Phase shown_window(const Dataset& dataset, const std::string& name,
                   std::shared_ptr<const Impressions> impressions, int64_t begin, int64_t end) {
  Phase phase = time_window(dataset, name, false, begin, begin);
  phase.impressions = std::move(impressions);
  for (uint64_t s = 0; s < phase.impressions->slates(); ++s) {
    const ImpressionSlate slate = phase.impressions->slate(s);
    if (slate.time < begin || slate.time >= end || !can_be_judged(slate)) continue;
    const auto times = dataset.times_of(slate.user);
    const auto position =
        uint32_t(std::lower_bound(times.begin(), times.end(), slate.time) - times.begin());
    if (position == 0) continue;
    phase.targets.push_back({slate.user, position});
    phase.shown.push_back(s);
  }
  if (phase.targets.empty()) {
    throw Error("no slate with a click and a history falls into phase " + name,
                "move split.before_t0, before_t1 and before_t2, or import more impressions");
  }
  return phase;
}

}  // namespace

uint64_t View::events() const { return std::accumulate(length.begin(), length.end(), uint64_t{0}); }

std::vector<ItemIndex> Phase::answers(size_t target) const {
  const auto& [user, position] = targets[target];
  if (!impressions) {
    const auto own =
        fit.dataset->items_of(user).subspan(position, by_baskets() ? basket[target] : 1);
    return {own.begin(), own.end()};
  }
  const ImpressionSlate slate = impressions->slate(shown[target]);
  std::vector<ItemIndex> clicked;
  for (size_t i = 0; i < slate.items.size(); ++i) {
    if (slate.clicked[i] != 0) clicked.push_back(slate.items[i]);
  }
  return clicked;
}

std::string Phase::slate_id(size_t target) const {
  const auto& [user, position] = targets[target];
  const std::string_view id = fit.dataset->user_id(user);
  return impressions ? fmt::format("{}#{}", id, shown[target]) : fmt::format("{}@{}", id, position);
}

int64_t Phase::time(size_t target) const {
  if (impressions) return impressions->slate(shown[target]).time;
  return fit.dataset->times_of(targets[target].user)[targets[target].position];
}

std::vector<Target> Phase::next_events() const {
  std::vector<Target> events;
  for (const Target& target : targets) {
    const bool there = target.position < fit.dataset->items_of(target.user).size();
    if (there && (events.empty() || events.back() != target)) events.push_back(target);
  }
  return events;
}

Phase Phase::by_events() const { return impressions ? Phase{name, fit, next_events()} : *this; }

size_t seen_targets(const Phase& phase) {
  const Dataset& dataset = *phase.fit.dataset;
  std::vector<UserIndex> had_by(dataset.items(), UserIndex(dataset.users()));  // nobody yet
  size_t seen = 0, read = 0;  // read: of the user's events
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    const UserIndex user = phase.targets[t].user;
    const auto items = dataset.items_of(user);
    if (t == 0 || phase.targets[t - 1].user != user) read = 0;
    for (; read < phase.targets[t].position; ++read) had_by[items[read]] = user;
    const auto answers = phase.answers(t);
    seen += std::ranges::all_of(answers, [&](ItemIndex item) { return had_by[item] == user; });
  }
  return seen;
}

Split leave_one_out(const Dataset& dataset, uint32_t slate_targets, bool baskets) {
  return {hold_out(dataset, "slates", baskets, 3, slate_targets),
          hold_out(dataset, "valid", baskets, 2), hold_out(dataset, "test", baskets, 1)};
}

Split global_time(const Dataset& dataset, double before_t0, double before_t1, double before_t2,
                  bool baskets) {
  if (!(0 < before_t0 && before_t0 < before_t1 && before_t1 < before_t2 && before_t2 < 1)) {
    throw Error("the shares of a global-time split must ascend between 0 and 1",
                "for example 0.7, 0.8, 0.9");
  }
  std::vector<int64_t> times;
  times.reserve(dataset.events());
  for (UserIndex user = 0; user < dataset.users(); ++user) {
    const auto of_user = dataset.times_of(user);
    times.insert(times.end(), of_user.begin(), of_user.end());
  }
  std::sort(times.begin(), times.end());
  const auto border = [&](double share) { return times[size_t(share * double(times.size()))]; };
  const int64_t t0 = border(before_t0), t1 = border(before_t1), t2 = border(before_t2);
  return {time_window(dataset, "slates", baskets, t0, t1),
          time_window(dataset, "valid", baskets, t1, t2),
          time_window(dataset, "test", baskets, t2, times.back() + 1)};
}

Split by_impressions(const Dataset& dataset, std::shared_ptr<const Impressions> impressions,
                     const ImpressionBorders& borders) {
  std::vector<int64_t> times;
  for (size_t s = 0; s < impressions->slates(); ++s) times.push_back(impressions->slate(s).time);
  std::sort(times.begin(), times.end());
  const auto border = [&](double share) {
    const auto at = size_t(share * double(times.size()));
    return at < times.size() ? times[at] : std::numeric_limits<int64_t>::max();
  };
  const int64_t t0 = border(borders.before_t0), t1 = border(borders.before_t1),
                t2 = border(borders.before_t2);
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  Split split{shown_window(dataset, "slates", impressions, t0, t1),
              shown_window(dataset, "valid", impressions, t1, t2),
              shown_window(dataset, "test", std::move(impressions), t2, kEnd)};
  for (Phase* phase : {&split.slates, &split.valid, &split.test}) {
    phase->weights = weights_of(*phase, borders.position_bias);
  }
  return split;
}

}  // namespace podium::data
