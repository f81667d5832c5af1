// MIND's files, small and made up.
#include "podium/data/import_mind.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/base/test_data.h"
#include "podium/data/dataset.h"
#include "podium/data/import.h"
#include "podium/data/impressions.h"
#include "podium/data/known_sets.h"

namespace podium::data {
namespace {

constexpr int64_t kNoon = 1573560000;  // 2019-11-12 12:00:00 UTC

struct MindImport {
  Json content;
  fs::path dir;
  Dataset dataset;

  std::vector<std::string> items_of(const char* user) const {
    std::vector<std::string> ids;
    for (const ItemIndex item : dataset.items_of(dataset.find_user(user).value())) {
      ids.emplace_back(dataset.item_id(item));
    }
    return ids;
  }
};

// Each text a part's behaviors.tsv.
MindImport import_mind(const std::vector<std::string>& parts) {
  ImportRequest request;
  request.format = "mind";
  request.name = "mind";
  const fs::path folder = scratch_dir("mind");
  for (size_t p = 0; p < parts.size(); ++p) {
    request.files.push_back(folder / std::to_string(p) / "behaviors.tsv");
    write_file_atomic(request.files.back(), parts[p]);
  }
  request.files.push_back(folder / "news.tsv");
  write_file_atomic(request.files.back(),
                    "N1\tsports\tgolf\tA hole in one\tIt happened\turl\t[]\t[]\n"
                    "N9\tnews\tworld\tNobody reads this\t\turl\t[]\t[]\n");
  request.out = scratch("mind-out");
  Json content = import_files(request);
  return {std::move(content), request.out, Dataset::open(request.out)};
}

TEST(ImportMind, FilesGivenAsItemsMakeNoEvents) {
  const fs::path folder = scratch_dir("mind-items");
  const std::string row = "1\tU1\t11/12/2019 12:00:10 PM\tH1\tN1-0 N2-1\n";
  ImportRequest request;
  request.files = {folder / "behaviors.tsv"};
  request.out = scratch("mind-items-out");
  write_file_atomic(folder / "behaviors.tsv", row);
  write_file_atomic(folder / "news-2.tsv", "N1\tsports\tgolf\tA hole in one\tIt happened\n");
  request.format = "mind";
  request.items = {folder / "news-2.tsv"};
  EXPECT_EQ(import_files(request).at("events"), 2);
  const Dataset dataset = Dataset::open(request.out);
  EXPECT_EQ(dataset.title(dataset.find_item("N1").value()), "A hole in one");

  for (const char* format : {"auto", "mind"}) {
    request.format = format;
    request.items = request.files;
    try {
      import_files(request);
      ADD_FAILURE() << format;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("holds impressions"), std::string::npos)
          << error.what();
    }
  }
}

TEST(ImportMind, SlatesKeepAllTheirClicksAndHistoriesBecomeEvents) {
  const MindImport in =
      import_mind({"1\tU1\t11/12/2019 12:00:10 PM\tH1 H2 H3\tN1-0 N2-1 N3-1\n"
                   "2\tU2\t11/12/2019 12:00:00 PM\t\tN3-0 N1-1\n"
                   "3\tU1\t11/12/2019 12:00:00 PM\tH1 H2 H3\tN4-1 N2-0\n"});
  EXPECT_EQ(in.items_of("U1"), (std::vector<std::string>{"H1", "H2", "H3", "N4", "N2", "N3"}));
  EXPECT_EQ(in.items_of("U2"), std::vector<std::string>{"N1"});
  const auto times = in.dataset.times_of(in.dataset.find_user("U1").value());
  EXPECT_EQ(times[2], kNoon - 1);  // before the first impression by time, not by row
  EXPECT_EQ(times[0], kNoon - 3);
  EXPECT_EQ(times[3], kNoon);
  EXPECT_EQ(in.content.at("slates"), 3);
  EXPECT_EQ(in.content.at("clicks"), 4);
  const Json& mind = in.content.at("source").at("import").at("mind");
  EXPECT_EQ(mind.at("clicks_from_impressions"), 4);
  EXPECT_EQ(mind.at("clicks_from_histories"), 3);
  const Impressions shown(in.dir / "impressions", in.dataset.users(), in.dataset.items());
  size_t several = 0;
  for (size_t s = 0; s < shown.slates(); ++s) {
    const ImpressionSlate slate = shown.slate(s);
    several += std::count(slate.clicked.begin(), slate.clicked.end(), 1) > 1 ? 1 : 0;
  }
  EXPECT_EQ(several, 1u);
  EXPECT_EQ(in.dataset.title(in.dataset.find_item("N1").value()), "A hole in one");
}

TEST(ImportMind, PartsShareTheirUsersAndOneHistory) {
  const MindImport in = import_mind({"1\tU1\t11/12/2019 12:00:10 PM\tH1 H2\tN1-1 N2-0\n",
                                     "1\tU1\t11/13/2019 12:00:10 AM\tH1 H2 N1\tN3-1 N2-0\n"});
  EXPECT_EQ(in.items_of("U1"), (std::vector<std::string>{"H1", "H2", "N1", "N3"}));
}

TEST(ImportMind, ATestSetWithoutLabelsIsRefusedWithTheCure) {
  try {
    import_mind({"1\tU1\t11/12/2019 12:00:10 PM\tH1\tN1-1 N2-0\n",
                 "1\tU1\t11/12/2019 12:00:10 PM\tH1\tN1 N2\n"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.message().find("no labels"), std::string::npos) << e.message();
    EXPECT_NE(e.cure().find("train or dev"), std::string::npos);
    EXPECT_TRUE(e.where().ends_with("behaviors.tsv:1")) << e.where();
  }
}

using ImportMindOnData = PublicDataTest;

TEST_F(ImportMindOnData, SampleComesInWhole) {
  const fs::path out = scratch("mind-sample");
  const Json content = import_known("mind-sample", public_data("mind-sample"), out);
  const Json& mind = content.at("source").at("import").at("mind");
  EXPECT_EQ(content.at("slates"), 5000);
  EXPECT_EQ(mind.at("clicks_from_impressions"), 7542);
  EXPECT_EQ(mind.at("clicks_from_histories"), 138932);
  EXPECT_EQ(content.at("source").at("import").at("rejected"), 0);
}

TEST(ImportMind, BadRowsAreTold) {
  const MindImport in =
      import_mind({"1\tU1\t11/12/2019 12:00:10 PM\tH1\tN1-1 N2-0\n"
                   "2\tU1\tyesterday\tH1\tN1-1\n"
                   "3\tU1\t11/12/2019 12:00:10 PM\tH1\tN1-1 N2\n"
                   "4\tU1\t11/12/2019 12:00:10 PM\tH1\t\n"
                   "5\tU1\n"});
  EXPECT_EQ(in.content.at("source").at("import").at("rejected"), 4);
  EXPECT_EQ(in.content.at("slates"), 1);
}

}  // namespace
}  // namespace podium::data
