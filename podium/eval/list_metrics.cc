#include "podium/eval/list_metrics.h"

#include <fmt/format.h>

#include <cmath>

#include "podium/base/ndcg.h"
#include "podium/data/list_measures.h"
#include "podium/eval/text_table.h"

namespace podium::eval {

ListMetrics list_metrics(const data::ItemFacts& facts, std::span<const data::ItemIndex> items,
                         std::span<const uint8_t> gains, size_t at) {
  return {ndcg(gains, at), data::alpha_ndcg(facts, items, gains, at),
          data::category_coverage(facts, items, at), data::intra_list_distance(facts, items, at)};
}

ListMetrics mean_of(std::span<const ListMetrics> all) {
  ListMetrics mean;
  for (const ListMetrics& one : all) {
    mean.ndcg += one.ndcg / double(all.size());
    mean.alpha_ndcg += one.alpha_ndcg / double(all.size());
    mean.coverage += one.coverage / double(all.size());
    mean.distance += one.distance / double(all.size());
  }
  return mean;
}

Json to_json(const Front& front) {
  Json points = Json::array();
  for (const FrontPoint& point : front.points) {
    Json row = {{"order", point.order},
                {"ndcg", point.mean.ndcg},
                {"alpha_ndcg", point.mean.alpha_ndcg},
                {"coverage", point.mean.coverage},
                {"distance", point.mean.distance}};
    row["trade"] = std::isnan(point.trade) ? Json() : Json(point.trade);
    if (!std::isnan(point.clicks)) row["clicks"] = point.clicks;
    if (const auto& gain = point.clicks_gain) {
      row["clicks_gain"] = {{"value", gain->value}, {"low", gain->low}, {"high", gain->high}};
    }
    points.push_back(std::move(row));
  }
  return {{"split", front.split}, {"slates", front.slates}, {"at", front.at}, {"points", points}};
}

std::string front_table(const Front& front) {
  const auto name = [&](const char* metric) { return fmt::format("{}@{}", metric, front.at); };
  const bool clicked = !front.points.empty() && !std::isnan(front.points.front().clicks);
  std::vector<std::string> header = {"order",         "trade",          name("N"),
                                     name("alpha-N"), name("coverage"), name("distance")};
  if (clicked) header.insert(header.end(), {"clicks", "more than the best of the others, 95 %"});
  TextTable table(header);
  for (const FrontPoint& point : front.points) {
    std::vector<std::string> row = {
        point.order, std::isnan(point.trade) ? "" : fmt::format("{:.1f}", point.trade)};
    for (const double value :
         {point.mean.ndcg, point.mean.alpha_ndcg, point.mean.coverage, point.mean.distance}) {
      row.push_back(fmt::format("{:.4f}", value));
    }
    if (clicked) {
      row.push_back(fmt::format("{:.4f}", point.clicks));
      row.push_back(point.clicks_gain ? signed_interval(*point.clicks_gain) : "");
    }
    table.add(row);
  }
  return fmt::format("{} slates of split {} that hold a positive and a negative\n", front.slates,
                     front.split) +
         table.text();
}

}  // namespace podium::eval
