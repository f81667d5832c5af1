#include "podium/rerank/slate_reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "podium/base/error.h"
#include "podium/data/list_measures.h"
#include "podium/rerank/reward.h"

namespace podium::rerank {
namespace {

constexpr double kEpsilon = 1e-12;
constexpr double kMostWeight = 1000;
constexpr size_t kLabelRanks = 10, kListRanks = 5;

struct TermName {
  std::string_view name;
  RewardTerm term;
  size_t at;  // ranks where none are written; 0: it takes all
};
// In the order of RewardTerm.
constexpr std::array<TermName, 11> kTerms = {{{"ndcg-gain", RewardTerm::kNdcg, kLabelRanks},
                                              {"auc-gain", RewardTerm::kAuc, 0},
                                              {"rank", RewardTerm::kRank, 0},
                                              {"alpha-ndcg", RewardTerm::kAlphaNdcg, kLabelRanks},
                                              {"coverage", RewardTerm::kCoverage, kListRanks},
                                              {"ild", RewardTerm::kDistance, kListRanks},
                                              {"novelty", RewardTerm::kNovelty, kListRanks},
                                              {"freshness", RewardTerm::kFreshness, kListRanks},
                                              {"margin", RewardTerm::kMargin, kListRanks},
                                              {"exposure", RewardTerm::kExposure, kListRanks},
                                              {"clicks", RewardTerm::kClicks, kLabelRanks}}};

[[noreturn]] void refuse(std::string_view text, const std::string& what) {
  std::string names;
  for (const TermName& known : kTerms) {
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  throw Error(
      fmt::format("reward '{}': {}", text, what),
      fmt::format("write ndcg, auc or terms like ndcg-gain:1,coverage:0.2,ild:0.2@8 of {}", names));
}

// The number that is all of a text; nullopt else.
template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "ild:0.2@8". text: the whole, for messages.
WeightedTerm parse_term(std::string_view text, std::string_view part) {
  const size_t at_mark = std::min(part.find('@'), part.size());
  const size_t weight_mark = std::min(part.substr(0, at_mark).find(':'), at_mark);
  const std::string_view name = part.substr(0, weight_mark);
  const auto* known = std::find_if(kTerms.begin(), kTerms.end(),
                                   [&](const TermName& term) { return term.name == name; });
  if (known == kTerms.end()) refuse(text, fmt::format("there is no term '{}'", name));
  WeightedTerm term{known->term, 1, known->at};
  if (weight_mark < at_mark) {
    const auto weight = number_of<double>(part.substr(weight_mark + 1, at_mark - weight_mark - 1));
    if (!weight || !(*weight > 0) || *weight > kMostWeight) {
      refuse(text, fmt::format("the weight of {} must be above 0 and at most 1000", name));
    }
    term.weight = *weight;
  }
  if (at_mark < part.size()) {
    if (term.at == 0) refuse(text, fmt::format("{} is of all ranks", name));
    const auto at = number_of<size_t>(part.substr(at_mark + 1));
    if (!at || *at < 1 || *at > kMaxCandidates) {
      refuse(text, fmt::format("the ranks of {} must be a whole number from 1 to 100", name));
    }
    term.at = *at;
  }
  return term;
}

// What a term is about and the catalogue does not have; empty: nothing.
std::string_view lacking(RewardTerm term, const data::ItemFacts& facts) {
  const auto no = [](const auto& column, auto known, std::string_view name) {
    return std::any_of(column.begin(), column.end(), known) ? "" : name;
  };
  switch (term) {
    case RewardTerm::kAlphaNdcg:
    case RewardTerm::kCoverage:
      return no(
          facts.categories, [](const auto& own) { return !own.empty(); }, "categories");
    case RewardTerm::kDistance:
      return facts.vectors.empty() ? "item vectors" : "";
    case RewardTerm::kMargin:
      return no(
          facts.price, [](float price) { return price > 0; }, "prices");
    case RewardTerm::kExposure:
      return no(
          facts.group, [](uint32_t group) { return group > 0; }, "brands");
    default:
      return "";
  }
}

// Of a known price over the highest; an unknown one is worth nothing.
std::vector<double> price_shares(std::span<const float> prices, std::span<const ItemIndex> items) {
  std::vector<double> shares;
  double highest = 0;
  for (const ItemIndex item : items) {
    shares.push_back(prices[item] > 0 ? double(prices[item]) : 0);
    highest = std::max(highest, shares.back());
  }
  for (double& share : shares) share = highest > 0 ? share / highest : 0;
  return shares;
}

std::vector<double> picked(std::span<const float> values, std::span<const ItemIndex> items) {
  std::vector<double> own;
  for (const ItemIndex item : items) own.push_back(double(values[item]));
  return own;
}

}  // namespace

bool RewardSpec::needs_facts() const {
  return std::any_of(terms.begin(), terms.end(), [](const WeightedTerm& weighted) {
    return weighted.term > RewardTerm::kRank;  // the first three are about labels
  });
}

bool RewardSpec::has(RewardTerm term) const {
  return std::ranges::count(terms, term, &WeightedTerm::term) > 0;
}

RewardSpec parse_reward(std::string_view text) {
  if (text == "ndcg") return {{{RewardTerm::kNdcg, 1, kLabelRanks}}, /*gain=*/false};
  if (text == "auc") return {{{RewardTerm::kAuc, 1, 0}}, /*gain=*/false};
  RewardSpec spec{.terms = {}};
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const WeightedTerm term = parse_term(text, part);
    for (const WeightedTerm& other : spec.terms) {
      if (other.term == term.term) refuse(text, fmt::format("'{}' repeats a term", part));
    }
    spec.terms.push_back(term);
    begin = end + 1;
  }
  return spec;
}

RewardGate parse_gate(std::string_view text) {
  if (text == "plain") return RewardGate::kPlain;
  if (text == "conditional") return RewardGate::kConditional;
  if (text == "improving") return RewardGate::kImproving;
  throw Error(fmt::format("unknown reward gate '{}'", text), "use conditional, improving or plain");
}

SlateReward::SlateReward(RewardOptions options, const data::ItemFacts* facts,
                         const SlateClicks* clicks)
    : options_(std::move(options)), facts_(facts), clicks_(clicks) {
  PODIUM_CHECK(facts != nullptr || !options_.spec.needs_facts());
  if (clicks == nullptr && options_.spec.has(RewardTerm::kClicks)) {
    throw Error(
        "reward term clicks: the data set was not simulated, or its slates are not asked for",
        "podium data simulate makes such a set; --split.protocol impressions asks for its "
        "slates");
  }
  for (const WeightedTerm& weighted : options_.spec.terms) {
    most_ += weighted.weight;
    const std::string_view missing = facts == nullptr ? "" : lacking(weighted.term, *facts);
    if (missing.empty()) continue;
    throw Error(fmt::format("reward term {}: the catalogue has no {}",
                            kTerms[size_t(weighted.term)].name, missing),
                "leave the term out, or import a catalogue that has them");
  }
}

double SlateReward::term_value(const WeightedTerm& weighted, const Slate& slate,
                               std::span<const int> order) const {
  const auto gains = gains_of(slate);
  std::vector<ItemIndex> items;
  std::vector<uint8_t> ranked;
  for (const int position : order) {
    items.push_back(slate.candidates[size_t(position)].item);
    ranked.push_back(gains[size_t(position)]);
  }
  const auto mean = [&](const std::vector<double>& values) {
    return data::discounted_mean(values, weighted.at);
  };
  switch (weighted.term) {
    case RewardTerm::kNdcg:
      return ndcg(gains, order, weighted.at);
    case RewardTerm::kAuc:
      return auc(gains, order).value_or(0);
    case RewardTerm::kRank:
      return rank_value(gains, order);
    case RewardTerm::kAlphaNdcg:
      return data::alpha_ndcg(*facts_, items, ranked, weighted.at);
    case RewardTerm::kCoverage:
      return data::category_coverage(*facts_, items, weighted.at);
    case RewardTerm::kDistance:
      return data::intra_list_distance(*facts_, items, weighted.at);
    case RewardTerm::kNovelty:
      return mean(picked(facts_->novelty, items));
    case RewardTerm::kFreshness:
      return mean(picked(facts_->freshness, items));
    case RewardTerm::kMargin:
      return mean(price_shares(facts_->price, items));
    case RewardTerm::kClicks:
      return clicks_->share(slate, order, weighted.at);
    case RewardTerm::kExposure:
      break;
  }
  return data::exposure_parity(*facts_, items, weighted.at);
}

double SlateReward::value(const Slate& slate, std::span<const int> order) const {
  double sum = 0;
  for (const WeightedTerm& weighted : options_.spec.terms) {
    sum += weighted.weight * term_value(weighted, slate, order);
  }
  return sum;
}

double SlateReward::operator()(const Slate& slate, std::span<const int> answer) const {
  if (!is_permutation_of(answer, slate.candidates.size())) return 0;
  std::vector<int> input(slate.candidates.size());
  std::iota(input.begin(), input.end(), 0);
  const double of_input = value(slate, input);
  const bool optimal = of_input > most_ - kEpsilon;
  const bool gated = options_.gate != RewardGate::kPlain;
  const double own = value(slate, answer), gain = own - of_input;
  const bool earned = gain > kEpsilon || (optimal && gain > -kEpsilon);
  if (options_.spec.gain) return gain + (gated && !earned ? 0 : options_.alpha);
  const bool copied = std::equal(answer.begin(), answer.end(), input.begin());
  const bool withheld = options_.gate == RewardGate::kImproving ? !earned : copied && !optimal;
  return (gated && withheld ? 0 : own) + options_.alpha;
}

}  // namespace podium::rerank
