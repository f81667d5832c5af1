// From lines to rows of cells: quotes, dialects, JSON layouts, Python literals.
#include <gtest/gtest.h>

#include "podium/data/python_literal.h"
#include "podium/data/table_rows.h"
#include "podium/data/test_import.h"

namespace podium::data {
namespace {

using ImportRecords = ImportTest;

// Each row's cells joined by '|', bad rows as "!reason".
Rows cells_of(const std::string& text, const Dialect& dialect, size_t width = 0) {
  Lines lines("memory", text);
  TableRows table(lines, dialect);
  table.expect(width);
  std::vector<Cell> cells;
  Rows rows;
  for (TableRows::Got got; (got = table.next(cells)) != TableRows::Got::kEnd;) {
    std::string row = got == TableRows::Got::kBad ? std::string("!") + table.reason() : "";
    for (size_t i = 0; got == TableRows::Got::kRow && i < cells.size(); ++i) {
      row.append(i == 0 ? "" : "|").append(cells[i].text);
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(TableRows, QuotedCellsHoldDelimitersQuotesAndLineEnds) {
  EXPECT_EQ(cells_of("a,\"b,c\",\"d \"\"e\"\"\"\n\"one\r\ntwo\",x\n,\n", {}),
            (Rows{"a|b,c|d \"e\"", "one\ntwo|x", "|"}));
}

TEST(TableRows, AStrayQuoteCostsItsOwnRowOnly) {
  EXPECT_EQ(cells_of("a,\"b\nc,d\ne,f\n", {}), (Rows{"!open quote", "c|d", "e|f"}));
}

// Inches and other quotes that are no RFC 4180: each row by itself.
TEST(TableRows, TextAfterALaterClosingQuoteMakesTheOpenOneABadRow) {
  EXPECT_EQ(cells_of("1,\"Monitor 24\"\",5\n2,\"TV\",6\n3,\"TV 32\"\",7\n4,x,8\n", {}),
            (Rows{"!open quote", "2|TV|6", "!open quote", "4|x|8"}));
  EXPECT_EQ(cells_of("1,\"a\n2,b\n3,\"c\",x\n", {}), (Rows{"!open quote", "2|b", "3|c|x"}));
  EXPECT_EQ(cells_of("1,\"a\nb\" ,x\n", {}), Rows{"1|a\nb |x"});  // blanks are no text
}

TEST(TableRows, SeveralQuotedCellsOfSeveralLines) {
  EXPECT_EQ(cells_of("1,\"a\nb\",\"c \"\"d\"\"\n\ne\",2\nx,y\n", {}),
            (Rows{"1|a\nb|c \"d\"\n\ne|2", "x|y"}));
}

// 40,000 rows took hours when each read all others again.
TEST(TableRows, OpenQuotesAreReadInLinearTime) {
  const auto times = [](const std::string& row, size_t n) {
    std::string text;
    while (n-- > 0) text += row;
    return text;
  };
  constexpr size_t kRows = 40000;
  EXPECT_EQ(cells_of(times("7,\"Monitor 24\"\"\n", kRows), {}), Rows(kRows, "!open quote"));
  const std::string chain = times("a\",b\"c,\"\n", kRows);  // closes one quote, opens the next
  EXPECT_GE(cells_of(chain, {}, 3).size(), kRows);
  const std::string blank = "\"" + times("\"\"\n", kRows);
  EXPECT_EQ(cells_of(blank, {}).size(), kRows);
  const std::string cells = "x" + times(",\"a\nb\"", kRows) + "\n";
  EXPECT_EQ(cells_of(cells, {}).size(), 1U);
}

TEST(TableRows, AnOverlongLineAfterAnOpenQuoteIsNotLost) {
  const std::string text = "1,\"a\n" + std::string(17 << 20, 'x') + "\n2,b\n";
  EXPECT_EQ(cells_of(text, {}), (Rows{"!open quote", "!line over 16 MiB", "2|b"}));
}

TEST_F(ImportRecords, RowsWithinAQuotedCellAreNoted) {
  events({"e.csv",
          "user_id,item_id,timestamp,text\nann,lamp,1,\"fine\neve,mask,9,TV 24\"\nbob,bed,2,y\n"});
  const Json notes = run().at("source").at("files").at(0).at("notes");
  EXPECT_NE(notes.dump().find("the first in line 2"), std::string::npos) << notes;
}

TEST_F(ImportRecords, RowsSwallowedByAnUnmatchedQuoteComeBack) {
  events(
      {"e.csv",
       "user_id,item_id,timestamp,a,b\nann,lamp,\"1,x,1\neve,mask,9,TV 24\",2\nbob,bed,2,y,3\n"});
  const Json content = run();
  EXPECT_EQ(rows(), (Rows{"bob: bed@2", "eve: mask@9"}));
  const std::string notes = content.at("source").at("files").at(0).at("notes").dump();
  EXPECT_NE(notes.find("rows with an open quote: 1"), std::string::npos) << notes;
}

TEST_F(ImportRecords, OptionsOfTheEventFilesLeaveCataloguesAlone) {
  events({"e.log", "ann|'lamp'|1\nbob|'bed'|2\n"});
  items({"i.csv", "item_id,title\nlamp,\"Lamp, 'red'\"\nbed,Bed\n"});
  request.format = "csv";
  request.dialect.columns = {"user", "item", "time"};
  request.dialect.delimiter = "|";
  request.dialect.quote = '\'';
  run();
  EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "bob: bed@2"}));
  EXPECT_EQ(title("lamp"), "Lamp, 'red'");
}

TEST_F(ImportRecords, CataloguesOfAnotherFormatThanTheEvents) {
  events({"e.txt", "ann lamp bed\nbob bed lamp\n"});
  items({"i.jsonl", "{\"item_id\": \"lamp\", \"title\": \"Lamp\"}\n"});
  items({"j.txt", "item_id:token\ttitle:token_seq\nbed\tBed\n"});
  request.format = "sequences";
  run();
  EXPECT_EQ(title("lamp"), "Lamp");
  EXPECT_EQ(title("bed"), "Bed");
}

// A delimiter that is never guessed is tried on catalogues first.
TEST_F(ImportRecords, TheDelimiterServesCataloguesThatHaveIt) {
  events({"e.txt", "user^item^time\nann^lamp^1\n"});
  items({"i.txt", "item^title\nlamp^Lamp\n"});
  request.dialect.delimiter = "^";
  run();
  EXPECT_EQ(title("lamp"), "Lamp");
}

// As R writes them: quoted, or counted. A decimal comma makes rows longer too.
TEST_F(ImportRecords, OnlyWhatLooksLikeRowNamesIsTakenForThem) {
  events({"e.csv", "user_id,item_id,timestamp\n1,ann,lamp,10\n2,bob,bed,20\n"});
  run();
  EXPECT_EQ(rows(), (Rows{"ann: lamp@10", "bob: bed@20"}));
  for (const char* text :
       {"user_id,item_id,rating\nu,a,4,5\nv,b,3,5\n", "user_id,item_id,rating\n1,7,4,5\n2,8,3,0\n",
        "user_id,item_id,rating\nu,a,4,5\nv,b,3\n", "user_id,item_id\nu,a,x\nv,b,y\n"}) {
    request.files.clear();
    events({"f.csv", text});
    request.items.clear();
    std::string told;
    try {
      told = run().at("source").at("import").at("reasons").dump();
    } catch (const Error& error) {
      told = error.what();
    }
    EXPECT_NE(told.find("wrong cell count"), std::string::npos) << text << told;
  }
}

TEST_F(ImportRecords, AMisspeltNameOfAColumnIsNoColumnToLeaveOut) {
  events({"e.txt", "ann,lamp,10,x\n"});
  request.dialect.columns = {"user", "item", "tme", "channel"};
  EXPECT_NE(std::string(failure().what()).find("did you mean time?"), std::string::npos);
  request.dialect.columns = {"user", "item", "time", "channel"};
  const std::string notes = run().at("source").at("files").at(0).at("notes").dump();
  EXPECT_NE(notes.find("'channel' is no known column"), std::string::npos) << notes;
}

TEST(TableRows, BackslashesAsMySqlAndPandasWriteThem) {
  Dialect dialect;
  dialect.backslash = true;
  EXPECT_EQ(cells_of("a,\"say \\\"hi\\\"\",b\\,c,\\N,tab\\there\n", dialect),
            (Rows{"a|say \"hi\"|b,c|\\N|tab\there"}));
}

TEST(TableRows, DelimitersOfSeveralCharacters) {
  Dialect dialect;
  dialect.delimiter = "::";
  dialect.quote = '\0';
  EXPECT_EQ(cells_of("1::A: B::\"x\n", dialect), Rows{"1|A: B|\"x"});
}

TEST_F(ImportRecords, LineEndsInQuotesMakeNoEvents) {
  events({"e.csv",
          "user_id,item_id,timestamp,text\nann,lamp,1,\"fine\neve,mask,9,x\"\nbob,bed,2,y\n"});
  EXPECT_EQ(run().at("events"), 2);
  EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "bob: bed@2"}));
}

