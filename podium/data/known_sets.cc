#include "podium/data/known_sets.h"

#include <fmt/format.h>

#include <cstdlib>

#include "podium/artifact/output.h"
#include "podium/artifact/wheel.h"
#include "podium/base/error.h"

namespace podium::data {
namespace {

constexpr artifact::PinnedWheel kWheel = {
    "recbole==1.2.1", "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"};

constexpr std::string_view kAmazon2014 =
    "Amazon reviews 2014, 5-core (McAuley et al. 2015), as S3-Rec and TIGER use it";
constexpr std::string_view kResearch = "research use, no redistribution; cite the owners";

// The file, or its packed form.
fs::path existing(const fs::path& folder, std::string_view file) {
  const fs::path plain = folder / file;
  if (fs::exists(plain)) return plain;
  fs::path packed = plain;
  packed += ".gz";
  if (fs::exists(packed)) return packed;
  throw Error(fmt::format("the file {} is missing", file),
              "give the folder that holds the set's files with --from", folder.string());
}

bool holds(const fs::path& folder, const KnownSet& set) {
  for (const std::string_view file : set.files) {
    fs::path packed = folder / file;
    packed += ".gz";
    if (!fs::exists(folder / file) && !fs::exists(packed)) return false;
  }
  return true;
}

}  // namespace

const std::vector<KnownSet>& known_sets() {
  static const std::vector<KnownSet> sets = {
      {"ml-100k",
       "MovieLens 100K",
       "RecBole's wheel on PyPI, or grouplens.org/datasets/movielens",
       kResearch,
       "recbole",
       {"ml-100k.inter", "ml-100k.item"}},
      {"ml-1m",
       "MovieLens 1M",
       "grouplens.org/datasets/movielens/1m",
       kResearch,
       "movielens",
       {"ratings.dat", "movies.dat"}},
      {"ml-latest-small",
       "MovieLens latest-small",
       "grouplens.org/datasets/movielens/latest",
       kResearch,
       "movielens",
       {"ratings.csv", "movies.csv"}},
      {"amazon-beauty",
       "Amazon Beauty",
       kAmazon2014,
       kResearch,
       "auto",
       {"interactions.tsv", "items.jsonl"}},
      {"amazon-sports",
       "Amazon Sports and Outdoors",
       kAmazon2014,
       kResearch,
       "auto",
       {"interactions.tsv", "items.jsonl"}},
      {"mind-small",
       "MIND news, small",
       "msnews.github.io",
       "Microsoft Research Licence",
       "mind",
       {"behaviors.tsv", "news.tsv"}},
      {"mind-sample",
       "MIND news, 5,000 impressions of MIND-small",
       "msnews.github.io",
       "Microsoft Research Licence",
       "mind",
       {"behaviors.tsv", "news.tsv"}},
      {"steam",
       "Steam plays",
       "cseweb.ucsd.edu/~jmcauley/datasets.html",
       kResearch,
       "sequences",
       {"training.tsv", "validation.tsv", "testing.tsv"}}};
  return sets;
}

const KnownSet& known_set(std::string_view name) {
  std::string names;
  for (const KnownSet& set : known_sets()) {
    if (set.name == name) return set;
    names += (names.empty() ? "" : ", ") + std::string(set.name);
  }
  throw Error(fmt::format("unknown data set '{}'", name), "known: " + names);
}

Json import_known(std::string_view name, const fs::path& folder, const fs::path& out) {
  const KnownSet& set = known_set(name);
  ImportRequest request;
  request.name = set.name;
  request.format = set.format;
  request.out = out;
  for (const std::string_view file : set.files) request.files.push_back(existing(folder, file));
  return import_files(request);
}

Json get_known(std::string_view name, const fs::path& from, const fs::path& out) {
  const KnownSet& set = known_set(name);
  const fs::path place = artifact::check_output(out, "dataset", {from});
  if (!from.empty()) return import_known(name, from, out);
  if (const char* data = std::getenv("PODIUM_DATA"); data != nullptr && *data != '\0') {
    const fs::path folder = fs::path(data) / name;
    if (holds(folder, set)) return import_known(name, folder, out);
  }
  if (name == "ml-100k") {
    const TemporaryDir download(place);
    artifact::fetch_wheel(kWheel, download.path(),
                          "download ml-100k from GroupLens and use --from FOLDER");
    return import_known(name, download.path() / "recbole/dataset_example/ml-100k", out);
  }
  throw Error(fmt::format("{} is not on this machine", name),
              fmt::format("download it from {} and use --from FOLDER, or put it into "
                          "$PODIUM_DATA/{}",
                          set.source, name));
}

}  // namespace podium::data
