#include "podium/data/known_sets.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::data {
namespace {

constexpr std::string_view kWheel = "recbole==1.2.1";
constexpr std::string_view kWheelSha256 =
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407";

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

// Runs a program without a shell; its exit code, 127 if it cannot be started.
int run_program(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) return 127;
  if (child == 0) {
    dup2(2, 1);  // its output is not ours
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// Fills the folder from PyPI; the folder of ml-100k's files in it.
fs::path fetch_movielens(const fs::path& folder) {
  log_info(fmt::format("fetching {} from PyPI for its copy of ml-100k", kWheel));
  if (run_program({"python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest",
                   folder.string(), std::string(kWheel)}) != 0) {
    throw Error("ml-100k could not be fetched from PyPI",
                "check the network, or download it from GroupLens and use --from FOLDER");
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".whl") continue;
    const std::string wheel = entry.path().string();
    if (sha256_file(wheel) != kWheelSha256) {
      throw Error("the wheel fetched from PyPI differs from the pinned one",
                  "download ml-100k from GroupLens and use --from FOLDER", std::string(kWheel));
    }
    if (run_program({"python3", "-m", "zipfile", "-e", wheel, folder.string()}) != 0) {
      throw Error("the wheel could not be unpacked", "check the free space", wheel);
    }
    return folder / "recbole" / "dataset_example" / "ml-100k";
  }
  throw Error("pip fetched no wheel", "use --from FOLDER", folder.string());
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
    return import_known(name, fetch_movielens(download.path()), out);
  }
  throw Error(fmt::format("{} is not on this machine", name),
              fmt::format("download it from {} and use --from FOLDER, or put it into "
                          "$PODIUM_DATA/{}",
                          set.source, name));
}

}  // namespace podium::data
