// Files of sequences: plain ones and RecBole's benchmark files.
#include "podium/data/import_sequences.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset.h"
#include "podium/data/import.h"
#include "podium/data/import_recbole_sequences.h"
#include "podium/data/import_report.h"

namespace podium::data {
namespace {

struct SequenceImport {
  Json content;
  Dataset dataset;

  std::string items_of(const char* user) const {
    std::string ids;
    for (const ItemIndex item : dataset.items_of(dataset.find_user(user).value())) {
      ids += (ids.empty() ? "" : " ") + std::string(dataset.item_id(item));
    }
    return ids;
  }
};

SequenceImport import_texts(const std::string& format,
                            const std::vector<std::pair<std::string, std::string>>& files) {
  ImportRequest request;
  request.format = format;
  request.name = "sequences";
  const fs::path folder = scratch_dir("sequences");
  for (const auto& [name, text] : files) {
    request.files.push_back(folder / name);
    write_file_atomic(request.files.back(), text);
  }
  request.out = scratch("sequences-out");
  Json content = import_files(request);
  return {std::move(content), Dataset::open(request.out)};
}

TEST(ImportSequences, BlanksOrTabsAndSeveralFiles) {
  const SequenceImport in = import_texts(
      "sequences", {{"train.txt", "1 a b c\n2\tb\tc a\n\n3  a\n"}, {"test.txt", "1 d\n2\td\n4\n"}});
  EXPECT_EQ(in.items_of("1"), "a b c d");
  EXPECT_EQ(in.items_of("2"), "b c a d");
  EXPECT_EQ(in.items_of("3"), "a");
  const Json& import = in.content.at("source").at("import");
  EXPECT_EQ(import.at("rejected"), 1);  // user 4 has no item
  EXPECT_EQ(import.at("time"), "order in the file");
  EXPECT_EQ(in.dataset.times_of(in.dataset.find_user("2").value())[3], 3);  // place, from 0
}

constexpr const char* kHeader = "user_id:token\titem_id_list:token_seq\titem_id:token\n";

TEST(ImportRecboleSequences, TheThreePartsTogether) {
  const std::string header = kHeader;
  const SequenceImport in =
      import_texts("auto", {{"x.train.inter", header + "u\t1\t2\nu\t1 2\t3\nv\t7 8\t9\n"},
                            {"x.valid.inter", header + "u\t1 2 3\t4\nv\t7 8 9\t7\n"},
                            {"x.test.inter", header + "u\t1 2 3 4\t5\nv\t7 8 9 7\t8\n"}});
  EXPECT_EQ(in.dataset.users(), 2u);
  EXPECT_EQ(in.items_of("u"), "1 2 3 4 5");
  EXPECT_EQ(in.items_of("v"), "7 8 9 7 8");
  EXPECT_EQ(in.content.at("source").at("import").at("time"), "order in the file");
}

TEST(ImportRecboleSequences, PartsThatWereNotGivenAreNamed) {
  const std::string header = kHeader;
  const std::vector<std::pair<std::string, std::string>> parts = {
      {"x.train.inter", header + "u\t1 2\t3\n"},
      {"x.valid.inter", header + "u\t1 2 3\t4\n"},
      {"x.test.inter", header + "u\t1 2 3 4\t5\n"}};
  const char* missing[] = {"not given: x.valid.inter, x.test.inter;", "not given: x.test.inter;",
                           nullptr};
  for (size_t given = 1; given <= 3; ++given) {
    const Json content = import_texts("auto", {parts.begin(), parts.begin() + long(given)}).content;
    const std::string text = import_text(content);
    EXPECT_EQ(text.find("no row of this file"), std::string::npos) << text;
    for (size_t part = 0; part < given; ++part) {
      EXPECT_EQ(content.at("source").at("files").at(part).at("sequences"), 1);
    }
    if (missing[given - 1] == nullptr) {
      EXPECT_EQ(text.find("not given"), std::string::npos) << text;
    } else {
      EXPECT_NE(text.find(missing[given - 1]), std::string::npos) << text;
    }
  }
}

TEST(ImportRecboleSequences, OtherNamesAreMapped) {
  ImportRequest request;
  const fs::path file = scratch("mapped.inter");
  write_file_atomic(file, "who:token\tthing_list:token_seq\tthing:token\nu\t1 2\t3\n");
  request.files = {file};
  request.map = parse_column_map("user=who,item=thing");
  request.out = scratch("mapped");
  import_files(request);
  EXPECT_EQ(Dataset::open(request.out).events(), 3u);
}

TEST(ImportRecboleSequences, OneEventAUserIsAnError) {
  const std::string header = kHeader;
  try {
    import_texts("recbole", {{"x.train.inter", header + "u\t\t2\nv\t\t3\n"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "each of the 2 users has one event only");
  }
}

TEST(ImportRecboleSequences, ListsOfAnItemFileAreNoSequences) {
  EXPECT_TRUE(holds_sequences("session_id:token\titem_id_list:token_seq\titem_id:token", {}));
  EXPECT_FALSE(holds_sequences("item_id:token\ttitle:token_seq\tclass:token_seq", {}));
  EXPECT_FALSE(holds_sequences("user_id:token\titem_id:token\ttag_list:token_seq", {}));
}

using Items = std::vector<uint32_t>;

Items told(const std::vector<Items>& rows, bool fits = true) {
  ToldSequence sequence;
  bool all = true;
  for (const Items& row : rows) all = sequence.join(row) && all;
  EXPECT_EQ(all, fits);
  return sequence.items;
}

TEST(ToldSequence, EachTellingCountsOnce) {
  EXPECT_EQ(told({{1, 2}, {1, 2, 3}}), (Items{1, 2, 3}));
  EXPECT_EQ(told({{1, 2, 3}, {1, 2}}), (Items{1, 2, 3}));        // a shorter one, later
  EXPECT_EQ(told({{1, 2, 3}, {2, 3}}), (Items{1, 2, 3}));        // its end
  EXPECT_EQ(told({{1, 2, 3}, {2, 3, 4}}), (Items{1, 2, 3, 4}));  // cut to its newest
  EXPECT_EQ(told({{1, 1, 1}, {1, 1, 1, 1}}), (Items{1, 1, 1, 1}));
  EXPECT_EQ(told({{1, 2, 1}, {1, 2}}), (Items{1, 2, 1}));
  EXPECT_EQ(told({{1, 2, 3, 4}, {8, 9}}, false), (Items{1, 2, 3, 4}));
  EXPECT_EQ(told({{8, 9}, {1, 2, 3}}, false), (Items{1, 2, 3}));
}

// A long user, cut to the newest 51 in every row, who does the same again and again.
TEST(ToldSequence, CutListsGiveTheWholeInLinearTime) {
  Items whole;
  for (uint32_t i = 0; i < 200000; ++i) whole.push_back(i % 1000);
  ToldSequence sequence;
  for (size_t end = 2; end <= whole.size(); ++end) {
    const size_t begin = end > 51 ? end - 51 : 0;
    ASSERT_TRUE(sequence.join(std::span(whole).subspan(begin, end - begin)));
  }
  EXPECT_EQ(sequence.items, whole);
}

}  // namespace
}  // namespace podium::data
