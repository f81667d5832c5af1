#include "podium/train/policy_validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "podium/base/progress.h"
#include "podium/rerank/reward.h"
#include "podium/train/checkpoint.h"
#include "podium/train/shared_decode.h"

namespace podium::train {

bool is_input_order(std::span<const int> order) {
  for (size_t r = 0; r < order.size(); ++r) {
    if (order[r] != int(r)) return false;
  }
  return true;
}

Validation validate(const Qwen3Impl& model, const rerank::PromptContext& context,
                    const std::vector<rerank::Slate>& slates, const ValidationPlan& plan) {
  return validate(engine_over(model), context, slates, plan);
}

Validation validate(const runtime::Engine& engine, const rerank::PromptContext& context,
                    const std::vector<rerank::Slate>& slates, const ValidationPlan& plan) {
  const auto part = std::span(slates).first(std::min(plan.most, slates.size()));
  Validation sum;
  if (part.empty()) return sum;
  runtime::DecodeOptions options;
  options.with_trace = plan.with_trace;
  options.max_trace = plan.max_trace;
  const auto rollouts = SharedDecode{engine, context, plan.threads, plan.group}(part, options);
  double weights = 0;
  for (size_t i = 0; i < part.size(); ++i) {
    const double weight = part[i].weight;
    const auto gains = gains_of(part[i]);
    const std::vector<int>& order = rollouts[i].order;
    std::vector<int> input(gains.size());
    std::iota(input.begin(), input.end(), 0);
    sum.each.push_back(weight * rerank::ndcg(gains, order, gains.size()));
    sum.ndcg += sum.each.back();
    sum.input_ndcg += weight * rerank::ndcg(gains, input, gains.size());
    sum.identity_rate += weight * is_input_order(order);
    sum.tau += weight * rerank::kendall_tau(order);
    sum.first_kept += weight * (order.front() == 0);
    if (plan.reward != nullptr) sum.value += weight * plan.reward->value(part[i], order);
    weights += weight;
  }
  for (double& value : sum.each) value *= double(part.size()) / weights;
  return {.ndcg = sum.ndcg / weights,
          .input_ndcg = sum.input_ndcg / weights,
          .identity_rate = sum.identity_rate / weights,
          .tau = sum.tau / weights,
          .first_kept = sum.first_kept / weights,
          .value = sum.value / weights,
          .each = std::move(sum.each)};
}

Json to_json(const Validation& v) {
  return {{"ndcg", v.ndcg},
          {"input_ndcg", v.input_ndcg},
          {"identity_rate", v.identity_rate},
          {"tau", v.tau},
          {"first_kept", v.first_kept}};
}

Selection::Selection(Qwen3& model, const rerank::PromptContext& context,
                     const std::vector<rerank::Slate>& slates, const ValidationPlan& plan,
                     fs::path file)
    : model_(model),
      context_(context),
      slates_(slates),
      plan_(plan),
      file_(std::move(file)),
      state_{{"best_step", 0}, {"best", 0}, {"curve", Json::array()}} {}

void Selection::measure(const std::string& stage, int64_t step, const Json& more) {
  const Validation v = validate(*model_, context_, slates_, plan_);
  Json row = {{"step", step}};
  row.update(to_json(v));
  row.update(more);
  const double score = plan_.reward != nullptr ? v.value : v.ndcg;
  if (plan_.reward != nullptr) row["value"] = v.value;
  const bool first = state_["curve"].empty();
  state_["curve"].push_back(row);
  const std::string worth =
      plan_.reward == nullptr ? "" : fmt::format("  reward's value {:.4f}", v.value);
  log_info(fmt::format("{} step {:4}  NDCG {:.4f} (input {:.4f})  identity {:.3f}{}", stage, step,
                       v.ndcg, v.input_ndcg, v.identity_rate, worth));
  if (!first && score <= state_["best"].get<double>() && !slates_.empty()) return;
  state_["best"] = score;
  state_["best_step"] = step;
  if (plan_.group.leads()) save_weights(file_, *model_);
}

int64_t Selection::since_best() const {
  const Json& curve = state_["curve"];
  return std::count_if(curve.begin(), curve.end(), [&](const Json& row) {
    return row["step"].get<int64_t>() > state_["best_step"].get<int64_t>();
  });
}

int64_t Selection::last_step() const {
  const Json& curve = state_["curve"];
  return curve.empty() ? -1 : curve.back()["step"].get<int64_t>();
}

void Selection::take_best() {
  plan_.group.barrier();  // rank 0 has written it
  load_weights(file_, *model_);
}

}  // namespace podium::train
