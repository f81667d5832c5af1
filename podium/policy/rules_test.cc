// Rule files: what is read of each kind, and what is told of each kind of mistake.
#include "podium/policy/rules.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "podium/base/error.h"
#include "podium/base/files.h"

namespace podium::policy {
namespace {

TEST(Rules, AnEmptyFileHasNone) {
  const Rules rules = Rules::parse("# nothing\n", "r.toml");
  EXPECT_TRUE(rules.set().filters.empty());
  EXPECT_EQ(rules.describe(), Json::array());
}

constexpr const char* kEveryKind = R"(
[[filter]]
name = "stock"
reason = "sold out"
keep = { field = "stock", at_least = 1 }
unknown = "keep"
[[filter]]
name = "old"
drop = [{ field = "added", older_than = "2w" }, { request = "region", equals = "eu" }]
[[filter]]
name = "seen"
seen = true
[[filter]]
name = "blocked"
blocked = ["a", "b"]
[[boost]]
name = "fresh"
weight = 0.2
field = "added"
half_life = "7d"
[[cap]]
name = "brand"
field = "brand"
at_most = 2
first = 10
[[pin]]
name = "hero"
item = "x"
place = 1
[[sponsored]]
name = "ads"
places = [5, 3]
when = { field = "sponsored", equals = true }
label = "Ad"
[duplicates]
field = "title"
[diversity]
method = "dpp"
fields = ["categories"]
[[objective]]
name = "margin"
field = "margin"
at_least = 0.3
[[exposure]]
name = "sellers"
field = "seller"
targets = { small = 0.4, large = 0.6 }
[explore]
method = "thompson"
draws = 50
)";

TEST(Rules, ReadsEveryKind) {
  const Rules rules = Rules::parse(kEveryKind, "r.toml");
  const RuleSet& set = rules.set();
  ASSERT_EQ(set.filters.size(), 4U);
  EXPECT_EQ(set.filters[0].reason, "sold out");
  EXPECT_FALSE(set.filters[0].unknown_leaves);
  EXPECT_EQ(set.filters[0].condition[0].at_least, 1);
  EXPECT_EQ(set.filters[1].condition[0].older_than, 14 * 86400);
  EXPECT_TRUE(set.filters[1].condition[1].of_request);
  EXPECT_FALSE(set.filters[1].unknown_leaves);
  EXPECT_EQ(set.filters[3].blocked.size(), 2U);
  EXPECT_EQ(set.boosts[0].half_life, 7 * 86400);
  EXPECT_EQ(set.caps[0].first, 10);
  EXPECT_EQ(set.pins[0].item, "x");
  EXPECT_EQ(set.sponsored[0].places, (std::vector<int>{3, 5}));
  EXPECT_EQ(set.duplicates->name, "duplicates");
  EXPECT_EQ(set.diversity->method, Diversity::Method::kDpp);
  EXPECT_EQ(set.objectives[0].at_least, 0.3);
  EXPECT_EQ(set.exposures[0].targets.size(), 2U);
  EXPECT_EQ(set.explore->draws, 50);

  const Json told = rules.describe();
  ASSERT_EQ(told.size(), 13U);
  EXPECT_EQ(told[0]["kind"], "filter");
  EXPECT_EQ(told[0]["line"], 2);
  EXPECT_EQ(told[0]["rule"]["keep"]["at_least"], 1);
  EXPECT_EQ(told[12]["name"], "explore");
}

TEST(Rules, ThePagesExampleIsRead) {
  const std::string page = read_file("docs/rules.md");
  const std::string fence = "```toml\n";
  const size_t begin = page.find(fence) + fence.size();
  const Rules rules =
      Rules::parse(page.substr(begin, page.find("```", begin) - begin), "docs/rules.md");
  std::set<std::string> kinds;
  for (const Json& rule : rules.describe()) kinds.insert(rule["kind"].get<std::string>());
  EXPECT_EQ(kinds.size(), 10U);  // it has one of each
}

struct Mistake {
  const char* toml;
  int line;
  const char* told;  // in the message or the cure
};

constexpr const char* kFilter = "[[filter]]\nname = \"f\"\n";

void expect_refused(const std::string& toml, int line, const std::string& told) {
  try {
    Rules::parse(toml, "r.toml");
    FAIL() << toml;
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "r.toml:" + std::to_string(line)) << toml << e.message();
    const std::string all = e.message() + " | " + e.cure();
    EXPECT_NE(all.find(told), std::string::npos) << toml << all;
  }
}