TEST_F(ImportRecords, RejectedRowsOfSeveralLinesHaveTheirFirst) {
  events(
      {"e.csv", "user_id,item_id,timestamp,text\nann,lamp,1,\"a\nb\nc\"\nbob,bed,soon,\"a\nb\"\n"});
  const Json import = run().at("source").at("import");
  EXPECT_TRUE(import.at("first").begin()->get<std::string>().ends_with("e.csv:5")) << import;
}

struct Table {
  const char* name;
  const char* text;
};
class Dialects : public ImportTest, public testing::WithParamInterface<Table> {};

TEST_P(Dialects, AreGuessed) {
  events({std::string("t") + GetParam().name, GetParam().text});
  run();
  EXPECT_EQ(rows(), (Rows{"ann: lamp@1 bed@2", "bob: lamp@3"})) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Tables, Dialects,
    testing::Values(
        Table{".csv", "user_id,item_id,timestamp\nann,lamp,1\nann,bed,2\nbob,lamp,3\n"},
        Table{".csv",
              "\"User-ID\";\"item id\";\"Timestamp\"\nann;lamp;1\nann;\"bed\";2\nbob;lamp;3\n"},
        Table{".txt", "user_id|item_id|timestamp\nann|lamp|1\nann|bed|2\nbob|lamp|3\n"},
        Table{".dat", "userID\titemID\ttimestamp\nann\tlamp\t1\nann\tbed\t2\nbob\tlamp\t3\n"},
        Table{".dat", "user::item::time\nann::lamp::1\nann::bed::2\nbob::lamp::3\n"},
        Table{".csv", "sep=;\nuser_id;item_id;timestamp\nann;lamp;1\nann;bed;2\nbob;lamp;3\n"},
        Table{".csv", ",user_id,item_id,timestamp\n0,ann,lamp,1\n1,ann,bed,2\n2,bob,lamp,3\n"},
        // R: row names without a name; a delimiter at every end; quotes in a tab table
        Table{
            ".csv",
            "\"user_id\",\"item_id\",\"time\"\n\"1\",\"ann\",\"lamp\",1\n\"2\",\"ann\",\"bed\",2\n"
            "\"3\",\"bob\",\"lamp\",3\n"},
        Table{".csv", "user_id,item_id,timestamp\nann,lamp,1,\nann,bed,2,\nbob,lamp,3,\n"},
        Table{".tsv",
              "\"user_id\"\t\"item_id\"\t\"timestamp\"\n\"ann\"\t\"lamp\"\t1\n\"ann\"\t\"bed\"\t2\n"
              "\"bob\"\t\"lamp\"\t3\n"},
        Table{".csv",
              "'user_id','item_id','timestamp'\n'ann','lamp','1'\n'ann','bed','2'\n'bob','lamp','3'"
              "\n"},
        Table{".csv",
              "note,user_id,item_id,timestamp\n\"a \\\"b\\\", "
              "c\",ann,lamp,1\nx,ann,bed,2\ny,bob,lamp,3\n"},
        Table{".csv",
              "user_id,user_id,item_id,timestamp\nann,x,lamp,1\nann,y,bed,2\nbob,z,lamp,3\n"},
        Table{".inter",
              "user_id:token\titem_id:token\ttimestamp:"
              "float\nann\tlamp\t1\nann\tbed\t2\nbob\tlamp\t3.0\n"},
        Table{".json",
              "[{\"user_id\":\"ann\",\"item_id\":\"lamp\",\"timestamp\":1},\n"
              "{\"user_id\":\"ann\",\"item_id\":\"bed\",\"timestamp\":2}, {\"user_id\":\"bob\","
              "\"item_id\":\"lamp\",\"timestamp\":3}]"},
        Table{".json",
              "{\n  \"user_id\": \"ann\",\n  \"item_id\": \"lamp\",\n  \"timestamp\": 1\n}\n{\n"
              "  \"user_id\": \"ann\", \"item_id\": \"bed\", \"timestamp\": 2}\n{\"user_id\":"
              "\"bob\", \"item_id\": \"lamp\",\n \"timestamp\": 3}\n"},
        Table{".txt",
              "{\"userId\":\"ann\",\"itemId\":\"lamp\",\"timestamp\":1}\n{\"userId\":\"ann\","
              "\"itemId\":\"bed\",\"timestamp\":2}\n{\"userId\":\"bob\",\"itemId\":\"lamp\","
              "\"timestamp\":3}"},
        Table{".json",
              "{u'user_id': u'ann', 'item_id': 'lamp', 'timestamp': 1L}\n{'user_id': 'ann', "
              "'item_id': \"bed\", 'timestamp': 2, 'x': (1,), 'y': nan}\n{'user_id': 'bob', "
              "'item_id': 'lamp', 'timestamp': 3, 'ok': True, 'no': None}\n"}));

