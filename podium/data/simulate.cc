#include "podium/data/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/data/dataset.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/impressions.h"

namespace podium::data {
namespace {

constexpr double kMonth = 30.4;
constexpr std::array<double, 7> kWeek = {0.8, 0.75, 0.75, 0.8, 1.0, 1.5, 1.4};  // from Monday
constexpr double kBusiest = 1.5;
constexpr double kThereAtOpening = 0.5;  // share of users who can come from the first day
constexpr double kInterestDays = 120;    // mean life of an interest at drift 1
constexpr double kMoreSlates = 0.45;     // chance of one more slate in the session
constexpr int kMaxSlates = 8;
constexpr int kTries = 8;   // draws until a slot of a slate stays empty
constexpr int kBestOf = 5;  // the shop knows its users to this degree
// With `tiring`: the median user's fatigue and bias, and how far users differ (log-normal).
constexpr double kFatigue = 1, kFatigueSpread = 0.6;
constexpr double kSteeper = 1.35, kSteeperSpread = 0.3;  // times position_bias
// Where a slot's item comes from: shares of popular, new and related; the rest is to taste.
constexpr double kPopular = 0.2, kNew = 0.1, kRelated = 0.3;

struct Interest {
  uint32_t category, brand, style;
  double weight;
};

// One user's life, slate after slate.
class Life {
 public:
  Life(const Shop& shop, const SimulateOptions& options, uint64_t user)
      : shop_(shop), options_(options), rng_(Rng(uint64_t(options.seed)).fork("users").fork(user)) {
    const double there = rng_.uniform(), day = rng_.uniform();
    day_ = there < kThereAtOpening ? 0 : day * 0.9 * options.days;
    per_day_ = options.sessions_per_month / kMonth * std::exp(0.6 * rng_.normal());
    price_level_ = rng_.normal();
    for (Interest& interest : interests_) interest = new_interest(shop_.draw_category(rng_, day_));
    tasted_ = day_;
    double bias = options.position_bias;
    if (options.tiring) {  // draws of its own, so that the others stay as they are
      Rng rng = Rng(uint64_t(options.seed)).fork("tiring").fork(user);
      model_.fatigue = kFatigue * std::exp(kFatigueSpread * rng.normal());
      bias *= kSteeper * std::exp(kSteeperSpread * rng.normal());
    }
    for (int p = 1; p <= options.slate_size; ++p) {
      model_.examined.push_back(std::pow(double(p), -bias));
    }
  }

  void run(const std::function<void(const ShownSlate&)>& show) {
    for (;;) {  // thinning: candidates at the busiest day's rate, kept by the weekday
      day_ -= std::log(1 - rng_.uniform()) / (per_day_ * kBusiest);
      if (day_ >= options_.days) return;
      if (rng_.uniform() * kBusiest < kWeek[size_t(day_) % kWeek.size()]) session(show);
    }
  }

 private:
  Interest new_interest(uint32_t category) {
    const Shop::Item& model = shop_.item(shop_.draw(rng_, category, day_));
    return {category, model.brand, model.style, 0.4 + rng_.uniform()};
  }

  // Tastes move by the time since they were last looked at.
  void drift() {
    const double days = day_ - tasted_;
    tasted_ = day_;
    price_level_ += 0.5 * options_.drift * std::sqrt(days / kYear) * rng_.normal();
    for (Interest& interest : interests_) {
      if (rng_.uniform() < std::exp(-options_.drift * days / kInterestDays)) continue;
      uint32_t next = shop_.draw_category(rng_, day_);
      for (int i = 0; i < 2 && !shop_.same_department(next, interest.category); ++i) {
        next = shop_.draw_category(rng_, day_);  // a neighbouring interest is likelier
      }
      interest = new_interest(next);
    }
  }

