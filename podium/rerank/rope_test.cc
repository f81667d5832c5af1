// Frequencies against those that Transformers' formulas give, written out by hand; every spelling
// of the settings is read, and what podium would not compute is refused by name.
#include "podium/rerank/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/base/error.h"

namespace podium::rerank {
namespace {

const Json kLlama3 = {{"rope_type", "llama3"},
                      {"factor", 8.0},
                      {"low_freq_factor", 1.0},
                      {"high_freq_factor", 4.0},
                      {"original_max_position_embeddings", 128}};

std::string refusal(const Json& config) {
  try {
    rope_of(config, "config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "config.json");
    EXPECT_FALSE(error.cure().empty());
    return error.message();
  }
  return "read";
}

TEST(Rope, DefaultAndLinearByHand) {
  const Rope rope{.theta = 10000.0, .scaling = {}};
  const auto plain = rope.frequencies(8);
  ASSERT_EQ(plain.size(), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(plain[size_t(i)], std::pow(10.0, -i), 1e-12);
  const Rope linear = rope_of(
      {{"rope_theta", 10000.0}, {"rope_scaling", {{"type", "linear"}, {"factor", 4}}}}, "t");
  const auto slow = linear.frequencies(8);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(slow[size_t(i)], std::pow(10.0, -i) / 4, 1e-12);
}

// By _compute_llama3_parameters, in Python.
TEST(Rope, Llama3ByHand) {
  const Rope small = rope_of({{"rope_theta", 10000.0}, {"rope_scaling", kLlama3}}, "t");
  const double expected[] = {1,       0.316227766017,    0.0427511787543, 0.00395284707521,
                             0.00125, 0.000395284707521, 0.000125,        3.95284707521e-05};
  const auto got = small.frequencies(16);
  ASSERT_EQ(got.size(), 8U);
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(got[i] / expected[i], 1, 1e-8) << i;

  Json released = kLlama3;  // of Llama 3.2
  released["factor"] = 32;
  released["original_max_position_embeddings"] = 8192;
  const auto wide =
      rope_of({{"rope_theta", 500000}, {"rope_scaling", released}}, "t").frequencies(128);
  const std::pair<size_t, double> places[] = {{0, 1},
                                              {20, 0.016560440081},
                                              {28, 0.00321144599475},
                                              {30, 0.00129054792821},
                                              {32, 0.000429556796559},
                                              {34, 9.70828780263e-05},
                                              {36, 1.94616381848e-05},
                                              {63, 7.67231497229e-08}};
  for (const auto& [i, value] : places) EXPECT_NEAR(wide[i] / value, 1, 1e-8) << i;
}

TEST(Rope, EverySpellingSaysTheSame) {
  Json inside = kLlama3, typed = kLlama3;
  inside["rope_theta"] = 5e5;
  typed.erase("rope_type");
  typed["type"] = "llama3";
  const Json nested = {{"full_attention", inside}};
  const Rope expected = rope_of({{"rope_theta", 5e5}, {"rope_scaling", kLlama3}}, "t");
  for (const Json& config : {Json{{"rope_parameters", inside}}, Json{{"rope_scaling", inside}},
                             Json{{"rope_theta", 5e5}, {"rope_scaling", typed}},
                             Json{{"rope_theta", 5e5}, {"rope_parameters", inside}},
                             Json{{"rope_scaling", inside}, {"rope_parameters", inside}},
                             Json{{"rope_parameters", nested}}}) {
    EXPECT_EQ(rope_of(config, "t"), expected) << config;
  }
  EXPECT_EQ(rope_of({{"rope_theta", 5e5}, {"rope_scaling", to_json(expected.scaling)}}, "t"),
            expected);
  EXPECT_EQ(to_json(RopeScaling{}), nullptr);
}

TEST(Rope, HarmlessFormsAreRead) {
  for (const Json& scaling :
       {Json(nullptr), Json{{"rope_type", "default"}}, Json{{"type", "default"}},
        Json{{"rope_type", "default"}, {"partial_rotary_factor", 1.0}, {"factor", nullptr}},
        Json{{"rope_type", "default"}, {"factor", 1.0}, {"mrope_section", nullptr}},
        Json{{"attention_factor", 1}}, Json::object()}) {
    for (const char* name : {"rope_scaling", "rope_parameters"}) {
      EXPECT_EQ(rope_of({{"rope_theta", 1e4}, {name, scaling}}, "t"), Rope{}) << scaling;
    }
  }
}

TEST(Rope, OtherScalingsAreRefusedByName) {
  const auto with = [](Json scaling, const char* name) {
    return refusal({{"rope_theta", 1e4}, {name, std::move(scaling)}});
  };
  for (const char* name : {"rope_scaling", "rope_parameters"}) {
    for (const char* type : {"yarn", "longrope", "su", "dynamic", "mrope", "proportional", ""}) {
      for (const char* key : {"type", "rope_type"}) {
        const std::string message = with({{key, type}, {"factor", 4.0}}, name);
        EXPECT_NE(message.find(std::string(name) + ".rope_type is \"" + type), std::string::npos)
            << message;
      }
    }
    for (const Json& scaling :
         {Json{{"factor", 4.0}}, Json{{"rope_type", "default"}, {"factor", 4.0}},
          Json{{"rope_type", "default"}, {"partial_rotary_factor", 0.5}},
          Json{{"rope_type", "linear"}}, Json{{"rope_type", "linear"}, {"factor", 0.5}},
          Json{{"rope_type", "linear"}, {"factor", "4"}},
          Json{{"rope_type", "linear"}, {"factor", 4}, {"attention_factor", 1.2}},
          Json{{"rope_type", "linear"}, {"type", "llama3"}, {"factor", 4}},
          Json{{"rope_type", "default"}, {"mrope_section", {1, 2}}},
          Json{{"rope_type", "llama3"}, {"factor", 8}}, Json{{"rope_type", 3}},
          Json{{"full_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}},
               {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e5}}}},
          Json("linear"), Json(4), Json::array({1})}) {
      EXPECT_NE(with(scaling, name).find(name), std::string::npos) << scaling;
    }
  }
}

TEST(Rope, ContradictionsAreRefused) {
  const Json linear = {{"rope_type", "linear"}, {"factor", 2}};
  EXPECT_NE(refusal({{"rope_theta", 1e4}, {"rope_parameters", {{"rope_theta", 1e5}}}}), "read");
  EXPECT_NE(refusal({{"rope_theta", 1e4}, {"rope_scaling", linear}, {"rope_parameters", kLlama3}}),
            "read");
  EXPECT_NE(refusal(Json::object()).find("rope_theta"), std::string::npos);
  for (const Json& theta : {Json(0), Json(-1), Json("1e4"), Json(1e12), Json(true)}) {
    EXPECT_NE(refusal({{"rope_theta", theta}}).find("rope_theta"), std::string::npos) << theta;
  }
}

}  // namespace
}  // namespace podium::rerank
