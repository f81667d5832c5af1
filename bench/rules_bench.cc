// What the rules of a slate cost: the file of docs/rules.md, whole and without single rules, on
// random lists; one core. The machine's own speed beside it: sorting as many numbers.
//
//   rules_bench [--items 100] [--requests 300]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/measure.h"
#include "podium/base/files.h"
#include "podium/base/rng.h"
#include "podium/policy/apply.h"

namespace podium::bench {
namespace {

using policy::FieldValue;

constexpr int64_t kNow = 1'700'000'000;

// A shop's items, their fields behind a map as a server would have them.
class Shop : public policy::ItemFields {
 public:
  Shop(size_t items, Rng rng) {
    const auto name = [&](const char* what, uint64_t of) {
      return what + std::to_string(rng.below(of));
    };
    for (size_t i = 0; i < items; ++i) {
      ids_.push_back(std::to_string(i));
      std::string title;
      for (int word = 0; word < 8; ++word) title += name("word", 300) + " ";
      fields_.push_back({{"stock", double(rng.below(10))},
                         {"regions", std::vector<std::string>{"eu", name("r", 5)}},
                         {"categories", std::vector<std::string>{name("c", 20), name("d", 40)}},
                         {"added", double(kNow) - 86'400 * double(rng.below(200))},
                         {"margin", rng.uniform() * 0.4},
                         {"brand", name("brand", 25)},
                         {"title", title},
                         {"seller_size", rng.below(4) == 0 ? "small" : std::string("large")},
                         {"sponsored", rng.below(10) == 0}});
    }
    for (size_t i = 0; i < items; ++i) items_.push_back({ids_[i], -double(i)});
  }
  std::span<const policy::RankedItem> items() const { return items_; }
  std::optional<FieldValue> field(size_t index, std::string_view name) const override {
    const auto found = fields_[index].find(name);
    return found == fields_[index].end() ? std::nullopt : std::optional<FieldValue>(found->second);
  }

 private:
  std::vector<std::string> ids_;
  std::vector<policy::RankedItem> items_;
  std::vector<std::map<std::string, FieldValue, std::less<>>> fields_;
};

// The page's example.
std::string example() {
  const std::string page = read_file("docs/rules.md");
  const size_t begin = page.find("```toml\n") + 8;
  return page.substr(begin, page.find("```", begin) - begin);
}

// The median over requests, in microseconds.
double cost(const policy::Rules& rules, const std::vector<Shop>& shops,
            std::span<const policy::BetaCounts> counts) {
  std::vector<double> times;
  for (size_t r = 0; r < shops.size(); ++r) {
    policy::RulesContext context;
    context.now = kNow;
    context.seed = r;
    context.request = {{"region", "eu"}, {"page", "home"}, {"adult", "yes"}};
    context.counts = counts;
    times.push_back(1e6 *
                    seconds([&] { policy::apply(rules, shops[r].items(), shops[r], context); }));
  }
  return median(times);
}

int run(int argc, char** argv) {
  const auto items = size_t(argument(argc, argv, "items", 100));
  const auto requests = size_t(argument(argc, argv, "requests", 300));
  std::vector<Shop> shops;
  for (size_t r = 0; r < requests; ++r) shops.emplace_back(items, Rng(1).fork(r));
  const std::vector<policy::BetaCounts> counts(items, {3, 40});
  const std::string all = example();
  const std::string filters = all.substr(0, all.find("# Who deserves more."));
  const std::string mixed = all.substr(0, all.find("# What the first places"));
  const std::string fields = "fields = [\"categories\", \"brand\"]\n";
  const std::vector<std::pair<const char*, std::string>> files = {
      {"no rules", ""},
      {"filters", filters},
      {"filters, boosts, duplicates, MMR", mixed},
      {"all of docs/rules.md", all},
      {"duplicates alone", "[duplicates]\nfield = \"title\"\n"},
      {"MMR alone", "[diversity]\n" + fields},
      {"DPP alone", "[diversity]\nmethod = \"dpp\"\n" + fields},
      {"Thompson alone", "[explore]\nmethod = \"thompson\"\nwindow = 20\n"}};
  for (const auto& [name, toml] : files) {
    const auto rules = policy::Rules::parse(toml, "rules.toml");
    fmt::print("{:<34} {:8.1f} us\n", name, cost(rules, shops, counts));
  }
  const double sort = 1e6 / 1000 * seconds([&] {
                        std::vector<double> values(items);
                        Rng rng(2);
                        for (int i = 0; i < 1000; ++i) {
                          for (double& value : values) value = rng.uniform();
                          std::sort(values.begin(), values.end());
                        }
                      });
  fmt::print("{:<34} {:8.1f} us\n", "sorting as many numbers", sort);
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
