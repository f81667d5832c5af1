// What columns, values and rows mean.
#include <gtest/gtest.h>

#include "podium/data/columns.h"
#include "podium/data/import_values.h"
#include "podium/data/test_import.h"

namespace podium::data {
namespace {

using ImportMeaning = ImportTest;

uint64_t rejected(const Json& content, const std::string& reason) {
  const Json& reasons = content.at("source").at("import").at("reasons");
  return reasons.contains(reason) ? reasons.at(reason).get<uint64_t>() : 0;
}

TEST(Columns, SpellingDoesNotMatter) {
  for (const char* name : {"user_id", "userId", "USERID", "User-ID", "user id", "user.id"}) {
    EXPECT_EQ(column_use(name, {}, false).role, Role::kUser) << name;
  }
  EXPECT_EQ(column_use("Book-Rating", {}, false).role, Role::kRating);
  EXPECT_EQ(column_use("users", {}, false).role, Role::kNone);
  EXPECT_EQ(column_use("id", {}, false).role, Role::kNone);
  EXPECT_EQ(column_use("id", {}, true).role, Role::kItem);
}

TEST(Columns, MapsAreChecked) {
  for (const char* map : {"who=x", "user", "user=", "user=a,user=b", "user=a,item=A", "=x"}) {
    EXPECT_THROW(parse_column_map(map), Error) << map;
  }
  EXPECT_EQ(parse_column_map("user=a,item=b=c").at("item"), "b=c");
}

TEST(Values, Lists) {
  EXPECT_EQ(split_list("a| b ||c", '|'), (Rows{"a", "b", "c"}));
  EXPECT_EQ(split_list("['Drama', \"It's\"]", '|'), (Rows{"Drama", "It's"}));
  EXPECT_EQ(split_list("[sic] x", '|'), Rows{"[sic] x"});
}

TEST_F(ImportMeaning, UserIdWinsOverSessionWhereverItStands) {
  for (const char* text : {"session_id,user_id,item_id,ts\ns1,ann,lamp,1\ns2,ann,bed,2\n",
                           "user_id,session_id,item_id,ts\nann,s1,lamp,1\nann,s2,bed,2\n"}) {
    request.files = {write({"e.csv", text})};
    const Json content = run();
    EXPECT_EQ(rows(), Rows{"ann: lamp@1 bed@2"});
    EXPECT_EQ(content.at("source").at("files").at(0).at("columns").at("user"),
              "user_id, else session_id");
  }
  request.files = {write({"e.jsonl",
                          "{\"session_id\":\"s\",\"user_id\":\"ann\",\"item_id\":\"lamp\",\"time\":"
                          "3,\"timestamp\":1}\n"
                          "{\"user_id\":\"ann\",\"session_id\":null,\"item_id\":\"bed\","
                          "\"timestamp\":2,\"time\":1}\n"})};
  run();
  EXPECT_EQ(rows(), Rows{"ann: lamp@1 bed@2"});
}

TEST_F(ImportMeaning, ABlankValueFallsToTheNextColumnInEveryFormat) {
  events({"e.csv",
          "user_id,session_id,item_id,ts\nann,s1,lamp,1\n,s2,bed,2\nNULL,s2,rug,3\n,,mug,4\n"});
  EXPECT_EQ(rejected(run(), "blank user"), 1u);
  EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "s2: bed@2 rug@3"}));
  request.files = {
      write({"e.jsonl", R"({"user_id":"","session_id":"s","item_id":null,"asin":"bed","ts":1})"})};
  run();
  EXPECT_EQ(rows(), Rows{"s: bed@1"});
}

TEST_F(ImportMeaning, TitlesByPrecedenceCategoriesTogether) {
  events({"e.csv", "user,item,ts\nann,lamp,1\n"});
  items(
      {"i.jsonl",
       R"({"name":"SKU-1","item":"lamp","title":"Oak Lamp","main_category":"Home","category":["Home",["Light"]]})"});
  run();
  const Dataset d = dataset();
  const ItemIndex lamp = d.find_item("lamp").value();
  EXPECT_EQ(d.title(lamp), "Oak Lamp");
  EXPECT_EQ(d.categories(lamp), (std::vector<std::string_view>{"Home", "Light"}));
}

TEST_F(ImportMeaning, RowsOfAnItemsFileAreNeverEvents) {
  events({"e.csv", "user_id,item_id,timestamp\nann,lamp,1\n"});
  items({"tags.csv", "user_id,item_id,tag,timestamp\neve,lamp,dull,2\n"});
  items({"sellers.jsonl", R"({"item_id":"lamp","user":"shop","title":"Oak Lamp","timestamp":5})"});
  const Json content = run();
  EXPECT_EQ(rows(), Rows{"ann: lamp@1"});
  EXPECT_EQ(title("lamp"), "Oak Lamp");
  EXPECT_EQ(content.at("source").at("import").at("rejected"), 0);
  EXPECT_EQ(content.at("source").at("files").at(1).at("events"), 0);
}