  void session(const std::function<void(const ShownSlate&)>& show) {
    drift();
    intent_ = draw_interest();
    auto time = std::max(kOpening + int64_t(day_ * kSecondsPerDay), free_from_);
    for (int slates = 0; slates < kMaxSlates; ++slates) {
      compose();
      click();
      if (!items_.empty()) show({time, items_, clicked_, model_});
      time += 3 * int64_t(options_.slate_size) + 30 + int64_t(rng_.below(120));
      if (rng_.uniform() >= kMoreSlates) break;
    }
    free_from_ = time;
  }

  const Interest* draw_interest() {
    std::array<double, 3> sum;
    double total = 0;
    for (size_t i = 0; i < interests_.size(); ++i) {
      const Interest& interest = interests_[i];
      sum[i] = total += interest.weight * std::exp(shop_.season(interest.category, day_));
    }
    const double u = rng_.uniform() * total;
    return &interests_[u < sum[0] ? 0 : u < sum[1] ? 1 : 2];
  }

  // Logarithm of the odds of a click on an examined item.
  double relevance(uint32_t number) const {
    const Shop::Item& item = shop_.item(number);
    double taste = 0;
    for (const Interest& interest : interests_) {
      if (interest.category == item.category) {
        const double like = 1.8 + 0.9 * (interest.brand == item.brand) +
                            0.9 * (interest.style == item.style) + 0.4 * (&interest == intent_);
        taste = std::max(taste, like);
      } else if (shop_.same_department(interest.category, item.category)) {
        taste = std::max(taste, 0.4);
      }
    }
    const double gap = item.price_level - price_level_;
    const bool related =
        std::find(companions_.begin(), companions_.end(), number) != companions_.end();
    return -3.2 + taste + 1.5 * related - 0.25 * std::min(gap * gap, 6.0) +
           0.3 * double(item.appeal) + 0.3 * shop_.season(item.category, day_);
  }

  uint32_t best_of(uint32_t category) {
    uint32_t best = shop_.draw(rng_, category, day_);
    double value = relevance(best);
    for (int i = 1; i < kBestOf; ++i) {
      const uint32_t other = shop_.draw(rng_, category, day_);
      const double v = relevance(other);
      if (v > value) best = other, value = v;
    }
    return best;
  }

  uint32_t draw_item() {
    double u = rng_.uniform();
    if ((u -= kPopular) < 0) return shop_.draw(rng_, shop_.draw_category(rng_, day_), day_);
    if ((u -= kNew) < 0) return shop_.draw_new(rng_, shop_.draw_category(rng_, day_), day_);
    if ((u -= kRelated) < 0 && !companions_.empty()) {
      return companions_[rng_.below(companions_.size())];
    }
    const Interest* interest = rng_.uniform() < 0.7 ? intent_ : draw_interest();
    return best_of(interest->category);
  }

  void find_companions() {
    companions_.clear();
    for (uint32_t k = 0; last_ && k < Shop::kCompanions; ++k) {
      if (const auto found = shop_.companion(*last_, k, day_)) companions_.push_back(*found);
    }
  }

  void compose() {
    find_companions();
    items_.clear();
    for (int slot = 0; slot < options_.slate_size; ++slot) {
      for (int tries = 0; tries < kTries; ++tries) {
        const uint32_t item = draw_item();
        const bool shown = std::find(items_.begin(), items_.end(), item) != items_.end();
        if (shown || chosen_.contains(item)) continue;
        items_.push_back(item);
        break;
      }
    }
    rng_.shuffle(std::span<uint32_t>(items_));
  }

  void click() {
    model_.liked.clear();
    model_.category.clear();
    for (const uint32_t item : items_) {
      model_.liked.push_back(1 / (1 + std::exp(-relevance(item))));
      model_.category.push_back(shop_.item(item).category);
    }
    as_shown_.resize(items_.size());
    std::iota(as_shown_.begin(), as_shown_.end(), 0);
    const auto chances = click_chances(model_, as_shown_);
    clicked_.assign(items_.size(), 0);
    std::optional<uint32_t> last;
    for (size_t p = 0; p < items_.size(); ++p) {
      if (rng_.uniform() >= chances[p]) continue;
      clicked_[p] = 1;
      chosen_.insert(items_[p]);
      last = items_[p];
    }
    if (last) last_ = last;
  }

