// Rules on small slates, by hand: each kind of rule, and what wins when two want different things.
#include "podium/policy/apply.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "podium/policy/test_slate.h"

namespace podium::policy {
namespace {

struct Told {
  Outcome outcome;
  std::string placed, removed, unmet;  // ids; ids:rules; rules
};

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : " ") + part;
  return all;
}

Told run(const std::string& toml, const TestSlate& slate, RulesContext context) {
  context.now = kNow;
  Told told{apply(Rules::parse(toml, "r.toml"), slate.items(), slate, context), "", "", ""};
  std::vector<std::string> placed, removed, unmet;
  for (const PlacedItem& item : told.outcome.placed) {
    placed.emplace_back(slate.items()[item.index].id);
  }
  for (const RemovedItem& item : told.outcome.removed) {
    removed.push_back(std::string(slate.items()[item.index].id) + ":" + item.rule);
  }
  for (const Unmet& rule : told.outcome.unmet) unmet.push_back(rule.rule);
  told.placed = joined(placed);
  told.removed = joined(removed);
  told.unmet = joined(unmet);
  return told;
}
Told run(const std::string& toml, const TestSlate& slate, size_t k = 10) {
  RulesContext context;
  context.k = k;
  return run(toml, slate, context);
}

// a to f; brands x x x y y z.
TestSlate brands() {
  TestSlate slate;
  const char* const names[] = {"x", "x", "x", "y", "y", "z"};
  for (int i = 0; i < 6; ++i) slate.add(std::string(1, char('a' + i)), {{"brand", text(names[i])}});
  return slate;
}

const std::string kCap = "[[cap]]\nname = 'brand'\nfield = 'brand'\nat_most = 1\n";

std::string pin(const std::string& item, int place) {
  return "[[pin]]\nname = 'pin " + item + "'\nitem = '" + item +
         "'\nplace = " + std::to_string(place) + "\n";
}

TEST(Apply, WithoutRulesTheListStaysAsItCame) {
  const Told told = run("", brands(), 4);
  EXPECT_EQ(told.placed, "a b c d");
  EXPECT_EQ(told.removed + told.unmet, "");
  EXPECT_TRUE(told.outcome.placed[0].reasons.empty());
  EXPECT_EQ(told.outcome.placed[0].propensity, 1);
  EXPECT_EQ(run("", brands(), 0).placed, "");
  EXPECT_EQ(run(kCap, TestSlate()).placed, "");
}

TEST(Apply, FiltersRemoveWithTheirReason) {
  TestSlate slate;
  slate.add("a", {{"stock", 0.0}}).add("b", {{"stock", 3.0}}).add("c").add("d").add("e");
  RulesContext context;
  context.seen = {"d"};
  const Told told = run(
      "[[filter]]\nname = 'stock'\nreason = 'sold out'\nkeep = {field = 'stock', at_least = 1}\n"
      "unknown = 'keep'\n"
      "[[filter]]\nname = 'seen'\nseen = true\n[[filter]]\nname = 'off'\nblocked = ['e', 'f']\n",
      slate, context);
  EXPECT_EQ(told.placed, "b c");
  EXPECT_EQ(told.removed, "a:stock d:seen e:off");
  EXPECT_EQ(told.outcome.removed[0].reason, "sold out");
}

TEST(Apply, KeepDropsTheUnknownAndDropKeepsIt) {
  TestSlate slate;
  slate.add("a").add("b", {{"age", 18.0}});
  const std::string test = " = {field = 'age', at_least = 18}\n";
  EXPECT_EQ(run("[[filter]]\nname = 'f'\nkeep" + test, slate).placed, "b");
  EXPECT_EQ(run("[[filter]]\nname = 'f'\ndrop" + test, slate).placed, "a");
  EXPECT_EQ(run("[[filter]]\nname = 'f'\nunknown = 'drop'\ndrop" + test, slate).placed, "");
}

TEST(Apply, BoostsAddToTheScore) {
  TestSlate slate;  // relevance 1, .8, .5, 0
  slate.add("a", 10, {{"t", double(kNow) - 70 * kDay}, {"margin", 0.1}});
  slate.add("b", 8, {{"t", double(kNow)}, {"margin", 0.3}});
  slate.add("c", 5, {{"margin", 0.5}});
  slate.add("d", 0, {{"t", double(kNow) - 7 * kDay}, {"own", true}});
  const Told fresh = run(
      "[[boost]]\nname = 'fresh'\nreason = 'new'\nweight = 0.4\nfield = 't'\nhalf_life = '7d'\n",
      slate);
  EXPECT_EQ(fresh.placed, "b a c d");
  ASSERT_EQ(fresh.outcome.placed[0].reasons.size(), 1U);
  EXPECT_EQ(fresh.outcome.placed[0].reasons[0].rule, "fresh");
  EXPECT_EQ(fresh.outcome.placed[0].reasons[0].text, "new: boosted by +0.40");
  EXPECT_TRUE(fresh.outcome.placed[1].reasons.empty());  // ten half-lives: nothing to tell
  EXPECT_EQ(fresh.outcome.placed[2].reasons[0].text, "new: boosted by +0.20");  // unknown: the mean
  // Scaled 0, .5, 1 and, unknown, .5.
  EXPECT_EQ(run("[[boost]]\nname = 'm'\nweight = 1\nfield = 'margin'\n", slate).placed, "c b a d");
  EXPECT_EQ(run("[[boost]]\nname = 'm'\nweight = -0.5\nfield = 'margin'\n", slate).placed,
            "a b c d");
  const std::string own =
      "[[boost]]\nname = 'own'\nwhen = {field = 'own', equals = true}\nweight = ";
  EXPECT_EQ(run(own + "0.9\n", slate).placed, "a d b c");
  EXPECT_EQ(run(own + "-0.9\n", slate).placed, "a b c d");
}

