// Slates that another engine showed, as JSON lines.
#include "podium/data/import_shown.h"

#include <fmt/format.h>

#include "podium/data/import_report.h"
#include "podium/data/impressions.h"
#include "podium/data/split_options.h"
#include "podium/data/test_import.h"

namespace podium::data {
namespace {

class ImportShown : public ImportTest {
 protected:
  void impressions(const std::string& text, const std::string& name = "shown.jsonl") {
    request.impressions.push_back(write({name, text}));
  }

  // "user@time item item*=propensity" a slate, * where it was clicked; sorted.
  Rows slates() const {
    const Dataset d = dataset();
    const auto all = impressions_of(d);
    Rows rows;
    for (size_t s = 0; s < all->slates(); ++s) {
      const ImpressionSlate slate = all->slate(s);
      std::string row = fmt::format("{}@{}", d.user_id(slate.user), slate.time);
      for (size_t i = 0; i < slate.items.size(); ++i) {
        row += fmt::format(" {}{}", d.item_id(slate.items[i]), slate.clicked[i] != 0 ? "*" : "");
        if (!slate.propensities.empty()) row += fmt::format("={}", slate.propensities[i]);
      }
      rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
};

TEST_F(ImportShown, SlatesBringTheirClicksAndItems) {
  events({"e.csv", kEvents});
  items({"i.csv", "item,title\nlamp,A lamp\nrug,A rug\n"});
  impressions(
      R"({"user": "ann", "time": 1000, "shown": ["rug", "lamp", "vase"], "clicked": ["vase", "rug"]}
{"user": "bob", "time": "1970-01-01T00:33:20Z", "items": ["lamp", " rug "], "clicked": [], "request": "r7"}

{"user": 5, "time": 3000000000000, "shown": [7, "bed"], "clicked": [7, 7]}
)");
  const Json content = run();
  EXPECT_EQ(rows(), (Rows{"5: 7@3000000000", "ann: lamp@100 rug@1000 vase@1000", "bob: bed@200"}));
  EXPECT_EQ(slates(),
            (Rows{"5@3000000000 7* bed", "ann@1000 rug* lamp vase*", "bob@2000 lamp rug"}));
  EXPECT_EQ(title("vase"), "") << "an item without a catalogue row";
  EXPECT_EQ(content.at("slates"), 3);
  EXPECT_EQ(content.at("clicks"), 3);
  EXPECT_EQ(content.at("clicks_with_event"), 0);
  EXPECT_EQ(content.at("source").at("import").at("events_read"), 5);
  const Json& file = content.at("source").at("files").at(2);
  EXPECT_EQ(file.at("given_as"), "impressions");
  EXPECT_EQ(file.at("slates"), 3);
  EXPECT_EQ(file.at("events"), 3);
  EXPECT_NE(import_text(content).find("3, with 3 clicks"), std::string::npos)
      << import_text(content);
}

TEST_F(ImportShown, AClickThatIsAnEventCountsOnce) {
  events({"e.csv",
          "user,item,time\n"
          "ann,lamp,1000\n"     // the click itself
          "ann,rug,1300.5\n"    // the same, told later
          "ann,bed,87401\n"     // a day and a second after its slate
          "ann,vase,999\n"      // before it
          "bob,sofa,1000\n"});  // of somebody else
  impressions(R"({"user": "ann", "time": 1000, "shown": ["lamp", "rug", "bed", "vase", "sofa"],)"
              R"( "clicked": ["lamp", "rug", "bed", "vase", "sofa"]})");
  const Json content = run();
  EXPECT_EQ(rows(), (Rows{"ann: vase@999 lamp@1000 bed@1000 vase@1000 sofa@1000 rug@1300 bed@87401",
                          "bob: sofa@1000"}));
  EXPECT_EQ(content.at("clicks_with_event"), 2);
  EXPECT_EQ(content.at("duplicates_dropped"), 0);
}

TEST_F(ImportShown, EachSlateMayBringItsClickOfOneItem) {
  impressions(R"({"user": "ann", "time": 100, "shown": ["a", "b"], "clicked": ["a"]}
{"user": "ann", "time": 200, "shown": ["a", "c"], "clicked": ["a"]}
{"user": "ann", "time": 200, "shown": ["a", "d"], "clicked": ["a"]}
)");
  EXPECT_EQ(run().at("duplicates_dropped"), 1) << "one user, item and moment";
  EXPECT_EQ(rows(), (Rows{"ann: a@100 a@200"}));
}

TEST_F(ImportShown, WithoutClickedTheEventsTellWhatWasTaken) {
  events(
      {"e.csv",
       "user,item,time\nann,lamp,900\nann,lamp,1050\nann,lamp,1060\nann,rug,87400\nann,bed,87401\n"
       "bob,rug,1000\n"});
  impressions(R"({"user": "ann", "time": 1000, "shown": ["lamp", "rug", "bed"]}
{"user": "ann", "time": 1040, "shown": ["vase", "lamp"], "clicked": null}
{"user": "bob", "time": 1000, "shown": ["lamp", "bed"]}
)");
  const Json content = run();
  EXPECT_EQ(slates(), (Rows{"ann@1000 lamp rug* bed", "ann@1040 vase lamp*", "bob@1000 lamp bed"}));
  EXPECT_EQ(dataset().events(), 6u);
  EXPECT_NE(import_warnings(content).back().find("3 slates do not tell"), std::string::npos);
}

TEST_F(ImportShown, BadLinesAreToldAndTheRestComesIn) {
  std::string many = R"({"user": "u", "time": 1, "shown": [)";
  for (size_t i = 0; i <= kMostShown; ++i) many += fmt::format("{}{}", i == 0 ? "" : ",", i);
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({"user": "u", "time": 1, "shown": ["a")", "not a JSON object"},
      {R"(["u", 1, ["a"]])", "not a JSON object"},
      {"{\"user\": \"\xFF\", \"time\": 1, \"shown\": [\"a\"]}", "not UTF-8"},
      {R"({"time": 1, "shown": ["a"]})", "no user, or one that is no id"},
      {R"({"user": ["u"], "time": 1, "shown": ["a"]})", "no user, or one that is no id"},
      {R"({"user": " ", "time": 1, "shown": ["a"]})",
       "an id is blank, over 512 bytes or not UTF-8"},
      {R"({"user": "u", "shown": ["a"]})", "no time"},
      {R"({"user": "u", "time": "soon", "shown": ["a"]})",
       "time not understood; write Unix seconds, ISO 8601 such as 2019-01-31 08:26, or "
       "31 Jan 2019 08:26:00 +0000"},
      {R"({"user": "u", "time": 1, "clicked": ["a"]})", "shown is no list of ids"},
      {R"({"user": "u", "time": 1, "shown": "a"})", "shown is no list of ids"},
      {R"({"user": "u", "time": 1, "shown": ["a", null]})", "shown is no list of ids"},
      {R"({"user": "u", "time": 1, "shown": []})", "nothing was shown"},
      {many + "]}", "over 1000 items in a slate"},
      {R"({"user": "u", "time": 1, "shown": ["a", "b", "a"]})", "an item was shown twice"},
      {R"({"user": "u", "time": 1, "shown": ["a", ""]})",
       "an id is blank, over 512 bytes or not UTF-8"},
      {R"({"user": "u", "time": 1, "shown": ["a"], "clicked": "a"})", "clicked is no list of ids"},
      {R"({"user": "u", "time": 1, "shown": ["a"], "clicked": ["b"]})",
       "a clicked item was not shown"},
      {R"({"user": "u", "time": 1, "shown": ["a", "b"], "propensities": [1]})",
       "propensities are no list of a number for each item shown"},
      {R"({"user": "u", "time": 1, "shown": ["a", "b"], "propensities": [1, 0]})",
       "a propensity is no number above 0, up to 1"},
      {R"({"user": "u", "time": 1, "shown": ["a", "b"], "propensities": [1, 1.5]})",
       "a propensity is no number above 0, up to 1"},
      {R"({"user": "u", "time": 1, "shown": ["a", "b"], "propensities": [1, "1"]})",
       "a propensity is no number above 0, up to 1"}};
  std::string text = R"({"user": "u", "time": 5, "shown": ["a"], "clicked": ["a"]})"
                     "\n";
  for (const auto& [line, reason] : bad) text += line + "\n";
  impressions(text);
  EXPECT_EQ(run().at("source").at("import").at("rejected"), bad.size());
  EXPECT_EQ(slates(), Rows{"u@5 a*"});
  const std::string rejected = read_file(path("d") / "rejected.jsonl");
  size_t begin = 0;
  for (size_t i = 0; i < bad.size(); ++i) {
    const size_t end = rejected.find('\n', begin);
    const Json row = Json::parse(rejected.substr(begin, end - begin));
    EXPECT_EQ(row.at("reason"), bad[i].second) << bad[i].first.substr(0, 80);
    EXPECT_EQ(row.at("line"), i + 2);
    EXPECT_TRUE(row.at("file").get<std::string>().ends_with("shown.jsonl"));
    begin = end + 1;
  }
  request.strict = true;
  EXPECT_EQ(failure().message(), "bad row: not a JSON object");
}

TEST_F(ImportShown, SaysWhatIsMissing) {
  EXPECT_EQ(failure().message(), "no file to import");
  impressions(R"({"user": "u", "time": 1, "shown": ["a"]})");
  EXPECT_EQ(failure().message(), "no events are left: no slate has a click");
  events({"e.csv", "user,item\nann,lamp\n"});
  EXPECT_NE(failure().message().find("has no times"), std::string::npos);
  request.files.clear();
  impressions(R"({"user": "u", "time": 1, "shown": ["a"]})", "same.jsonl");
  EXPECT_NE(failure().message().find("the same content"), std::string::npos);
}

// A shop of ten users: what they had, then eight slates each, with a click on the last item.
TEST_F(ImportShown, TheSplitAsksForTheSlates) {
  std::string log = "user,item,time\n", shown;
  for (int u = 0; u < 10; ++u) {
    log += fmt::format("u{},i0,10\n", u);
    for (int day = 1; day <= 8; ++day) {
      shown +=
          fmt::format(R"({{"user": "u{}", "time": {}, "shown": ["i{}", "i{}"], "clicked": ["i{}"])",
                      u, day * 86400, day + 1, day, day);
      shown += u % 2 == 0 ? R"(, "propensities": [0.9, 0.05]})" : "}";
      shown += "\n";
    }
  }
  events({"e.csv", log});
  impressions(shown);
  run();
  EXPECT_EQ(slates().front(), "u0@172800 i3=0.9 i2*=0.05");
  const Dataset d = dataset();
  SplitOptions options;
  options.protocol = "impressions";
  options.before_t0 = 0.25, options.before_t1 = 0.5, options.before_t2 = 0.75;
  for (const double bias : {0.0, 1.0}) {
    options.position_bias = bias;
    const Split split = make_split(d, options);
    for (const Phase* phase : {&split.slates, &split.valid, &split.test}) {
      ASSERT_EQ(phase->targets.size(), 20u);
      for (size_t t = 0; t < 20; ++t) {
        const auto day = phase->time(t) / 86400;
        EXPECT_EQ(d.item_id(phase->answers(t).at(0)), fmt::format("i{}", day));
        EXPECT_EQ(phase->targets[t].position, day) << "the event of the log, and a click a day";
        // 1 / .05 is cut to 10; a slate that tells none is of the second place: 2^bias.
        const bool told = (d.user_id(phase->targets[t].user).back() - '0') % 2 == 0;
        const double other = bias == 0 ? 1 : 2, mean = (10 + other) / 2;
        EXPECT_FLOAT_EQ(phase->weight(t), float((told ? 10 : other) / mean));
      }
    }
  }
}

}  // namespace
}  // namespace podium::data