  const Shop& shop_;
  const SimulateOptions& options_;
  Rng rng_;
  double day_ = 0, tasted_ = 0, per_day_ = 0, price_level_ = 0;
  int64_t free_from_ = 0;  // a session starts after the one before has ended
  std::array<Interest, 3> interests_{};
  const Interest* intent_ = nullptr;  // what this session is about
  std::optional<uint32_t> last_;      // clicked
  std::vector<uint32_t> companions_;  // of the last click, those on sale
  ClickModel model_;                  // of the slate; examination and fatigue are the user's
  std::vector<int> as_shown_;         // 0, 1, ..
  std::unordered_set<uint32_t> chosen_;
  std::vector<uint32_t> items_;
  std::vector<uint8_t> clicked_;
};

std::string user_id(uint64_t user) { return std::to_string(user + 1); }

void each_user(const std::string& label, const SimulateOptions& options,
               const std::function<void(uint64_t)>& body) {
  Progress progress(label, uint64_t(options.users), "users");
  for (uint64_t user = 0; user < uint64_t(options.users); ++user) {
    stop_if_interrupted();
    body(user);
    progress.add();
  }
}

Json options_json(SimulateOptions options) {
  Json json = Json::object();
  const auto keep = [&](std::string_view name, const auto& value, std::string_view) {
    json[std::string(name)] = value;
  };
  options.visit(keep);
  if (!options.tiring) json.erase("tiring");  // a dataset is as it was before there was this option
  return json;
}

Json write_events(const Shop& shop, const SimulateOptions& options, const fs::path& dir,
                  const std::string& name) {
  DatasetBuilder builder;
  for (uint32_t item = 0; item < shop.size(); ++item) builder.add_item(shop.describe(item));
  each_user("simulate events", options, [&](uint64_t user) {
    simulate_user(shop, options, user, [&](const ShownSlate& slate) {
      for (size_t p = 0; p < slate.items.size(); ++p) {
        if (slate.clicked[p] == 0) continue;
        builder.add_event(
            {user_id(user), fmt::format("p{}", slate.items[p]), slate.click_time(p), 1});
      }
    });
  });
  return builder.write(dir, name, 0, {{"simulate", options_json(options)}});
}

Json write_slates(const Shop& shop, const SimulateOptions& options, const fs::path& dir) {
  const Dataset dataset = Dataset::open(dir, /*verify=*/false);
  std::vector<ItemIndex> index(shop.size());
  for (uint32_t i = 0; i < shop.size(); ++i) index[i] = *dataset.find_item(fmt::format("p{}", i));
  ImpressionWriter writer(dir / "impressions");
  std::vector<ItemIndex> items;
  each_user("simulate slates", options, [&](uint64_t number) {
    const auto user = dataset.find_user(user_id(number));
    if (!user) return;
    simulate_user(shop, options, number, [&](const ShownSlate& slate) {
      items.clear();
      for (const uint32_t item : slate.items) items.push_back(index[item]);
      writer.add({*user, slate.time, items, slate.clicked});
    });
  });
  return writer.finish();
}

}  // namespace

void simulate_user(const Shop& shop, const SimulateOptions& options, uint64_t user,
                   const std::function<void(const ShownSlate&)>& show) {
  Life(shop, options, user).run(show);
}

Json simulate(const SimulateOptions& options, const fs::path& out, const std::string& name) {
  artifact::AtomicDir whole(out, "dataset");
  const Shop shop(options);
  Json content = write_events(shop, options, whole.path(), name);
  if (options.impressions) content.update(write_slates(shop, options, whole.path()));
  whole.commit();
  return content;
}

}  // namespace podium::data
