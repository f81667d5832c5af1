// Texts of other encodings.
#include "podium/data/text_encoding.h"

#include <gtest/gtest.h>

#include "podium/data/test_import.h"

namespace podium::data {
namespace {

// ASCII text as UTF-16 or UTF-32, with a byte-order mark or without.
std::string widened(const std::string& text, bool mark, size_t bytes, bool little) {
  std::string wide;
  const auto add = [&](unsigned value) {
    for (size_t i = 0; i < bytes; ++i) {
      const size_t place = little ? i : bytes - 1 - i;
      wide += static_cast<char>(place < 2 ? value >> (8 * place) & 0xFFU : 0U);
    }
  };
  if (mark) add(0xFEFF);
  for (const char c : text) add(static_cast<unsigned char>(c));
  return wide;
}

using ImportEncoding = ImportTest;

TEST_F(ImportEncoding, LatinTextIsGuessedAndSaid) {
  events({"a.csv", kEvents});
  items({"i.csv", "item_id,title\nlamp,Caf\xE9 de la M\xE8re\nbed,\x93Quoted\x94 \x96 na\xEFve\n"});
  const Json content = run();
  EXPECT_EQ(title("lamp"), "Café de la Mère");
  EXPECT_EQ(title("bed"), "“Quoted” – naïve");
  const Json& file = content.at("source").at("files").at(1);
  EXPECT_EQ(file.at("encoding"), "WINDOWS-1252");
  EXPECT_NE(file.at("notes").at(0).get<std::string>().find("WINDOWS-1252"), std::string::npos);
}

TEST_F(ImportEncoding, BytesThatAreNoLettersAreNotGuessed) {
  events({"a.csv", std::string(kEvents) + "eve,\xFF\xFE,300\n"});
  const Json content = run();
  EXPECT_EQ(content.at("events"), 2);
  EXPECT_EQ(content.at("source").at("import").at("reasons").at("not UTF-8"), 1);
}

TEST_F(ImportEncoding, OneDamagedCharacterDoesNotMakeUtf8Latin) {
  events({"a.csv", kEvents});
  items({"i.csv", "item_id,title\nlamp,Café\nbed,Café au lait\nrug,Caf\xE9\n"});
  const Json content = run();
  EXPECT_EQ(title("lamp"), "Café");
  EXPECT_EQ(content.at("source").at("import").at("rejected"), 1);
}

TEST_F(ImportEncoding, AFileInUtf8IsReadSoWhateverWasNamed) {
  events({"e.csv", "user_id,item_id,timestamp\nJos\xC3\xA9,lamp,100\n"});
  items({"i.csv", "item_id,title\nlamp,\xCB\xE0\xEC\xEF\xE0\n"});
  request.encoding = "CP1251";
  const Json notes = run().at("source").at("files").at(0).at("notes");
  EXPECT_EQ(rows(), Rows{"Jos\xC3\xA9: lamp@100"});
  EXPECT_EQ(title("lamp"), "\xD0\x9B\xD0\xB0\xD0\xBC\xD0\xBF\xD0\xB0");
  EXPECT_NE(notes.dump().find("not read as CP1251"), std::string::npos) << notes;
}

// Two characters of GBK that are valid UTF-8 by chance.
TEST_F(ImportEncoding, AWordOfGbkThatIsUtf8ByChanceIsGbk) {
  events({"e.csv", "user_id,item_id,timestamp\nann,lamp,100\n"});
  items({"i.csv", "item_id,title\nlamp,\xC1\xAA\xCD\xA8\n"});
  request.encoding = "GBK";
  run();
  EXPECT_EQ(title("lamp"), "\xE8\x81\x94\xE9\x80\x9A");
}

TEST_F(ImportEncoding, ANamedEncodingIsUsed) {
  events({"a.csv", "user_id,item_id,timestamp\n\xC1\xEE\xE1,lamp,1\n"});
  request.encoding = "windows-1251";
  EXPECT_EQ(run().at("users"), 1);
  EXPECT_EQ(rows(), Rows{"Боб: lamp@1"});
  request.encoding = "klingon";
  EXPECT_NE(failure().message().find("klingon"), std::string::npos);
}

TEST_F(ImportEncoding, MarksOfUtf8Utf16AndUtf32) {
  events({"a.csv", std::string("\xEF\xBB\xBF") + kEvents});
  EXPECT_EQ(run().at("events"), 2);
  for (const bool mark : {true, false}) {
    for (const size_t bytes : {2, 4}) {
      for (const bool little : {true, false}) {
        const std::string wide = widened(kEvents, mark, bytes, little);
        request.files = {write({"wide.csv", wide})};
        EXPECT_EQ(run().at("events"), 2) << mark << bytes << little;
        EXPECT_EQ(rows(), (Rows{"ann: lamp@100", "bob: bed@200"}));
      }
    }
  }
}

// What a chunk of such bytes is read as.
std::string guessed(const std::string& bytes) {
  ToUtf8 decoder;
  std::string chunk = bytes;
  decoder.convert(chunk, /*last=*/true);
  return decoder.encoding();
}

TEST(TextEncoding, Windows1252IsGuessedOnlyWhereItIsPlausible) {
  EXPECT_EQ(guessed("id,Gr\xF6\xDF"
                    "e\n"),
            "WINDOWS-1252");  // Größe
  EXPECT_EQ(guessed("id,cr\xE9\xE9"
                    "e, d\xE9j\xE0\n"),
            "WINDOWS-1252");                                           // créée, déjà
  EXPECT_EQ(guessed("id,\xCA\xED\xE8\xE3\xE0, \xE8\n"), "UTF-8");      // CP1251: Книга, и
  EXPECT_EQ(guessed("id,iPhone\xCA\xD6\xBB\xFA\xBF\xC7\n"), "UTF-8");  // GBK
  EXPECT_EQ(guessed("id,S\xC2\xEB,M\xC2\xEB\n"), "UTF-8");             // GBK, one by one
  EXPECT_EQ(guessed("id,\x83Q\x81[\x83\x80\n"), "UTF-8");              // Shift-JIS: ゲーム
  EXPECT_EQ(guessed("id,ma\xB3"
                    "a \xB3"
                    "ad\xF3w, g\xEA\x9Cla\n"),
            "UTF-8");  // CP1250: mała ...
}

TEST(TextEncoding, MarksOfWindows1252CountInAsciiText) {
  for (const char* text : {"id,it\x92s\n\n",
                           "id,\x93word\x94 and \x93"
                           "one.\x94\n",
                           "id,1990\x96"
                           "99\n\n",
                           "id,this \x96 that\n", "id,this\x97that\n\n", "id,5 \x80\n\n\n",
                           "id,\x80"
                           "5.20\n\n",
                           "id,Word\x99 Two\x85\n"}) {
    EXPECT_EQ(guessed(text), "WINDOWS-1252") << text;
  }
  for (const char* text : {"id,h\x94"
                           "ren, sch\x94n\n",                  // CP437: hören
                           "id,\xEA\xED\xE8 \x97 \xE3\xE0\n",  // CP1251: with a dash
                           "id,\x80"
                           "a va\n",
                           "id,a\x96"
                           "a\n\n"}) {
    EXPECT_EQ(guessed(text), "UTF-8") << text;
  }
}

TEST_F(ImportEncoding, Utf16WithoutAMarkIsKnownByItsHeaderAndSigns) {
  std::string text = widened("user_id,item_id\n", false, 2, false);
  for (int i = 0; i < 9; ++i) {  // "\u041A\u043D\u0438\u0433\u0430,1"
    text += std::string("\x04\x1A\x04\x3D\x04\x38\x04\x33\x04\x30", 10);
    text += widened("," + std::to_string(i) + "\n", false, 2, false);
  }
  events({"a.csv", text});
  EXPECT_EQ(run().at("events"), 9);
  EXPECT_NE(rows().at(0).find("Книга:"), std::string::npos);
}

TEST_F(ImportEncoding, OtherEncodingsAreToldWithTheCure) {
  events({"a.csv", std::string(kEvents) + "\xC1\xEE\xE1,lamp,1\n\xC0\xED\xED\xE0,bed,2\n"});
  const Json content = run();
  EXPECT_EQ(content.at("source").at("import").at("reasons").at("not UTF-8"), 2);
  const Json& notes = content.at("source").at("files").at(0).at("notes");
  const std::string note = notes.at(notes.size() - 1).get<std::string>() + notes.dump();
  for (const char* part :
       {"not UTF-8", "--encoding WINDOWS-1252, CP1251", "iconv -f WINDOWS-1252 -t UTF-8"}) {
    EXPECT_NE(note.find(part), std::string::npos) << note;
  }
  request.files = {write({"b.csv", "user_id,\xD2\xEE\xE2\xE0\xF0\n1,2\n"})};
  EXPECT_NE(failure().cure().find("--encoding WINDOWS-1252"), std::string::npos);
  request.files = {write({"c.csv", "user_id,item_id\n\xC1\xEE\xE1,lamp\n"})};
  EXPECT_NE(failure().cure().find("--encoding WINDOWS-1252"),
            std::string::npos);  // nothing is left
}

}  // namespace
}  // namespace podium::data