TEST(Rules, MistakesInAFileAreToldWithTheirLine) {
  for (const auto& [toml, line, told] : {
           Mistake{"[[filter]]\nname = = 1\n", 2, "malformed TOML"},
           Mistake{"[[filter]\n", 1, "malformed TOML"},
           Mistake{"\n[[filtre]]\nname = \"f\"\n", 2, "did you mean 'filter'"},
           Mistake{"[filter]\nname = \"f\"\n", 1, "[[filter]]"},
           Mistake{"filter = 3\n", 1, "[[filter]]"},
           Mistake{"filter = []\n", 1, "[[filter]]"},
           Mistake{"filter = [1]\n", 1, "[[filter]]"},
           Mistake{"[[diversity]]\nmethod = \"mmr\"\n", 1, "[diversity], once"},
           Mistake{"[[cap]]\nfield = \"b\"\nat_most = 1\n", 1, "no 'name'"},
           Mistake{"[[cap]]\nname = 3\n", 2, "must be a text"},
           Mistake{"[[cap]]\nname = \"\"\n", 2, "must be a text"},
           Mistake{"[[cap]]\nname = \"c\"\nfeild = \"b\"\n", 3, "did you mean 'field'"},
           Mistake{"[[cap]]\nname = \"c\"\nfield = \"b\"\nat_most = 0\n", 4, "1 to 1000"},
           Mistake{"[[cap]]\nname = \"c\"\nfield = \"b\"\nat_most = 1.5\n", 4, "whole number"},
           Mistake{"[[boost]]\nname = \"b\"\nweight = nan\n", 3, "-1000 to 1000"},
           Mistake{"[[boost]]\nname = \"b\"\nweight = 1\n", 1, "needs a field"},
           Mistake{"[[boost]]\nname = \"b\"\nweight = 1\nfield = \"t\"\nhalf_life = \"7 d\"\n", 5,
                   "a duration"},
           Mistake{"[[boost]]\nname = \"b\"\nweight = 1\nfield = \"t\"\nhalf_life = 7\n", 5,
                   "a duration"},
           Mistake{"[[sponsored]]\nname = \"s\"\nplaces = []\n", 3, "one at least"},
           Mistake{"[[sponsored]]\nname = \"s\"\nplaces = [2, 2]\n", 3, "each once"},
           Mistake{"[[sponsored]]\nname = \"s\"\nplaces = [0]\n", 3, "from 1"},
           Mistake{
               "[[sponsored]]\nname = \"s\"\nplaces = [2]\nwhen = {field = \"a\", equals = 1}\n", 1,
               "no 'label'"},
           Mistake{"[diversity]\nmethod = \"mrm\"\n", 2, "did you mean 'mmr'"},
           Mistake{"[diversity]\ntrade = 2\n", 2, "0 to 1"},
           Mistake{"[diversity]\nfields = [1]\n", 2, "list of texts"},
           Mistake{"[duplicates]\nfield = \"t\"\nthreshold = 0\n", 3, "0.1 to 1"},
           Mistake{"[[objective]]\nname = \"o\"\nfield = \"m\"\nat_least = inf\n", 4, "finite"},
           Mistake{"[[exposure]]\nname = \"e\"\nfield = \"s\"\ntargets = {}\n", 4, "name a value"},
           Mistake{"[[exposure]]\nname = \"e\"\nfield = \"s\"\ntargets = 1\n", 4, "a table"},
           Mistake{"[[exposure]]\nname = \"e\"\nfield = \"s\"\ntargets = {a = 0.7, b = 0.6}\n", 4,
                   "at most 1"},
           Mistake{"[[exposure]]\nname = \"e\"\nfield = \"s\"\ntargets = {a = \"1\"}\n", 4,
                   "0 to 1"},
           Mistake{"[explore]\n", 1, "no 'method'"},
           Mistake{"[explore]\nmethod = \"epsilon-greedy\"\n", 1, "no 'epsilon'"},
           Mistake{"[explore]\nmethod = \"thompson\"\nepsilon = 0.1\n", 3, "nothing to method"},
           Mistake{"[explore]\nmethod = \"linucb\"\ndraws = 7\n", 3, "nothing to method"},
       }) {
    expect_refused(toml, line, told);
  }
}

