#include "podium/data/split.h"

#include <algorithm>
#include <numeric>

#include "podium/base/error.h"

namespace podium::data {
namespace {

// Asked for: the events [n - depth + 1 - count, n - depth + 1), fewer for users of few events.
Phase hold_out(const Dataset& dataset, std::string name, uint32_t depth, uint32_t count = 1) {
  Phase phase{std::move(name), {&dataset, {}}, {}};
  for (UserIndex user = 0; user < dataset.users(); ++user) {
    const auto n = static_cast<uint32_t>(dataset.items_of(user).size());
    const uint32_t end = n >= depth ? n - depth + 1 : 0;
    const uint32_t first = end - std::min(end, std::max(1U, std::min(count, end / 2)));
    phase.fit.length.push_back(first);
    if (first == 0) continue;
    for (uint32_t position = first; position < end; ++position) {
      phase.targets.push_back({user, position});
    }
  }
  return phase;
}

// Events before `begin` fit; events in [begin, end) are asked for.
Phase time_window(const Dataset& dataset, std::string name, int64_t begin, int64_t end) {
  Phase phase{std::move(name), {&dataset, {}}, {}};
  for (UserIndex user = 0; user < dataset.users(); ++user) {
    const auto times = dataset.times_of(user);
    const auto first =
        static_cast<uint32_t>(std::lower_bound(times.begin(), times.end(), begin) - times.begin());
    const auto last =
        static_cast<uint32_t>(std::lower_bound(times.begin(), times.end(), end) - times.begin());
    phase.fit.length.push_back(first);
    for (uint32_t position = std::max(first, 1U); position < last; ++position) {
      phase.targets.push_back({user, position});
    }
  }
  return phase;
}

}  // namespace

uint64_t View::events() const { return std::accumulate(length.begin(), length.end(), uint64_t{0}); }

size_t seen_targets(const Phase& phase) {
  const Dataset& dataset = *phase.fit.dataset;
  std::vector<UserIndex> had_by(dataset.items(), UserIndex(dataset.users()));  // nobody yet
  size_t seen = 0, read = 0;  // read: of the user's events
  for (size_t t = 0; t < phase.targets.size(); ++t) {
    const auto& [user, position] = phase.targets[t];
    const auto items = dataset.items_of(user);
    if (t == 0 || phase.targets[t - 1].user != user) read = 0;
    for (; read < position; ++read) had_by[items[read]] = user;
    seen += had_by[items[position]] == user ? 1 : 0;
  }
  return seen;
}

Split leave_one_out(const Dataset& dataset, uint32_t slate_targets) {
  return {hold_out(dataset, "slates", 3, slate_targets), hold_out(dataset, "valid", 2),
          hold_out(dataset, "test", 1)};
}

Split global_time(const Dataset& dataset, double before_t0, double before_t1, double before_t2) {
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
  return {time_window(dataset, "slates", t0, t1), time_window(dataset, "valid", t1, t2),
          time_window(dataset, "test", t2, times.back() + 1)};
}

}  // namespace podium::data