TEST_F(ImportRecords, TabTablesWithLooseQuotesKeepThem) {
  events({"e.tsv", "user_id\titem_id\tat\nann\tlamp\t1\n"});
  items({"i.tsv", "item_id\ttitle\nlamp\t\"Big\" lamp\nbed\t\"Small\n"});
  run();
  EXPECT_EQ(title("lamp"), "\"Big\" lamp");
  EXPECT_EQ(title("bed"), "\"Small");
}

TEST_F(ImportRecords, ColumnsNameWhatHasNoHeader) {
  events({"e.csv", "ann,5.0,lamp,1\nbob,4.0,bed,2\n"});
  EXPECT_NE(failure().cure().find("--columns"), std::string::npos);
  EXPECT_NE(failure().message().find("ann, 5.0, lamp, 1"), std::string::npos);
  request.dialect.columns = parse_columns("user,rating,item,time");
  run();
  EXPECT_EQ(rows(), (Rows{"ann: lamp@1", "bob: bed@2"}));
  request.dialect.columns = parse_columns("user,item");
  EXPECT_NE(failure().message().find("4 cells"), std::string::npos);
}

TEST_F(ImportRecords, AHeaderUnderNamedColumnsIsNoEvent) {
  events({"e.csv", "user,item\nann,lamp\n"});
  request.dialect.columns = parse_columns("user,item");
  EXPECT_EQ(run().at("events"), 1);
}