TEST_F(ImportMeaning, RowsWithoutAUserAreNoCatalogue) {
  events({"i.jsonl", "{\"item_id\":\"lamp\",\"title\":\"Oak Lamp\"}\n"});
  events({"e.jsonl",
          "{\"user_id\":\"ann\",\"item_id\":\"lamp\",\"timestamp\":1}\n"
          "{\"user_id\":null,\"item_id\":\"bed\",\"timestamp\":2}\n"
          "{\"user_id\":\"\",\"item_id\":\"bed\"}\n"
          "{\"item_id\":\"lamp\",\"timestamp\":4}\n"
          "{\"item_id\":\"bed\",\"rating\":4}\n"});
  const Json content = run();
  EXPECT_EQ(content.at("items"), 1);
  EXPECT_EQ(rejected(content, "blank user"), 2u);
  EXPECT_EQ(rejected(content, "no user (a catalogue is given with --items)"), 2u);
  EXPECT_EQ(title("lamp"), "Oak Lamp");
  request.files = {write({"e.csv", "item_id,timestamp\nlamp,1\n"})};
  EXPECT_NE(failure().message().find("user"), std::string::npos);
}

TEST_F(ImportMeaning, AFileIsTimedWhereverItsFirstTimeStands) {
  events({"e.csv", "user_id,item_id,timestamp\nann,lamp,\nann,bed,400\nann,rug,300\n"});
  const Json content = run();
  EXPECT_EQ(rows(), Rows{"ann: rug@300 bed@400"});
  EXPECT_EQ(rejected(content, "no time, in a file with times"), 1u);
  const Json& first = content.at("source").at("import").at("first");
  EXPECT_TRUE(first.begin()->get<std::string>().ends_with("e.csv:2"));
  EXPECT_EQ(content.at("source").at("import").at("time"), "from the file");
}

TEST_F(ImportMeaning, WithoutAnyTimeTheOrderCounts) {
  events({"e.csv", "user_id,item_id,timestamp\nann,lamp,\nann,bed,\n"});
  events({"f.csv", "user_id,item_id,timestamp\nann,lamp,\nann,bed, \n"});
  EXPECT_EQ(run().at("source").at("import").at("time"), "order in the file");
  EXPECT_EQ(rows(), Rows{"ann: lamp@0 bed@1 lamp@2 bed@3"});
  events({"g.csv", "user_id,item_id,timestamp\nann,mug,7\n"});
  EXPECT_NE(failure().message().find("f.csv has no times"), std::string::npos);
}

TEST_F(ImportMeaning, MillisecondsOrderTheEventsOfASecond) {
  events({"e.csv", "user_id,item_id,timestamp\nann,late,1600000000900\nann,soon,1600000000100\n"});
  run();
  EXPECT_EQ(rows(), Rows{"ann: soon@1600000000 late@1600000000"});
}

TEST_F(ImportMeaning, AMapNamesColumnsThatMustBeThere) {
  events({"e.csv", "who,what,when\nann,lamp,1\n"});
  request.map = parse_column_map("user=who,item=what,time=when");
  run();
  EXPECT_EQ(rows(), Rows{"ann: lamp@1"});
  request.map = parse_column_map("user=who,item=what,time=wen");
  EXPECT_NE(failure().message().find("no column wen"), std::string::npos);
  EXPECT_NE(failure().message().find("who, what, when"), std::string::npos);
  request.files = {write({"e.jsonl", R"({"who":"ann","what":"lamp"})"})};
  EXPECT_NE(failure().message().find("no column wen"), std::string::npos);
}

TEST_F(ImportMeaning, EventsAndItemsHaveMapsOfTheirOwn) {
  events({"e.csv", "who,item_id,ts\nann,lamp,1\n"});
  items({"names.csv", "sku,label\nlamp,Oak Lamp\n"});
  items({"prices.csv", "sku,price\nlamp,5\n"});
  request.map = parse_column_map("user=who");
  request.items_map = parse_column_map("item=sku,title=label");
  run();
  EXPECT_EQ(title("lamp"), "Oak Lamp");
  request.items_map["title"] = "labels";
  EXPECT_NE(failure().message().find("labels"), std::string::npos);
}

TEST_F(ImportMeaning, AnIdOfBlanksIsBlank) {
  events({"e.csv",
          "user_id,session_id,item_id,ts\n   ,s1,lamp,1\n\xC2\xA0,,bed,2\nann,,\" \",3\n"
          "ann,,rug, \n"});
  const Json content = run();
  EXPECT_EQ(rejected(content, "blank user"), 1u);
  EXPECT_EQ(rejected(content, "blank item"), 1u);
  EXPECT_EQ(rejected(content, "no time, in a file with times"), 1u);
  EXPECT_EQ(rows(), Rows{"s1: lamp@1"});
}

