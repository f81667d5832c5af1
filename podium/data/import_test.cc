// Importers on real files of other systems and on rows that are wrong.
#include "podium/data/import.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/base/test_data.h"
#include "podium/data/import_report.h"
#include "podium/data/known_sets.h"
#include "podium/data/split.h"
#include "podium/data/test_import.h"

namespace podium::data {
namespace {

Dataset known(const std::string& name, const fs::path& folder) {
  const fs::path out = scratch(name);
  import_known(name, folder, out);
  return Dataset::open(out);
}

Json import_text(const std::string& name, const std::string& text, bool strict = false) {
  const fs::path file = scratch("in-" + name);
  write_file_atomic(file, text);
  ImportRequest request;
  request.name = "test";
  request.format = fs::path(name).extension().string().substr(1);
  request.files = {file};
  request.out = scratch("out-" + name);
  request.strict = strict;
  return import_files(request);
}

TEST(ImportOnMovieLens, EveryEventAndItemComesIn) {
  const Dataset d = known("ml-100k", movielens_100k());
  EXPECT_EQ(d.users(), 943u);
  EXPECT_EQ(d.items(), 1682u);
  EXPECT_EQ(d.events(), 100000u);
  const ItemIndex toy = d.find_item("1").value();
  EXPECT_EQ(d.title(toy), "Toy Story");
  EXPECT_EQ(d.categories(toy).size(), 3u);
  for (UserIndex u = 0; u < d.users(); ++u) {
    const auto times = d.times_of(u);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  }
}

using ImportOnData = PublicDataTest;

TEST_F(ImportOnData, BeautyKeepsTheFilesOrderWithinADay) {
  const Dataset d = known("amazon-beauty", public_data("amazon-beauty"));
  EXPECT_EQ(d.users(), 22363u);
  EXPECT_EQ(d.items(), 12101u);
  EXPECT_EQ(d.events(), 198502u);
  const auto items = d.items_of(d.find_user("1").value());
  EXPECT_EQ(d.item_id(items[0]), "3299");  // both of one day, in this order in the file
  EXPECT_EQ(d.item_id(items[1]), "9654");
}

TEST_F(ImportOnData, RowsThatTheFileItselfBreaksAreRejected) {
  const Dataset d = known("ml-latest-small", public_data("ml-latest-small"));
  EXPECT_EQ(d.users(), 671u);
  const Json& import = d.manifest().at("source").at("import");
  EXPECT_EQ(d.events() + import.at("rejected").get<size_t>(), 100004u);
}

TEST(Import, BadRowsAreToldAndTheRestComesIn) {
  const Json content = import_text("rows.csv",
                                   "user,item,timestamp,rating\n"
                                   "u1,a,100,5\n"
                                   "u1,b\n"
                                   "u1,c,yesterday,5\n"
                                   "u1,d,,5\n"
                                   "u1,\xFF,100,5\n"
                                   ",e,100,5\n"
                                   "u1,a,100,5\n"
                                   "u1,\"f \"\"g\"\"\",90,4\n");
  EXPECT_EQ(content.at("events"), 2);
  EXPECT_EQ(content.at("duplicates_dropped"), 1);
  const Json& import = content.at("source").at("import");
  EXPECT_EQ(import.at("rejected"), 5);
  EXPECT_EQ(import.at("reasons").at("not UTF-8"), 1);
  const fs::path out = scratch_folder() / "out-rows.csv";
  const Dataset d = Dataset::open(out);
  EXPECT_EQ(d.item_id(d.items_of(0)[0]), "f \"g\"");  // sorted by time
  const std::string rejected = read_file(out / "rejected.jsonl");
  const Json first = parse_json(rejected.substr(0, rejected.find('\n')), "rejected");
  EXPECT_EQ(first.at("line"), 3);
  EXPECT_EQ(first.at("reason"), "wrong cell count");
}

TEST(Import, StrictStopsAtTheFirstBadRow) {
  try {
    import_text("strict.csv", "user,item\nu1,a\nu1\n", true);
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(e.where().ends_with("in-strict.csv:3")) << e.where();
  }
}

using ImportWhole = ImportTest;

TEST_F(ImportWhole, ANegativeCoreIsRefused) {
  events({"e.csv", kEvents});
  request.k_core = -1;
  EXPECT_NE(std::string(failure().what()).find("--k-core must be"), std::string::npos);
}

TEST_F(ImportWhole, WhenNothingIsLeftTheFirstLineSaysWhy) {
  events({"e.csv", "user_id,item_id,timestamp\nann,lamp,soon\nann,bed,later\n"});
  const Error error = failure();
  EXPECT_EQ(
      error.message(),
      "no events are left: 2 of 2 rows rejected (time not understood; write Unix seconds, ISO "
      "8601 such as 2019-01-31 08:26, or 31 Jan 2019 08:26:00 +0000: 2; first: " +
          path("e.csv").string() + ":2)");
  EXPECT_NE(error.cure().find("d.rejected.jsonl"), std::string::npos);
  EXPECT_TRUE(fs::exists(path("d.rejected.jsonl")));
  request.files = {write({"e.csv", "user_id,item_id,timestamp\nann,lamp,1\n"})};
  run();
  EXPECT_FALSE(fs::exists(path("d.rejected.jsonl")));
}

TEST_F(ImportWhole, AFileGivenTwiceIsAnError) {
  events({"e.csv", kEvents});
  request.files.push_back(path(".") / "e.csv");
  EXPECT_EQ(failure().message(), "this file is given twice");
  request.files.back() = write({"f.csv", kEvents});
  EXPECT_NE(failure().message().find("same content as"), std::string::npos);
  EXPECT_TRUE(failure().where().ends_with("f.csv"));
  request.files.pop_back();
  request.items = {path("e.csv")};  // its columns of text
  EXPECT_EQ(run().at("events"), 2);
}

TEST_F(ImportWhole, FilesOfAHeaderOnlyMayBeAlike) {
  events({"e.csv", kEvents});
  for (const char* name : {"f.csv", "g.csv"}) events({name, "user_id,item_id,timestamp\n"});
  EXPECT_EQ(run().at("events"), 2);
}

TEST_F(ImportWhole, EmptyFilesAndUnknownFieldsAreNamed) {
  events({"e.csv", ""});
  EXPECT_NE(failure().cure().find("empty"), std::string::npos);
  request.files = {write({"e.csv", "user_id,item_id\n"})};
  EXPECT_NE(failure().message().find("no rows"), std::string::npos);
  request.files = {write({"e.json", R"({"user_id":"u1","venue":"v1"})"})};
  EXPECT_NE(failure().cure().find("user_id, venue"), std::string::npos);
}

TEST_F(ImportWhole, ASlashAfterOutChangesNothing) {
  events({"e.csv", "user_id,item_id,timestamp\nann,lamp,1\nann,bed,soon\n"});
  request.out = path("d/");
  const Json content = import_files(request);
  EXPECT_EQ(content.at("name"), "d");
  EXPECT_TRUE(fs::exists(path("d/rejected.jsonl")));
  EXPECT_FALSE(fs::exists(path("d.rejected.jsonl")));
}

TEST_F(ImportWhole, TheFileOfRejectedRowsIsNoInput) {
  events({"d.rejected.jsonl", R"({"user_id":"u","item_id":"i"})"});
  EXPECT_NE(failure().message().find("rejected rows go"), std::string::npos);
  EXPECT_TRUE(fs::exists(path("d.rejected.jsonl")));
}

TEST_F(ImportWhole, AFileOfTheUsersInItsPlaceStaysAndTheCureSaysSo) {
  write({"d.rejected.jsonl", "mine\n"});
  events({"e.csv", "user_id,item_id,timestamp\nann,lamp,soon\n"});
  EXPECT_NE(failure().cure().find("move " + path("d.rejected.jsonl").string() + " away"),
            std::string::npos);
  EXPECT_EQ(read_file(path("d.rejected.jsonl")), "mine\n");
}

TEST_F(ImportWhole, TheSummaryNamesFilesColumnsAndFirstRejections) {
  events({"e.csv", "session_id;user_id;item_id;timestamp\ns;ann;10;1\ns;ann;20;soon\n"});
  items({"i.csv", "item_id,title\n77,Oak Lamp\n78,Bed\n"});
  const std::string text = data::import_text(run());
  for (const char* part :
       {"1 events, 0 catalogue rows, 1 rejected", "delimiter semicolon", "UTF-8",
        "user = user_id, else session_id", "e.csv:3", "rejected.jsonl", "0.0 % of 1 bought items",
        "0 of 2 catalogue items occur in the events", "repeated events      0"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST_F(ImportWhole, WholeNumbersOfTwoSpellingsAreOneIdAndItIsSaid) {
  events({"e.csv", "user_id,item_id,timestamp\n1.0,10.0,1\n1.0,20.0,2\n2,10.0,3\n"});
  items({"i.csv", "item_id,title\n10,Oak Lamp\n30,Bed\n"});
  const Json content = run();
  EXPECT_EQ(rows(), (Rows{"1.0: 10@1 20@2", "2: 10@3"}));  // no user is spelled in two ways
  EXPECT_EQ(title("10"), "Oak Lamp");
  EXPECT_EQ(content.at("items"), 3);
  EXPECT_EQ(content.at("items_bought_with_text"), 1);
  EXPECT_NE(data::import_text(content).find("2 item ids written as 10.0"), std::string::npos);
}

TEST_F(ImportWhole, WholeNumbersOfOneSpellingStay) {
  events({"e.csv", "user_id,item_id,timestamp\n1,10.0,1\n1,v1.0,2\n1,.0,3\n"});
  EXPECT_EQ(run().at("item_ids_unified"), 0);
  EXPECT_EQ(rows(), Rows{"1: 10.0@1 v1.0@2 .0@3"});
}

TEST_F(ImportWhole, UnreadFormatsAreRefusedWithTheCure) {
  events({"e.parquet", "PAR1"});
  EXPECT_NE(failure().cure().find("CSV"), std::string::npos);
}

TEST(Import, AmazonsThreeLayouts) {
  const Json content = import_text(
      "amazon.jsonl",
      R"({"reviewerID": "A", "asin": "B1", "overall": 5.0, "unixReviewTime": 1315526400})"
      "\n"
      R"({"user_id": "A", "asin": "V", "parent_asin": "B2", "rating": 4, "timestamp": 1588687728923})"
      "\n"
      R"({'asin': 'B1', 'title': "It's", 'price': '$1,299.50', 'categories': [['Beauty', 'Hair']]})"
      "\nnot json\n");
  EXPECT_EQ(content.at("events"), 2);
  EXPECT_EQ(content.at("items"), 2);
  EXPECT_EQ(content.at("source").at("import").at("rejected"), 1);
  const Dataset d = Dataset::open(scratch_folder() / "out-amazon.jsonl");
  const ItemIndex b1 = d.find_item("B1").value();
  EXPECT_EQ(d.title(b1), "It's");
  EXPECT_FLOAT_EQ(d.price(b1), 1299.5F);
  EXPECT_EQ(d.categories(b1).back(), "Hair");
  EXPECT_EQ(d.times_of(0)[1], 1588687728);
  EXPECT_TRUE(d.find_item("B2").has_value());
}

TEST(Import, KCoreDropsUntilNothingIsLeftToDrop) {
  DatasetBuilder builder;
  for (const auto& [user, item] : std::vector<std::pair<std::string, std::string>>{
           {"u1", "a"}, {"u1", "b"}, {"u2", "a"}, {"u2", "b"}, {"u3", "a"}, {"u3", "c"}}) {
    builder.add_event({user, item, 1, 1});
  }
  const Json content = builder.write(scratch("core"), "core", 2, {});
  EXPECT_EQ(content.at("users"), 2);  // c falls, then u3
  EXPECT_EQ(content.at("items"), 2);
  EXPECT_EQ(content.at("events"), 4);
}

Dataset timeline() {
  DatasetBuilder builder;
  for (int u = 0; u < 20; ++u) {
    for (int t = 0; t < 10; ++t) {
      builder.add_event(
          {"u" + std::to_string(u), "i" + std::to_string((u * 3 + t * 7) % 31), 100 * t + u, 1});
    }
  }
  const fs::path out = scratch("timeline");
  builder.write(out, "timeline", 0, {});
  return Dataset::open(out);
}

TEST(Split, LeaveOneOutFitsNothingAtOrBehindATarget) {
  const Dataset d = timeline();
  const Split split = leave_one_out(d);
  for (const Phase* phase : {&split.slates, &split.valid, &split.test}) {
    ASSERT_EQ(phase->targets.size(), d.users());
    for (const Target& target : phase->targets) {
      EXPECT_EQ(phase->fit.length[target.user], target.position);
    }
  }
  EXPECT_EQ(split.test.targets[0].position, 9u);
  EXPECT_EQ(split.slates.targets[0].position, 7u);
}

// The leakage test: nothing that a model of a phase sees happened at or after any of its targets.
TEST(Split, GlobalTimeSeesNothingOfTheFuture) {
  const Dataset d = timeline();
  const Split split = global_time(d, 0.5, 0.7, 0.9);
  for (const Phase* phase : {&split.slates, &split.valid, &split.test}) {
    int64_t newest = INT64_MIN, first = INT64_MAX;
    for (UserIndex u = 0; u < d.users(); ++u) {
      for (const int64_t time : phase->fit.times_of(u)) newest = std::max(newest, time);
    }
    ASSERT_FALSE(phase->targets.empty());
    for (const Target& target : phase->targets) {
      first = std::min(first, d.times_of(target.user)[target.position]);
    }
    EXPECT_LT(newest, first) << phase->name;
  }
}

}  // namespace
}  // namespace podium::data
