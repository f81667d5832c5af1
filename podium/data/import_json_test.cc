// Objects as values of JSON: those that stand for one value, and others.
#include "podium/data/import_json.h"

#include <gtest/gtest.h>

#include "podium/data/test_import.h"

namespace podium::data {
namespace {

using ImportJson = ImportTest;

TEST_F(ImportJson, ExtendedJsonAndFirestoreTimesAreValues) {
  events(
      {"e.jsonl", R"({"user_id":{"$oid":"5e1"},"item_id":"a","ts":{"$date":"2020-02-01T00:00:00Z"}}
{"user_id":{"$oid":"5e1"},"item_id":{"$numberLong":"7"},"ts":{"$date":{"$numberLong":"1580515201000"}}}
{"user_id":{"$oid":"5e1"},"item_id":"b","ts":{"$date":1580515202000}}
{"user_id":{"$oid":"5e1"},"item_id":"c","ts":{"_seconds":1580515203,"_nanoseconds":500000000}}
{"user_id":{"$oid":"5e1"},"item_id":"d","ts":{"seconds":1580515204,"nanos":0}}
{"user_id":{"$oid":"5e1"},"item_id":"e","ts":{"$numberLong":"1580515205"}}
{"user_id":{"$oid":"5e1"},"item_id":"f","ts":{"$timestamp":{"t":1580515206,"i":1}}}
{"user_id":{"$oid":"5e1"},"item_id":"g","ts":{"$date":{"$numberLong":"1000"}}}
)"});
  EXPECT_EQ(run().at("source").at("import").at("rejected"), 0);
  EXPECT_EQ(rows(), Rows{"5e1: g@1 a@1580515200 7@1580515201 b@1580515202 c@1580515203 "
                         "d@1580515204 e@1580515205 f@1580515206"});
}

TEST_F(ImportJson, NumbersOfExtendedJsonAreRatingsAndPrices) {
  events(
      {"e.jsonl", R"({"user_id":"ann","item_id":"lamp","rating":{"$numberInt":"4"},"ts":1580515200}
{"user_id":"ann","item_id":"bed","rating":{"$numberDouble":"2.5"},"ts":1580515201}
)"});
  items({"i.jsonl", R"({"item_id":"lamp","price":{"$numberDecimal":"2.5"}})"});
  run();
  const Dataset d = dataset();
  EXPECT_EQ(d.price(d.find_item("lamp").value()), 2.5F);
  EXPECT_EQ(d.ratings_of(0)[0], 4);
  EXPECT_EQ(d.ratings_of(0)[1], 2.5F);
}

TEST_F(ImportJson, OtherObjectsAsTimesAndRatingsAreRejected) {
  events({"e.jsonl", R"({"user_id":"ann","item_id":"lamp","ts":{"when":5}}
{"user_id":"ann","item_id":"bed","ts":5,"rating":{"stars":5}}
{"user_id":"ann","item_id":"bed","ts":{"seconds":5,"minutes":5}}
{"user_id":"ann","item_id":"bed","ts":{"when":5},"timestamp":1580515200}
)"});
  const Json reasons = run().at("source").at("import").at("reasons");
  EXPECT_EQ(reasons, (Json{{"rating is an object", 1}, {"time is an object", 2}}));
  EXPECT_EQ(rows(), Rows{"ann: bed@1580515200"});
}

TEST_F(ImportJson, OtherObjectsAsTextsAreLeftOutAndCounted) {
  events({"e.csv", kEvents});
  items(
      {"i.jsonl", R"({"item_id":"lamp","title":{"en":"Lamp"},"categories":[{"id":1,"name":"Light"}]}
{"item_id":"bed","title":{"en":"Bed"},"price":{"now":5},"categories":["Home",{"id":2}]}
)"});
  const Json notes = run().at("source").at("files").at(1).at("notes");
  EXPECT_EQ(notes, Json{"values that are objects were left out: 2 of title, 1 of categories, 1 of "
                        "price"});
  EXPECT_EQ(title("lamp"), "");
}

}  // namespace
}  // namespace podium::data
