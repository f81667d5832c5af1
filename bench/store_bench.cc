// What a long log costs: a start on it, and histories that are read from the disk.
//
//   store_bench --state DIR [--events 1000000] [--users 100000] [--items 50000] [--reads 20000]
//
// A folder without a log gets one of so many events first, by ids as shops have them (a UUID, ten
// letters); one with a log is opened. Prints a line of JSON.
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "bench/measure.h"
#include "podium/base/json.h"
#include "podium/base/rng.h"
#include "podium/store/store.h"

namespace podium::bench {
namespace {

std::string user_named(uint64_t i) {
  const uint64_t hash = stable_hash("user", i);
  return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", hash >> 32U, hash >> 16U & 0xFFFFU,
                     hash & 0xFFFU, hash >> 8U & 0xFFFU, i);
}

// Some users much more than others.
std::string some_user(Rng& rng, uint64_t users) {
  const double u = rng.uniform();
  return user_named(uint64_t(u * u * u * double(users)));
}

double resident_mb() {
  size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return double(resident) * double(sysconf(_SC_PAGESIZE)) / 1e6;
}

double make(const fs::path& dir, long events, uint64_t users, uint64_t items) {
  constexpr long kTogether = 500;
  store::Store store(dir);
  Rng rng(1);
  return seconds([&] {
    for (long done = 0; done < events; done += kTogether) {
      std::vector<store::Change> changes;
      for (long i = 0; i < kTogether; ++i) {
        changes.emplace_back(
            store::Event{some_user(rng, users),
                         {fmt::format("B{:09}", rng.below(items)), 1'700'000'000 + done / 10}});
      }
      store.append(std::move(changes));
    }
  });
}

std::vector<double> ask(const store::Store& store, long reads, uint64_t users) {
  Rng rng(2);
  std::vector<double> times;
  for (long i = 0; i < reads; ++i) {
    const std::string user = some_user(rng, users);
    times.push_back(1e6 * seconds([&] { store.history_of(user); }));
  }
  return times;
}

std::string text_argument(int argc, char** argv, const std::string& name) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == "--" + name) return argv[i + 1];
  }
  throw Error("no --" + name, "name a folder");
}

int run(int argc, char** argv) {
  const fs::path dir = text_argument(argc, argv, "state");
  const long events = argument(argc, argv, "events", 1'000'000);
  const auto users = uint64_t(argument(argc, argv, "users", 100'000));
  const auto items = uint64_t(argument(argc, argv, "items", 50'000));
  const long reads = argument(argc, argv, "reads", 20'000);
  Json told;
  if (!fs::exists(dir / store::kLogFile)) {
    told["events_per_s"] = double(events) / make(dir, events, users, items);
  }
  const double before_mb = resident_mb();
  std::optional<store::Store> store;
  told["start_s"] = seconds([&] { store.emplace(dir); });
  told["offset"] = store->applied();
  told["file_mb"] = double(fs::file_size(dir / store::kLogFile)) / 1e6;
  told["started_mb"] = resident_mb() - before_mb;
  for (const char* const round : {"first", "again"}) {
    const std::vector<double> times = ask(*store, reads, users);
    told[round] = {{"p50_us", percentile(times, .5)}, {"p99_us", percentile(times, .99)}};
  }
  told["asked_mb"] = resident_mb() - before_mb;
  told["hot_mb"] = double(store->hot_bytes()) / 1e6;
  fmt::print("{}\n", told.dump());
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
