// From bytes to lines: packed files, encodings, line ends.
#include <gtest/gtest.h>
#include <zip.h>
#include <zlib.h>

#include <cstdlib>

#include "podium/data/test_import.h"

namespace podium::data {
namespace {

constexpr const char* kEvents = "user_id,item_id,timestamp\nann,lamp,100\nbob,bed,200\n";

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

TEST_F(ImportInput, FoldersAndMissingFilesAreErrors) {
  request.files = {path(".")};
  EXPECT_NE(failure().message().find("folder"), std::string::npos);
  request.files = {path("missing.csv")};
  EXPECT_NE(failure().where().find("missing.csv"), std::string::npos);
}

TEST_F(ImportInput, LatinTextIsGuessedAndSaid) {
  events({"a.csv", kEvents});
  items({"i.csv", "item_id,title\nlamp,Caf\xE9 de la M\xE8re\nbed,\x93Quoted\x94 \x96 na\xEFve\n"});
  const Json content = run();
  EXPECT_EQ(title("lamp"), "Café de la Mère");
  EXPECT_EQ(title("bed"), "“Quoted” – naïve");
  const Json& file = content.at("source").at("files").at(1);
  EXPECT_EQ(file.at("encoding"), "WINDOWS-1252");
  EXPECT_NE(file.at("notes").at(0).get<std::string>().find("WINDOWS-1252"), std::string::npos);
}

TEST_F(ImportInput, BytesThatAreNoLettersAreNotGuessed) {
  events({"a.csv", std::string(kEvents) + "eve,\xFF\xFE,300\n"});
  const Json content = run();
  EXPECT_EQ(content.at("events"), 2);
  EXPECT_EQ(content.at("source").at("import").at("reasons").at("not UTF-8"), 1);
}

TEST_F(ImportInput, OneDamagedCharacterDoesNotMakeUtf8Latin) {
  events({"a.csv", kEvents});
  items({"i.csv", "item_id,title\nlamp,Café\nbed,Café au lait\nrug,Caf\xE9\n"});
  const Json content = run();
  EXPECT_EQ(title("lamp"), "Café");
  EXPECT_EQ(content.at("source").at("import").at("rejected"), 1);
}

TEST_F(ImportInput, ANamedEncodingIsUsed) {
  events({"a.csv", "user_id,item_id,timestamp\n\xC1\xEE\xE1,lamp,1\n"});
  request.encoding = "windows-1251";
  EXPECT_EQ(run().at("users"), 1);
  EXPECT_EQ(rows(), Rows{"Боб: lamp@1"});
  request.encoding = "klingon";
  EXPECT_NE(failure().message().find("klingon"), std::string::npos);
}

TEST_F(ImportInput, MarksOfUtf8AndUtf16) {
  events({"a.csv", std::string("\xEF\xBB\xBF") + kEvents});
  EXPECT_EQ(run().at("events"), 2);
  for (const bool mark : {true, false}) {
    std::string wide = mark ? "\xFF\xFE" : "";
    for (const char c : std::string_view(kEvents)) wide += c, wide += '\0';
    request.files = {write({"wide.csv", wide})};
    EXPECT_EQ(run().at("events"), 2) << mark;
    EXPECT_EQ(rows(), (Rows{"ann: lamp@100", "bob: bed@200"}));
  }
}

TEST_F(ImportInput, AllLineEndsAndNoneAtTheEnd) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    request.files = {
        write({"a.csv", "user_id,item_id,timestamp" + end + "ann,lamp,1" + end + "bob,bed,2"})};
    EXPECT_EQ(run().at("events"), 2);
    EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "bob: bed@2"}));
  }
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