TEST(Apply, ScoresThatContradictTheOrderDoNotCount) {
  TestSlate slate;
  slate.add("a", 1, {}).add("b", 5, {}).add("c", 2, {{"own", true}});
  EXPECT_EQ(
      run("[[boost]]\nname = 'o'\nweight = 0.5\nwhen = {field = 'own', equals = true}\n", slate)
          .placed,
      "a c b");
}

TEST(Apply, CapsMoveDownOrOut) {
  EXPECT_EQ(run("[[cap]]\nname = 'c'\nfield = 'brand'\nat_most = 2\n", brands(), 5).placed,
            "a b d e f");
  const Told first = run(kCap + "first = 3\n", brands());
  EXPECT_EQ(first.placed, "a d f b c e");
  EXPECT_EQ(first.outcome.placed[3].reasons[0].text, "moved down by the cap");
  EXPECT_EQ(first.unmet, "");
  const Told all = run(kCap, brands(), 5);
  EXPECT_EQ(all.placed, "a d f");
  EXPECT_EQ(all.removed, "b:brand c:brand e:brand");
  EXPECT_EQ(all.unmet, "brand");
  EXPECT_EQ(all.outcome.unmet[0].why, "it leaves 3 items for 5 places");
}

TEST(Apply, ACapCountsEveryValueOfAList) {
  TestSlate slate;
  slate.add("a", {{"brand", texts({"x", "y"})}}).add("b", {{"brand", texts({"y", "z"})}});
  slate.add("c").add("d", {{"brand", text("z")}}).add("e");
  EXPECT_EQ(run(kCap, slate).placed, "a c d e");
}

TEST(Apply, PinsStandAtTheirPlace) {
  const Told told = run(pin("f", 1) + pin("a", 3), brands(), 4);
  EXPECT_EQ(told.placed, "f b a c");
  EXPECT_EQ(told.outcome.placed[0].reasons[0].text, "pinned at 1");
  EXPECT_EQ(told.unmet, "");
}

TEST(Apply, PinsThatCannotBeAreTold) {
  const std::string drop = "[[filter]]\nname = 'no y'\ndrop = {field = 'brand', equals = 'y'}\n";
  const Told told = run(drop + pin("d", 1) + pin("g", 2) + pin("b", 9), brands(), 3);
  EXPECT_EQ(told.placed, "a b c");
  EXPECT_EQ(told.unmet, "pin g pin d pin b");
  EXPECT_EQ(told.outcome.unmet[1].why, "'d' was removed by 'no y'");
  // In a list that is too short it stands as near as can be.
  const Told near = run(pin("f", 9), brands(), 9);
  EXPECT_EQ(near.placed, "a b c d e f");
  EXPECT_EQ(near.outcome.unmet[0].why, "'f' stands at 6 instead of 9: the list is too short");
}

TEST(Apply, APinMayHaveACondition) {
  RulesContext context;
  context.request = {{"region", "eu"}};
  const std::string when = "when = {request = 'region', equals = ";
  const std::string rules = pin("e", 1) + when + "'us'}\n" + pin("f", 1) + when + "'eu'}\n";
  EXPECT_EQ(run(rules, brands(), context).placed, "f a b c d e");
  context.request = {{"region", "us"}};
  EXPECT_EQ(run(rules, brands(), context).placed, "e a b c d f");
  EXPECT_EQ(run(rules + pin("g", 2) + when + "'eu'}\n", brands(), context).unmet, "");
}

TEST(Apply, CapsAreStrongerThanPins) {
  const Told told = run(kCap + "first = 4\n" + pin("a", 4) + pin("b", 2), brands());
  EXPECT_EQ(told.unmet, "pin b pin a brand");
  EXPECT_EQ(told.outcome.unmet[0].why, "'b' would break the cap 'brand'");
  EXPECT_EQ(told.placed, "d f a");  // nobody may stand at 3, so that a comes up, nor then at 4
  // Outside the cap's places there is room for both.
  EXPECT_EQ(run(kCap + "first = 2\n" + pin("a", 4) + pin("c", 1), brands()).placed, "c d b a e f");
}