TEST_F(ImportRecords, HeadersWithinAFileArePassedOverAndCounted) {
  const std::string table = kEvents;
  events({"e.csv", table + "user_id,item_id,timestamp\neve,rug,300\n\xEF\xBB\xBF" + table});
  const Json content = run();
  EXPECT_EQ(content.at("source").at("import").at("rejected"), 0);
  EXPECT_EQ(content.at("source").at("files").at(0).at("notes").at(0),
            "2 rows equal to the header were passed over");
  EXPECT_EQ(rows(), (Rows{"ann: lamp@100", "bob: bed@200", "eve: rug@300"}));
}

TEST_F(ImportRecords, ADamagedLineOfJsonCostsItselfOnly) {
  events({"e.jsonl",
          "{\"user_id\":\"ann\",\"item_id\":\"lamp\n{\"user_id\":\"bob\",\"item_id\":\"bed\"}\n"
          "[1,2]\n{\"user_id\":\"ann\",\"item_id\":\"rug\",\"rating\":NaN}\n"});
  const Json content = run();
  EXPECT_EQ(content.at("events"), 2);
  EXPECT_EQ(content.at("source").at("import").at("reasons").at("not a JSON object"), 2);
}

TEST(PythonLiteral, AllOfItsStrings) {
  const auto json = [](const std::string& text) {
    std::string out;
    EXPECT_TRUE(python_to_json(text, out)) << text;
    return parse_json(out, text);
  };
  EXPECT_EQ(json(R"({'a': u'caf\xe9 \u2019', 'b': "it's", 'c': '\a\v\0\101\'\"\\'})"),
            (Json{{"a", "café ’"}, {"b", "it's"}, {"c", std::string("\a\v\0A'\"\\", 7)}}));
  EXPECT_EQ(json(R"(['\U0001f600', '\ud83d\ude00', "\ud83d", 'caf\xc3\xa9', u'\xc3', '\q'])"),
            (Json{"😀", "😀", "\uFFFD", "café", "Ã", "\\q"}));
  EXPECT_EQ(json("{1: (1, 2,), 'n': -inf, 'l': 12L, 'f': [1., .5, -2e3], 'x': {},}"),
            (Json{{"1", {1, 2}},
                  {"n", nullptr},
                  {"l", 12},
                  {"f", {1.0, 0.5, -2000.0}},
                  {"x", Json::object()}}));
  std::string out;
  EXPECT_FALSE(python_to_json("{'a': foo}", out));
  EXPECT_FALSE(python_to_json("{'a", out));
}

}  // namespace
}  // namespace podium::data
