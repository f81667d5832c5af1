// From bytes to lines: packed files, line ends. Encodings: text_encoding_test.cc.
#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <array>
#include <cstdlib>

#include "podium/data/test_import.h"

namespace podium::data {
namespace {

class ImportInput : public ImportTest {
 protected:
  void gz(const std::string& name, const std::string& text) {
    const gzFile file = gzopen(path(name).c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
  }
  void zip(const std::string& name, const std::vector<Given>& members) {
    int code = 0;
    zip_t* archive = zip_open(path(name).c_str(), ZIP_CREATE, &code);
    for (const Given& member : members) {
      zip_file_add(archive, member.name.c_str(),
                   zip_source_buffer(archive, member.text.data(), member.text.size(), 0), 0);
    }
    zip_close(archive);
  }
  static size_t write_all(int file, std::string_view text) {
    return static_cast<size_t>(::write(file, text.data(), text.size()));
  }
  const Json& first_file() {
    content_ = run();
    return content_.at("source").at("files").at(0);
  }

 private:
  Json content_;
};

TEST_F(ImportInput, GzIsToldByItsBytes) {
  gz("a.csv.gz", kEvents);
  request.files = {path("a.csv.gz")};
  EXPECT_EQ(run().at("events"), 2);
  gz("packed-without-the-name.csv", kEvents);
  request.files = {path("packed-without-the-name.csv")};
  EXPECT_EQ(run().at("events"), 2);
}

TEST_F(ImportInput, ATruncatedGzIsAnErrorAndKeepsTheOldDataset) {
  events({"a.csv", kEvents});
  run();
  std::string text = "user_id,item_id\n";
  for (int i = 0; i < 50000; ++i) text += "u" + std::to_string(i * 7919 % 10007) + ",x\n";
  gz("b.csv.gz", text);
  const std::string bytes = read_file(path("b.csv.gz"));
  write({"b.csv.gz", bytes.substr(0, bytes.size() / 2)});
  request.files = {path("b.csv.gz")};
  EXPECT_NE(failure().message().find("truncated"), std::string::npos);
  EXPECT_EQ(rows(), (Rows{"ann: lamp@100", "bob: bed@200"}));
}

TEST_F(ImportInput, AZipOfOneFileIsReadAndOneOfSeveralAsksWhich) {
  zip("one.zip", {{"folder/events.csv", kEvents}});
  request.files = {path("one.zip")};
  EXPECT_EQ(run().at("events"), 2);
  zip("two.zip", {{"events.csv", kEvents}, {"items.csv", "item_id,title\nlamp,Oak Lamp\n"}});
  request.files = {path("two.zip")};
  EXPECT_NE(failure().cure().find("events.csv, items.csv"), std::string::npos);
  request.files = {path("two.zip:events.csv")};
  request.items = {path("two.zip:items.csv")};
  EXPECT_EQ(run().at("events"), 2);
  EXPECT_EQ(title("lamp"), "Oak Lamp");
  request.items = {path("two.zip:nothing.csv")};
  EXPECT_NE(failure().message().find("nothing.csv"), std::string::npos);
}

TEST_F(ImportInput, AZipOfAnotherNameIsReadByItsBytes) {
  zip("one.csv", {{"log.jsonl", R"({"user_id":"ann","item_id":"lamp","timestamp":1})"}});
  request.files = {path("one.csv")};
  EXPECT_EQ(run().at("events"), 1);  // JSON, as the member's name says
  zip("two.csv", {{"a.csv", kEvents}, {"b.csv", kEvents}});
  request.files = {path("two.csv")};
  EXPECT_NE(failure().cure().find("two.csv:MEMBER; it holds a.csv, b.csv"), std::string::npos);
  request.files = {path("two.csv:b.csv")};
  EXPECT_EQ(run().at("events"), 2);
  zip("book.csv", {{"[Content_Types].xml", "x"}, {"xl/workbook.xml", "x"}});
  request.files = {path("book.csv")};
  EXPECT_NE(failure().message().find("workbook"), std::string::npos);
}

TEST_F(ImportInput, FormatsThatAreNotReadAreToldByTheirBytes) {
  using namespace std::string_literals;
  const std::string tar =
      "ratings.csv" + std::string(246, '\0') + "ustar\0"s + std::string(255, '\0');
  const std::vector<std::array<std::string, 3>> files = {
      {"BZh91AY&SY....", "bzip2", "bunzip2"},
      {"\xFD\x37zXZ\0...."s, "xz", "unxz"},
      {"\x28\xB5\x2F\xFD....", "zstd", "unzstd"},
      {"7z\xBC\xAF\x27\x1C....", "7z", "7z x"},
      {tar, "tar", "tar -xf"},
      {"SQLite format 3\0...."s, "SQLite", "sqlite3 -header -csv"},
      {"PAR1\x15\x04....", "Parquet", "to_csv"},
      {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1....", "Excel", "CSV"},
      {"<!DOCTYPE html><html>", "web page", "fetch"}};
  for (const auto& [text, what, cure] : files) {
    for (const bool packed : {false, true}) {
      packed ? gz("a.csv", text) : void(write({"a.csv", text}));
      request.files = {path("a.csv")};
      const Error error = failure();
      EXPECT_NE(error.message().find(what), std::string::npos) << error.message();
      EXPECT_NE(error.cure().find(cure), std::string::npos) << error.cure();
      EXPECT_EQ(error.where(), path("a.csv"));
    }
  }
  gz("inner.gz", kEvents);
  gz("outer.gz", read_file(path("inner.gz")));
  request.files = {path("outer.gz")};
  EXPECT_NE(failure().message().find("a gz file within another"), std::string::npos);
  events({"plain.csv", "BZh9,user_id,item_id,timestamp\nx,ann,lamp,1\n"});
  request.files = {path("plain.csv")};
  EXPECT_EQ(run().at("events"), 1);
}

TEST_F(ImportInput, PipesWithoutANameAreRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write_all(ends[1], kEvents), std::string_view(kEvents).size());
  close(ends[1]);
  request.files = {"/dev/fd/" + std::to_string(ends[0])};
  EXPECT_EQ(run().at("events"), 2);
  close(ends[0]);
}

TEST_F(ImportInput, FoldersAndMissingFilesAreErrors) {
  request.files = {path(".")};
  EXPECT_NE(failure().message().find("folder"), std::string::npos);
  request.files = {path("missing.csv")};
  EXPECT_NE(failure().where().find("missing.csv"), std::string::npos);
}

TEST_F(ImportInput, AllLineEndsAndNoneAtTheEnd) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    request.files = {
        write({"a.csv", "user_id,item_id,timestamp" + end + "ann,lamp,1" + end + "bob,bed,2"})};
    EXPECT_EQ(run().at("events"), 2);
    EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "bob: bed@2"}));
  }
}

