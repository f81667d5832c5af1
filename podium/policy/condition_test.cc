// Conditions: yes, no and unknown of every test, and what lists and kinds of values mean.
#include "podium/policy/condition.h"

#include <gtest/gtest.h>

#include <limits>

#include "podium/policy/rules.h"
#include "podium/policy/test_slate.h"

namespace podium::policy {
namespace {

// Of an item with these fields; the condition as TOML.
Truth told(const std::string& condition, TestSlate::Fields fields) {
  TestSlate slate;
  slate.add("x", std::move(fields));
  RulesContext context;
  context.now = kNow;
  context.request = {{"region", "eu"}};
  const Rules rules =
      Rules::parse("[[filter]]\nname = \"f\"\nkeep = " + condition + "\n", "r.toml");
  Columns columns(slate, 1);
  return ConditionOn(rules.set().filters[0].condition, columns, context).of(0);
}

TEST(Condition, ComparesValuesOfOneKind) {
  EXPECT_EQ(told("{field = 'a', equals = 'x'}", {{"a", text("x")}}), Truth::kYes);
  EXPECT_EQ(told("{field = 'a', equals = 'x'}", {{"a", text("y")}}), Truth::kNo);
  EXPECT_EQ(told("{field = 'a', equals = true}", {{"a", true}}), Truth::kYes);
  EXPECT_EQ(told("{field = 'a', equals = 2}", {{"a", 2.0}}), Truth::kYes);
  EXPECT_EQ(told("{field = 'a', equals = 2}", {{"a", 3.0}}), Truth::kNo);
  EXPECT_EQ(told("{field = 'a', equals = 2}", {{"a", text("2")}}), Truth::kUnknown);
  EXPECT_EQ(told("{field = 'a', equals = 0}", {{"a", false}}), Truth::kUnknown);
}

TEST(Condition, AListHasEachOfItsValues) {
  const TestSlate::Fields item = {{"c", texts({"toys", "games"})}};
  EXPECT_EQ(told("{field = 'c', equals = 'games'}", item), Truth::kYes);
  EXPECT_EQ(told("{field = 'c', in = ['books', 'toys']}", item), Truth::kYes);
  EXPECT_EQ(told("{field = 'c', in = ['books']}", item), Truth::kNo);
  EXPECT_EQ(told("{field = 'c', not_in = ['books', 'toys']}", item), Truth::kNo);
  EXPECT_EQ(told("{field = 'c', not_in = ['books']}", item), Truth::kYes);
  EXPECT_EQ(told("{field = 'c', in = [1, 'toys']}", item), Truth::kYes);
}

TEST(Condition, NumbersHaveBounds) {
  const std::string bounds = "{field = 'p', at_least = 1, at_most = 2}";
  EXPECT_EQ(told(bounds, {{"p", 1.0}}), Truth::kYes);
  EXPECT_EQ(told(bounds, {{"p", 2.0}}), Truth::kYes);
  EXPECT_EQ(told(bounds, {{"p", 0.9}}), Truth::kNo);
  EXPECT_EQ(told(bounds, {{"p", 2.1}}), Truth::kNo);
  EXPECT_EQ(told(bounds, {{"p", text("2")}}), Truth::kUnknown);
  EXPECT_EQ(told(bounds, {{"p", std::numeric_limits<double>::quiet_NaN()}}), Truth::kUnknown);
}

TEST(Condition, TimesHaveAges) {
  const double now = double(kNow);
  EXPECT_EQ(told("{field = 't', older_than = '30d'}", {{"t", now - 31 * kDay}}), Truth::kYes);
  EXPECT_EQ(told("{field = 't', older_than = '30d'}", {{"t", now - 30 * kDay}}), Truth::kNo);
  EXPECT_EQ(told("{field = 't', newer_than = '12h'}", {{"t", now - kDay}}), Truth::kNo);
  EXPECT_EQ(told("{field = 't', newer_than = '2w'}", {{"t", now - kDay}}), Truth::kYes);
  EXPECT_EQ(told("{field = 't', newer_than = '1s'}", {{"t", now + kDay}}), Truth::kYes);
  EXPECT_EQ(told("{field = 't', older_than = '1m'}", {}), Truth::kUnknown);
}

TEST(Condition, TheUnknownIsNeitherZeroNorEmpty) {
  for (const char* const condition :
       {"{field = 'a', equals = 0}", "{field = 'a', at_most = 5}", "{field = 'a', not_in = ['x']}",
        "{field = 'a', in = ['x']}", "{field = 'a', matches_request = 'region'}"}) {
    EXPECT_EQ(told(condition, {}), Truth::kUnknown) << condition;
  }
  EXPECT_EQ(told("{field = 'a', missing = true}", {}), Truth::kYes);
  EXPECT_EQ(told("{field = 'a', present = false}", {}), Truth::kYes);
  EXPECT_EQ(told("{field = 'a', present = true}", {}), Truth::kNo);
  EXPECT_EQ(told("{field = 'a', present = true}", {{"a", 0.0}}), Truth::kYes);
  EXPECT_EQ(told("{field = 'a', missing = true}", {{"a", 0.0}}), Truth::kNo);
}

TEST(Condition, LooksAtTheRequest) {
  EXPECT_EQ(told("{field = 'r', matches_request = 'region'}", {{"r", text("eu")}}), Truth::kYes);
  EXPECT_EQ(told("{field = 'r', matches_request = 'region'}", {{"r", texts({"us", "eu"})}}),
            Truth::kYes);
  EXPECT_EQ(told("{field = 'r', matches_request = 'region'}", {{"r", text("us")}}), Truth::kNo);
  EXPECT_EQ(told("{field = 'r', matches_request = 'land'}", {{"r", text("us")}}), Truth::kUnknown);
  EXPECT_EQ(told("{request = 'region', equals = 'eu'}", {}), Truth::kYes);
  EXPECT_EQ(told("{request = 'region', not_in = ['eu']}", {}), Truth::kNo);
  EXPECT_EQ(told("{request = 'land', equals = 'eu'}", {}), Truth::kUnknown);
  EXPECT_EQ(told("{request = 'land', missing = true}", {}), Truth::kYes);
}

TEST(Condition, AllTestsMustHold) {
  const std::string both = "[{field = 'a', equals = 1}, {field = 'b', equals = 1}]";
  EXPECT_EQ(told(both, {{"a", 1.0}, {"b", 1.0}}), Truth::kYes);
  EXPECT_EQ(told(both, {{"a", 1.0}}), Truth::kUnknown);
  EXPECT_EQ(told(both, {{"b", 2.0}}), Truth::kNo);
}

}  // namespace
}  // namespace podium::policy
