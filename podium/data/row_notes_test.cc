// What the summary says about the columns of rows.
#include "podium/data/row_notes.h"

#include <gtest/gtest.h>

#include "podium/data/test_import.h"

namespace podium::data {
namespace {

class ImportNotes : public ImportTest {
 protected:
  std::string notes_of(size_t file) {
    return run().at("source").at("files").at(file).value("notes", Json::array()).dump();
  }
  static bool holds(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(ImportNotes, RowsThatTookAnotherColumnAreCounted) {
  events({"e.csv", "user_id,session_id,item_id,ts\n7,1,lamp,1580515200\n,7,bed,1580515201\n"});
  items({"i.jsonl", R"({"asin":"lamp","title":"Lamp"}
{"isbn":"bed","title":"Bed"})"});
  EXPECT_EQ(notes_of(0),
            Json{"no user_id in some rows, so the user was taken in 1 rows from session_id; equal "
                 "ids of both columns count as one user; --map user=user_id reads that column only"}
                .dump());
  EXPECT_TRUE(holds(notes_of(1), "1 rows from isbn")) << notes_of(1);
  EXPECT_TRUE(holds(notes_of(1), "--map-items item=asin")) << notes_of(1);
  request.map = parse_column_map("user=user_id");
  EXPECT_EQ(notes_of(0), "[]");
}

TEST_F(ImportNotes, AColumnOfTimesThatNoRoleTookIsNamed) {
  for (const char* text : {"user_id,item_id,n,order_date\nann,lamp,7,\nann,bed,8,2020-01-02\n",
                           "user_id,item_id,n,order_date\nann,lamp,7,1580515200\n",
                           "user_id,item_id,n,order_date\nann,lamp,7,1580515200123\n"}) {
    request.files = {write({"e.csv", text})};
    EXPECT_EQ(notes_of(0),
              Json{"column order_date looks like times: --map time=order_date"}.dump());
  }
  request.files = {
      write({"e.jsonl", R"({"user_id":"ann","item_id":"a","order_date":"2020-01-02"})"})};
  EXPECT_TRUE(holds(notes_of(0), "--map time=order_date"));
}

TEST_F(ImportNotes, OtherColumnsAndTimedFilesHaveNoSuchNote) {
  for (const char* text : {"user_id,item_id,n\nann,lamp,7\nann,bed,4000000000\n",
                           "user_id,item_id,n\nann,lamp,2020-01-02\nann,bed,soon\n",
                           "user_id,item_id,ts,n\nann,lamp,1580515200,2020-01-02\n"}) {
    request.files = {write({"e.csv", text})};
    EXPECT_EQ(notes_of(0), "[]") << text;
  }
  items({"i.csv", "item_id,released\nlamp,2020-01-02\n"});
  EXPECT_EQ(notes_of(1), "[]");
}

}  // namespace
}  // namespace podium::data
