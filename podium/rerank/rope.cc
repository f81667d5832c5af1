#include "podium/rerank/rope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

constexpr double kMaxTheta = 1e9, kMaxFactor = 1e6, kMaxPositions = 1 << 24;

std::string shown(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// Reads one object of rotary settings; every error names the field in it.
class RopeReader {
 public:
  RopeReader(const Json& object, std::string name, std::string_view where)
      : object_(object), name_(std::move(name)), where_(where) {
    if (!object_.is_object()) fail(fmt::format("{} is not an object", name_));
    for (const auto& [key, value] : object_.items()) check_known(key, value);
  }

  [[noreturn]] void fail(std::string message) const {
    throw Error(std::move(message), "use a checkpoint with default, linear or llama3 positions",
                std::string(where_));
  }

  std::optional<double> theta() const { return number("rope_theta", 1, kMaxTheta); }

  RopeScaling scaling() const {
    const std::string type = type_of();
    RopeScaling scaling;
    if (type == "default") {
      if (number("factor", 0, kMaxFactor).value_or(1) != 1) {
        fail(fmt::format("{}.factor is given, but no rope_type that uses it", name_));
      }
      return scaling;
    }
    if (type == "linear") {
      scaling.kind = RopeScaling::Kind::kLinear;
    } else if (type == "llama3") {
      scaling.kind = RopeScaling::Kind::kLlama3;
      scaling.low_freq = needed("low_freq_factor", 1e-3, 1e3);
      scaling.high_freq = needed("high_freq_factor", 1e-3, 1e3);
      scaling.original_positions = needed("original_max_position_embeddings", 1, kMaxPositions);
      if (!(scaling.high_freq > scaling.low_freq)) {
        fail(fmt::format("{}.high_freq_factor is not above low_freq_factor", name_));
      }
    } else {
      fail(
          fmt::format("{}.rope_type is \"{}\", only \"default\", \"linear\" and \"llama3\" are "
                      "supported",
                      name_, type));
    }
    scaling.factor = needed("factor", 1, kMaxFactor);
    return scaling;
  }

 private:
  // What Transformers reads of an object; everything else might change the positions.
  void check_known(const std::string& key, const Json& value) const {
    for (const char* known : {"rope_type", "type", "rope_theta", "factor", "low_freq_factor",
                              "high_freq_factor", "original_max_position_embeddings"}) {
      if (key == known) return;
    }
    const bool one = value.is_number() && value == 1;
    if ((key == "partial_rotary_factor" || key == "attention_factor") && one) return;
    if (value.is_null() || value == false) return;
    fail(fmt::format("{}.{} is {}, which is not supported", name_, key, shown(value)));
  }

  std::string type_of() const {
    std::optional<std::string> found;
    for (const char* key : {"rope_type", "type"}) {
      const auto at = object_.find(key);
      if (at == object_.end() || at->is_null()) continue;
      if (!at->is_string()) fail(fmt::format("{}.{} is not a text", name_, key));
      if (found && *found != at->get<std::string>()) {
        fail(fmt::format("{}.rope_type and {}.type differ", name_, name_));
      }
      found = at->get<std::string>();
    }
    return found.value_or("default");
  }

  std::optional<double> number(const char* key, double low, double high) const {
    const auto at = object_.find(key);
    if (at == object_.end() || at->is_null()) return std::nullopt;
    const double value = at->is_number() ? at->get<double>() : NAN;
    if (!(value >= low && value <= high)) {
      fail(fmt::format("{}.{} is {}, not a number of {} .. {}", name_, key, shown(*at), low, high));
    }
    return value;
  }

  double needed(const char* key, double low, double high) const {
    const auto value = number(key, low, high);
    if (!value) fail(fmt::format("{}.{} is missing", name_, key));
    return *value;
  }

  const Json& object_;
  std::string name_;
  std::string_view where_;
};

// Settings by layer type, {"full_attention": {...}, ...}: a model whose layers are all of one kind
// needs one of them, and the others must say the same.
const Json& by_layer_type(const Json& settings, const std::string& name, std::string_view where) {
  if (!settings.is_object() || settings.empty() || !settings.front().is_object()) return settings;
  for (const auto& [key, value] : settings.items()) {
    if (value != settings.front()) {
      throw Error(fmt::format("{} differs between layer types, which is not supported", name),
                  "use a checkpoint whose layers all attend in one way", std::string(where));
    }
  }
  return settings.front();
}

}  // namespace

std::vector<double> Rope::frequencies(int head_dim) const {
  std::vector<double> result;
  for (int i = 0; i < head_dim / 2; ++i) {
    double frequency = std::pow(theta, -2.0 * double(i) / double(head_dim));
    if (scaling.kind == RopeScaling::Kind::kLinear) frequency /= scaling.factor;
    if (scaling.kind == RopeScaling::Kind::kLlama3) {
      const double turns = scaling.original_positions * frequency / (2 * M_PI);
      const double kept =
          std::clamp((turns - scaling.low_freq) / (scaling.high_freq - scaling.low_freq), 0.0, 1.0);
      frequency *= kept + (1 - kept) / scaling.factor;
    }
    result.push_back(frequency);
  }
  return result;
}

Rope rope_of(const Json& config, std::string_view where) {
  std::optional<double> theta;
  std::optional<RopeScaling> scaling;
  const auto agree = [&](auto& kept, const auto& value, const std::string& name) {
    if (kept && *kept != value) {
      throw Error(fmt::format("{} contradicts another rotary setting", name),
                  "keep rope_parameters, or rope_theta and rope_scaling, but not both",
                  std::string(where));
    }
    kept = value;
  };
  Json top = Json::object();
  if (const auto at = config.find("rope_theta"); at != config.end()) top["rope_theta"] = *at;
  if (const auto value = RopeReader(top, "config", where).theta()) theta = value;
  for (const std::string name : {"rope_parameters", "rope_scaling"}) {
    const auto at = config.find(name);
    if (at == config.end() || at->is_null()) continue;
    const RopeReader reader(by_layer_type(*at, name, where), name, where);
    if (const auto value = reader.theta()) agree(theta, *value, name + ".rope_theta");
    agree(scaling, reader.scaling(), name);
  }
  if (!theta) {
    throw Error("rope_theta is missing", "use the config.json that belongs to the checkpoint",
                std::string(where));
  }
  return {*theta, scaling.value_or(RopeScaling{})};
}

Json to_json(const RopeScaling& scaling) {
  switch (scaling.kind) {
    case RopeScaling::Kind::kNone:
      return nullptr;
    case RopeScaling::Kind::kLinear:
      return {{"rope_type", "linear"}, {"factor", scaling.factor}};
    case RopeScaling::Kind::kLlama3:
      return {{"rope_type", "llama3"},
              {"factor", scaling.factor},
              {"low_freq_factor", scaling.low_freq},
              {"high_freq_factor", scaling.high_freq},
              {"original_max_position_embeddings", int64_t(scaling.original_positions)}};
  }
  return nullptr;
}

}  // namespace podium::rerank