TEST(Rules, MistakesInAConditionAreToldWithTheirLine) {
  for (const auto& [toml, line, told] : {
           Mistake{"", 1, "needs one of"},
           Mistake{"seen = true\nblocked = [\"a\"]\n", 1, "needs one of"},
           Mistake{"seen = false\n", 3, "only be true"},
           Mistake{"seen = true\nunknown = \"keep\"\n", 4, "goes with"},
           Mistake{"blocked = [\"\"]\n", 3, "none empty"},
           Mistake{"keep = 3\n", 3, "a table, or a list"},
           Mistake{"keep = []\n", 3, "a table, or a list"},
           Mistake{"keep = [1]\n", 3, "a table, or a list"},
           Mistake{"keep = {equals = 1}\n", 3, "no 'field'"},
           Mistake{"keep = {field = \"a\"}\n", 3, "asks for nothing"},
           Mistake{"keep = [\n  {field = \"a\", equals = 1},\n  {field = \"b\", equal = 1}]\n", 5,
                   "did you mean 'equals'"},
           Mistake{"keep = {field = \"a\", equals = [1]}\n", 3, "must be a text, a finite"},
           Mistake{"keep = {field = \"a\", in = []}\n", 3, "one at least"},
           Mistake{"keep = {field = \"a\", in = [{}]}\n", 3, "list of texts"},
           Mistake{"keep = {field = \"a\", equals = 1, in = [1]}\n", 3, "one too many"},
           Mistake{"keep = {field = \"a\", missing = true, present = true}\n", 3, "one too many"},
           Mistake{"keep = {field = \"a\", missing = true, equals = 1}\n", 3, "missing for more"},
           Mistake{"keep = {field = \"a\", missing = 1}\n", 3, "true or false"},
           Mistake{"keep = {field = \"a\", at_least = 2, at_most = 1}\n", 3, "nothing can be both"},
           Mistake{"keep = {field = \"a\", older_than = \"2d\", newer_than = \"1d\"}\n", 3,
                   "nothing can be both"},
           Mistake{"keep = {field = \"a\", at_least = \"1\"}\n", 3, "a finite number"},
           Mistake{"keep = {field = \"a\", older_than = \"0d\"}\n", 3, "a duration"},
           Mistake{"keep = {field = \"a\", older_than = \"99999999999999999999d\"}\n", 3,
                   "a duration"},
           Mistake{"keep = {request = \"a\", at_least = 1}\n", 3, "knows no key 'at_least'"},
           Mistake{"keep = {request = \"a\", equals = 1}\n", 3, "compared with texts"},
           Mistake{"keep = {field = \"a\", equals = 1}\nunknown = \"stay\"\n", 4, "keep or drop"},
       }) {
    expect_refused(kFilter + std::string(toml), line, told);
  }
}

TEST(Rules, RulesThatContradictOneAnotherAreRefused) {
  const std::string pin = "[[pin]]\nname = \"p\"\nitem = \"x\"\nplace = 2\n";
  const std::string ad =
      "[[sponsored]]\nname = \"s\"\nplaces = [1, 2]\nlabel = \"Ad\"\n"
      "when = {field = \"a\", equals = true}\n";
  expect_refused(pin + "[[pin]]\nname = \"p\"\nitem = \"y\"\nplace = 3\n", 6, "name 'p' is taken");
  expect_refused(pin + "[[pin]]\nname = \"q\"\nitem = \"x\"\nplace = 3\n", 7, "item 'x' is taken");
  expect_refused(pin + "[[pin]]\nname = \"q\"\nitem = \"y\"\nplace = 2\n", 8, "place 2 is taken");
  expect_refused(pin + ad, 7, "place 2 is taken by the rule at line 1");
  expect_refused(pin + "[[cap]]\nname = \"p\"\nfield = \"b\"\nat_most = 1\n", 2, "name 'p'");
  // Under conditions, two pins may share a place.
  const std::string when = "when = {request = \"region\", equals = \"eu\"}\n";
  EXPECT_EQ(Rules::parse(pin + "[[pin]]\nname = \"q\"\nitem = \"y\"\nplace = 2\n" + when, "r.toml")
                .set()
                .pins.size(),
            2U);
}

}  // namespace
}  // namespace podium::policy