TEST(Apply, SponsoredPlacesTakeTheBestThatMatches) {
  const std::string rule =
      "[[sponsored]]\nname = 'ads'\nplaces = [2, 4, 8]\nlabel = 'Ad'\n"
      "when = {field = 'brand', in = ['y', 'z']}\n";
  const Told told = run(rule, brands(), 5);
  EXPECT_EQ(told.placed, "a d b e c");
  EXPECT_EQ(told.outcome.placed[1].label, "Ad");
  EXPECT_EQ(told.outcome.placed[3].label, "Ad");
  EXPECT_EQ(told.outcome.placed[0].label, "");
  EXPECT_EQ(told.unmet, "ads");
  EXPECT_EQ(told.outcome.unmet[0].why, "there is no place 8: 5 were asked for");
  const Told capped = run(kCap + "first = 4\n" + rule, brands(), 5);
  EXPECT_EQ(capped.placed, "a d f");
  EXPECT_EQ(capped.outcome.placed[2].label, "Ad");  // the ad of place 4 came nearer, and says so
}

TEST(Apply, NearDuplicatesLeave) {
  TestSlate slate;
  slate.add("a", {{"title", text("Red running shoe, size 42")}});
  slate.add("b", {{"title", text("red RUNNING shoe size 42")}});
  slate.add("c", {{"title", text("Blue walking boot")}});
  slate.add("d").add("e", {{"title", text("...")}}).add("f", {{"title", text("?")}});
  const std::string rule = "[duplicates]\nfield = 'title'\nthreshold = 0.9\n";
  const Told told = run(rule, slate);
  EXPECT_EQ(told.placed, "a c d e f");
  EXPECT_EQ(told.removed, "b:duplicates");
  EXPECT_EQ(told.outcome.removed[0].reason, "like 'a'");
  EXPECT_EQ(run(rule + pin("b", 2), slate).placed, "c b d e f");  // the pinned one stays
}

TEST(Apply, DiversityMixesBrands) {
  for (const char* const method : {"mmr", "dpp"}) {
    const Told told = run(
        "[diversity]\nmethod = '" + std::string(method) + "'\ntrade = 0.5\nfields = ['brand']\n",
        brands());
    EXPECT_EQ(told.placed, "a d f b c e") << method;
    EXPECT_EQ(told.outcome.placed[1].reasons[0].text, "moved from 4 to 2");
  }
  EXPECT_EQ(run("[diversity]\ntrade = 0.5\n", brands()).unmet, "diversity");
  EXPECT_EQ(run("[diversity]\ntrade = 0.5\nfields = ['brand']\nfirst = 4\n", brands()).placed,
            "a d b c e f");
}

TEST(Apply, AnObjectiveIsMetOrTold) {
  TestSlate slate;
  const double margins[] = {0.1, 0.2, 0.1, 0.6, 0.2, 0.9};
  for (int i = 0; i < 6; ++i) slate.add(std::string(1, char('a' + i)), {{"margin", margins[i]}});
  const std::string rule = "[[objective]]\nname = 'm'\nfield = 'margin'\nfirst = 2\nat_least = ";
  EXPECT_EQ(run(rule + "0.15\n", slate).placed, "a b c d e f");
  EXPECT_EQ(run(rule + "0.35\n", slate).placed, "a d b c e f");
  EXPECT_EQ(run(rule + "0.75\n", slate).placed, "d f a b c e");
  const Told told = run(rule + "0.8\n", slate);
  EXPECT_EQ(told.placed, "d f a b c e");
  EXPECT_EQ(told.outcome.unmet[0].why, "the mean of 'margin' over the first 2 is 0.75, not 0.8");
  EXPECT_EQ(run(rule + "0.1\n", brands()).unmet, "m");
}

TEST(Apply, ExposureIsSharedOrTold) {
  const std::string rule =
      "[[exposure]]\nname = 'e'\nfield = 'brand'\nfirst = 4\ntolerance = 0.1\ntargets = ";
  const Told told = run(rule + "{x = 0.5, y = 0.5}\n", brands(), 4);
  EXPECT_EQ(told.unmet, "");
  EXPECT_EQ(told.placed.size(), 7U);
  EXPECT_EQ(std::count(told.placed.begin(), told.placed.end(), 'd') +
                std::count(told.placed.begin(), told.placed.end(), 'e'),
            2);
  const Told cannot = run(rule + "{w = 0.5}\n", brands(), 4);
  EXPECT_EQ(cannot.placed, "a b c d");
  EXPECT_EQ(cannot.outcome.unmet[0].why, "shares of the first 4 places: w 0.00 (wanted 0.50)");
}

TEST(Apply, WithoutCountersThompsonDoesNotExplore) {
  const Told told = run("[explore]\nmethod = 'thompson'\n", brands());
  EXPECT_EQ(told.placed, "a b c d e f");
  EXPECT_EQ(told.unmet, "explore");
  EXPECT_EQ(run("[explore]\nmethod = 'linucb'\n", brands()).unmet, "explore");
}

}  // namespace
}  // namespace podium::policy