TEST_F(ImportMeaning, ListsAndObjectsAreNoIds) {
  events({"e.jsonl",
          "{\"user_id\":[\"ann\",\"bob\"],\"item_id\":\"lamp\",\"ts\":1}\n"
          "{\"user_id\":[\"ann\"],\"item_id\":\"lamp\",\"ts\":1}\n"
          "{\"user_id\":{\"id\":\"ann\"},\"item_id\":\"lamp\",\"ts\":1}\n"
          "{\"user_id\":\"ann\",\"item_id\":[\"lamp\"],\"ts\":1}\n"
          "{\"user_id\":\"ann\",\"item_id\":{},\"ts\":1}\n"
          "{\"user_id\":\"ann\",\"item_id\":\"bed\",\"ts\":2}\n"});
  items({"i.jsonl", "{\"item_id\":[\"bed\"],\"title\":\"Bed\"}\n"});
  const Json content = run();
  EXPECT_EQ(rejected(content, "the user is a list or an object, and no id"), 3u);
  EXPECT_EQ(rejected(content, "the item is a list or an object, and no id"), 3u);
  EXPECT_EQ(rows(), Rows{"ann: bed@2"});
}

TEST_F(ImportMeaning, ListsInCellsAreNoIdsEither) {
  events({"e.csv",
          "user_id;item_id;ts\n[\"ann\", \"bob\"];lamp;1580515200\n['ann'];lamp;1580515200\n"
          "ann;[1, 2];1580515200\nann;{\"id\": 1};1580515200\nann;[sic];1580515201\n"
          "ann;{5e-x};1580515202\n"});
  const Json content = run();
  EXPECT_EQ(rejected(content, "the user is a list or an object, and no id"), 2u);
  EXPECT_EQ(rejected(content, "the item is a list or an object, and no id"), 2u);
  EXPECT_EQ(rows(), Rows{"ann: [sic]@1580515201 {5e-x}@1580515202"});
}

TEST_F(ImportMeaning, FormulasOfSpreadsheetsAreTheirTexts) {
  events(
      {"e.csv", "user_id,item_id,rating,ts\n=\"007\",\"=\"\"001\"\"\",=\"5\",=\"1580515200\"\n"});
  items({"i.csv", "item_id,title\n=\"001\",=\"Lamp\"\n"});
  run();
  EXPECT_EQ(rows(), Rows{"007: 001@1580515200"});
  EXPECT_EQ(dataset().ratings_of(0)[0], 5);
  EXPECT_EQ(title("001"), "Lamp");
}

TEST_F(ImportMeaning, BlanksAroundIdsAreNoneOfThem) {
  events({"e.csv", " user_id | item_id | ts \n ann | a b | 1580515200\nann|\tbed |1580515201\n"});
  run();
  EXPECT_EQ(rows(), Rows{"ann: a b@1580515200 bed@1580515201"});
}

TEST_F(ImportMeaning, RatingsAndTimesMayHaveADecimalComma) {
  events({"e.csv",
          "user_id;item_id;rating;ts\nann;lamp;4,5;1580515200,25\nann;bed;1,250;1580515201\n"});
  EXPECT_EQ(rejected(run(), "rating is not a number"), 1u);
  EXPECT_EQ(dataset().ratings_of(0)[0], 4.5F);
  EXPECT_EQ(rows(), Rows{"ann: lamp@1580515200"});
}

TEST_F(ImportMeaning, KnownNamesCountHoweverManyFieldsThereAre) {
  std::string text = "{";
  for (int i = 0; i < 4200; ++i) text += "\"f" + std::to_string(i) + "\":1,";
  text += "\"user_id\":\"ann\",\"item_id\":\"lamp\",\"when\":1}\n";
  events({"e.jsonl", text});
  request.map = parse_column_map("time=when");
  const Json content = run();
  EXPECT_EQ(rows(), Rows{"ann: lamp@1"});
  const Json& notes = content.at("source").at("files").at(0).at("notes");
  EXPECT_NE(notes.at(0).get<std::string>().find("104 values of later fields"), std::string::npos)
      << notes;
}

TEST_F(ImportMeaning, ATimeAfterMoreRowsThanCanWaitSaysWhatToDo) {
  std::string text = "user_id,item_id,timestamp\n";
  for (int i = 0; i < 200001; ++i) text += "ann,lamp,\n";
  events({"e.csv", text + "ann,bed,7\n"});
  const Error error = failure();
  EXPECT_TRUE(error.where().ends_with("e.csv:200003")) << error.where();
  EXPECT_NE(error.cure().find("put a row with a time first"), std::string::npos);
  request.files = {write({"f.csv", "user_id,item_id,timestamp\nann,bed,7\n" + text.substr(26)})};
  EXPECT_EQ(run().at("events"), 1);  // the first cure
  request.files = {path("e.csv")};
  request.dialect.columns = parse_columns("user,item,-");
  EXPECT_EQ(run().at("source").at("import").at("events_read"), 200002);  // the second
}

TEST_F(ImportMeaning, UnknownHeadersAreShownAsRead) {
  events({"e.csv", "who;what\n1;2\n"});
  const Error error = failure();
  EXPECT_NE(error.message().find("who, what"), std::string::npos) << error.message();
  EXPECT_TRUE(error.where().ends_with("e.csv:1"));
}

}  // namespace
}  // namespace podium::data
