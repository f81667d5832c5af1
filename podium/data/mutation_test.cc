// Files of users and datasets with one thing in them changed. $PODIUM_MUTATIONS: how many.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "podium/artifact/manifest.h"
#include "podium/artifact/verify.h"
#include "podium/base/error.h"
#include "podium/base/mutate.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset.h"
#include "podium/data/dataset_builder.h"
#include "podium/data/import.h"
#include "podium/data/import_values.h"

namespace podium::data {
namespace {

// Everything that a dataset holds, read once: out-of-range reads are the sanitizers' to find.
bool is_sound(const Dataset& d) {
  size_t events = 0;
  for (UserIndex u = 0; u < d.users(); ++u) {
    const auto items = d.items_of(u);
    const auto times = d.times_of(u);
    if (times.size() != items.size() || d.ratings_of(u).size() != items.size()) return false;
    if (!std::is_sorted(times.begin(), times.end()) || d.user_id(u).empty()) return false;
    if (std::any_of(items.begin(), items.end(), [&](ItemIndex i) { return i >= d.items(); })) {
      return false;
    }
    events += items.size();
  }
  for (ItemIndex i = 0; i < d.items(); ++i) {
    if (d.item_id(i).empty() || d.find_item(d.item_id(i)) != i) return false;
    if (d.has_text(i) != !d.item_text(i).empty()) return false;
  }
  return events == d.events();
}

Outcome import_and_read(ImportRequest request, const fs::path& out) {
  try {
    request.out = out;
    fs::remove_all(out);
    import_files(request);
    return is_sound(Dataset::open(out)) ? kAnswered : kUnsound;
  } catch (const Error&) {
    return kRefused;
  }
}

struct Sample {
  std::string name, format, text;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = [] {
    std::vector<Sample> s = {
        {"events.csv", "auto", "user_id,item_id,timestamp,rating,title\n"},
        {"semicolons.csv", "auto", "\"user\";\"item\";\"time\"\r\n"},
        {"events.tsv", "auto", "user\titem\ttime\n"},
        {"events.jsonl", "auto", ""},
        {"events.json", "auto", "["},
        {"reviews.json", "amazon", ""},
        {"x.inter", "auto", "user_id:token\titem_id:token\ttimestamp:float\n"},
        {"sequences.inter", "auto", "user_id:token\titem_id_list:token_seq\titem_id:token\n"},
        {"ratings.dat", "auto", ""},
        {"sequences.txt", "sequences", ""}};
    for (int i = 0; i < 60; ++i) {
      const int u = i % 7, t = i * i % 11, when = 1600000000 + 3600 * i;
      s[0].text += fmt::format("u{},i{},{},{}.5,\"A \"\"fine\"\" thing\nof kind {}\"\n", u, t, when,
                               i % 5, t % 3);
      s[1].text +=
          fmt::format("\"u{}\";\"i{}\";\"2020-01-{:02} 10:{:02}:00\"\r\n", u, t, 1 + i / 3, i % 60);
      s[2].text += fmt::format("u{}\ti{}\t{}000\n", u, t, when);
      s[3].text +=
          fmt::format(R"({{"user":"u{}","item":"i{}","title":"Titel \u00e4 {}","timestamp":{}}})",
                      u, t, t, when) +
          "\n";
      s[4].text += fmt::format(R"({}{{"userId": {}, "itemId": "i{}", "time": {}.25}})",
                               i == 0 ? "" : ",\n", u, t, when);
      s[5].text += fmt::format(
          "{{'reviewerID': 'u{}', 'asin': 'i{}', 'overall': {}.0, 'summary': "
          "u'it\\'s', 'unixReviewTime': {}}}\n",
          u, t, i % 5, when);
      s[6].text += fmt::format("u{}\ti{}\t{}.0\n", u, t, when);
      s[7].text += fmt::format("u{}\ti{} i{} i{}\ti{}\n", i, t, t + 1, t + 2, t + 3);
      s[8].text += fmt::format("{}::{}::{}::{}\n", u + 1, t + 1, i % 5 + 1, when);
      s[9].text += fmt::format("{} {} {} {} {}\n", i + 1, t + 1, t + 2, t + 4, t + 9);
    }
    s[4].text += "]\n";
    return s;
  }();
  return all;
}

TEST(Mutations, OfFilesToImportAreReadOrRefused) {
  const fs::path dir = scratch_dir("mutated-imports");
  const int count = mutations(400);
  Outcomes outcomes;
  const auto outcome_for = [&](const Sample& sample, const std::string& text) {
    write_bytes(dir / sample.name, text);
    ImportRequest request;
    request.format = sample.format;
    request.name = "mutated";
    request.files = {dir / sample.name};
    return outcome_of([&] { return import_and_read(request, dir / "out"); });
  };
  for (const Sample& sample : samples()) {
    ASSERT_EQ(outcome_for(sample, sample.text), kAnswered) << sample.name;
  }
  for (int i = 0; i < count; ++i) {
    Rng rng = Rng(13).fork(uint64_t(i));
    const Sample& sample = samples()[size_t(i) % samples().size()];
    std::string text = sample.text;
    const std::string told =
        fmt::format("mutation {} of {}: {}", i, sample.name, mutate(text, rng));
    outcomes.add(outcome_for(sample, text), told);
  }
  fmt::print("{} mutated files to import: {} refused, {} read\n", count, outcomes.refused,
             outcomes.answered);
  EXPECT_GT(outcomes.answered, count / 2);
}

using EventSet = std::multiset<std::string>;  // "user item time"

// The rows of a table without quotes whose time is a number, read in the plainest way.
EventSet plainly_read(const std::string& text) {
  EventSet events;
  size_t begin = text.find('\n') + 1;
  while (begin < text.size()) {
    const size_t end = std::min(text.size(), text.find('\n', begin));
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const size_t first = line.find(','), second = line.find(',', first + 1);
    const std::string time = line.substr(second + 1);
    char* stop = nullptr;
    const double seconds = std::strtod(time.c_str(), &stop);
    if (stop == time.c_str() || std::string(stop).find_first_not_of(' ') != std::string::npos) {
      continue;
    }
    const std::string_view cells = line;
    events.insert(fmt::format("{} {} {}", trimmed(cells.substr(0, first)),
                              trimmed(cells.substr(first + 1, second - first - 1)),
                              std::floor(seconds)));
  }
  return events;
}

EventSet events_of(const Dataset& d) {
  EventSet events;
  for (UserIndex u = 0; u < d.users(); ++u) {
    for (size_t e = 0; e < d.items_of(u).size(); ++e) {
      events.insert(
          fmt::format("{} {} {}", d.user_id(u), d.item_id(d.items_of(u)[e]), d.times_of(u)[e]));
    }
  }
  return events;
}

// No other number, no other id: a row is read as it stands, or rejected and counted.
TEST(Mutations, OfATableAreReadAsTheyStand) {
  std::string whole = "user_id,item_id,timestamp\n";
  for (int i = 0; i < 60; ++i) {
    whole += fmt::format("user{},item{},{}\n", i % 7, i * i % 11, 1600000000 + 3600 * i);
  }
  const fs::path dir = scratch_dir("mutated-tables");
  const std::string letters = "0123456789abxyzABXYZ-_ .";
  const int count = mutations(400);
  int rejected = 0;
  for (int i = 0; i < count; ++i) {
    Rng rng = Rng(14).fork(uint64_t(i));
    std::string text = whole;
    size_t at = whole.find('\n') + 1 + rng.below(whole.size() - whole.find('\n') - 1);
    while (text[at] == ',' || text[at] == '\n') --at;
    text[at] = letters[rng.below(letters.size())];
    write_bytes(dir / "t.csv", text);
    ImportRequest request;
    request.files = {dir / "t.csv"};
    request.out = scratch("mutated-table");
    const Json content = import_files(request);
    const uint64_t bad = content.at("source").at("import").at("rejected");
    const EventSet read = events_of(Dataset::open(request.out));
    rejected += int(bad);
    EXPECT_EQ(read.size() + bad, 60u) << text.substr(at < 40 ? 0 : at - 40, 80);
    if (bad == 0) {
      EXPECT_EQ(read, plainly_read(text)) << text.substr(at < 40 ? 0 : at - 40, 80);
    }
  }
  fmt::print("{} tables with another character: {} rows rejected\n", count, rejected);
}

TEST(Mutations, OfADatasetAreRefusedOrHarmless) {
  const fs::path whole = scratch("whole-dataset"), dir = scratch("changed-dataset");
  DatasetBuilder builder;
  for (int i = 0; i < 20; ++i) {
    builder.add_item({.id = fmt::format("i{}", i),
                      .title = fmt::format("Thing {}", i),
                      .categories = {"Shop", fmt::format("Kind {}", i % 3)},
                      .price = float(i)});
  }
  for (int i = 0; i < 100; ++i) {
    builder.add_event({fmt::format("u{}", i % 9), fmt::format("i{}", i * i % 20), 100 * i, 1});
  }
  builder.write(whole, "whole", 0, Json::object());
  const auto outcome_for = [&] {
    return outcome_of([&] {
      try {
        return is_sound(Dataset::open(dir)) ? kAnswered : kUnsound;
      } catch (const Error&) {
        return kRefused;
      }
    });
  };
  const int count = mutations(300);
  Outcomes outcomes;
  for (int i = 0; i < count; ++i) {
    Rng rng = Rng(15).fork(uint64_t(i));
    std::string told = fmt::format("mutation {}: {}", i, mutate_copy(whole, dir, rng));
    const bool own = told.find(artifact::kManifestName) != std::string::npos;
    if (i % 4 == 0 && !own) {
      EXPECT_EQ(artifact::verify(dir).front().damage.empty(), same_files(whole, dir)) << told;
    }
    if (i % 2 == 0 && !own) {
      const Json content = read_json(whole / artifact::kManifestName).at("content");
      artifact::write_manifest(dir, "dataset", kDatasetVersion, content);
    }
    outcomes.add(outcome_for(), told);
  }
  fmt::print("{} mutated datasets: {} refused, {} read\n", count, outcomes.refused,
             outcomes.answered);
  EXPECT_GT(outcomes.refused, count / 4);
}

}  // namespace
}  // namespace podium::data