TEST_F(ImportInput, LineEndsThatATextModeSpoiled) {
  events({"a.csv", "user_id,item_id,timestamp\r\r\nann,lamp,1\r\r\n\r\r\nbob,bed,2\r\r\n"});
  EXPECT_EQ(run().at("events"), 2);
  EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "bob: bed@2"}));
}

TEST_F(ImportInput, MixedLineEndsAreReadAndTold) {
  for (const char* text : {"user_id,item_id,timestamp\nann,lamp,1\rbob,bed,2\r\neve,rug,3\n",
                           "user_id,item_id,timestamp\rann,lamp,1\nbob,bed,2\r\neve,rug,3\r"}) {
    request.files = {write({"a.csv", text})};
    const Json content = run();
    EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "bob: bed@2", "eve: rug@3"})) << text;
    const std::string notes = content.at("source").at("files").at(0).at("notes").dump();
    EXPECT_NE(notes.find("line ends are mixed"), std::string::npos) << notes;
  }
}

TEST_F(ImportInput, AHeaderThatRunsIntoARowIsAnErrorWithTheCure) {
  std::string text = "user_id,item_id,timestamp\rann,lamp,1\n";
  for (int i = 0; i < 9; ++i) text += "bob,bed," + std::to_string(i) + "\n";
  events({"a.csv", text});
  const Error error = failure();
  EXPECT_NE(error.message().find("mixes line ends"), std::string::npos) << error.message();
  EXPECT_NE(error.cure().find("tr '\\r' '\\n'"), std::string::npos);
}

TEST_F(ImportInput, AReturnWithinARowIsNamedWithTheCure) {
  events({"a.csv", std::string(kEvents) + "eve,mug,3\rx,y\n"});
  const Json reasons = run().at("source").at("import").at("reasons");
  EXPECT_NE(reasons.begin().key().find("tr '\\r' '\\n'"), std::string::npos) << reasons;
  request.files = {write({"a.jsonl",
                          "{\"user_id\":\"ann\",\"item_id\":\"a\"}\n"
                          "{\"user_id\":\"ann\",\"item_id\":\"b\"}\r"
                          "{\"user_id\":\"ann\",\"item_id\":\"c\"}\n"})};
  EXPECT_NE(run().at("source").at("import").at("reasons").begin().key().find("carriage return"),
            std::string::npos);
}

TEST(Lines, AReturnInAQuotedHeaderEndsNoLine) {
  const std::string text = "\"user\rid\",item\nann,lamp\n";
  Lines lines("memory", text);
  std::string_view line;
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "\"user\rid\",item");
}

TEST(Lines, LongLinesAndBothLineEnds) {
  const std::string text = "a\r\nb\n\nlast";
  Lines lines("memory", text);
  std::string_view line;
  std::vector<std::string> all;
  while (lines.next(line)) all.emplace_back(line);
  EXPECT_EQ(all, (std::vector<std::string>{"a", "b", "", "last"}));
}

TEST(Lines, LinesThatCrossChunksAreWhole) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += std::string(5000 + i, static_cast<char>('a' + i % 26)) + "\n";
  Lines lines("memory", text);
  std::string_view line;
  size_t i = 0;
  for (; lines.next(line); ++i) {
    ASSERT_EQ(line, std::string(5000 + i, static_cast<char>('a' + i % 26)));
  }
  EXPECT_EQ(i, 200u);
}

TEST(Lines, AnOverlongLineIsCutAndTheNextIsWhole) {
  const std::string text = std::string((16 << 20) + 5, 'x') + "\nnext\n";
  Lines lines("memory", text);
  std::string_view line;
  ASSERT_TRUE(lines.next(line));
  EXPECT_TRUE(lines.overlong());
  ASSERT_TRUE(lines.next(line));
  EXPECT_FALSE(lines.overlong());
  EXPECT_EQ(line, "next");
  EXPECT_EQ(lines.number(), 2u);
}

}  // namespace
}  // namespace podium::data
