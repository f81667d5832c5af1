// Files with one thing changed, for tests of what reads them: each change must end in an Error or
// in a sound result, never in a crash or a hang.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/rng.h"

namespace podium {

// $PODIUM_MUTATIONS, or few.
inline int mutations(int few) {
  const char* text = std::getenv("PODIUM_MUTATIONS");
  return text != nullptr ? std::atoi(text) : few;
}

enum Outcome : int { kAnswered = 40, kRefused = 41, kUnsound = 42 };  // no sanitizer's exit codes

// body in a process of its own: an Outcome, or what else it exited with, or 128 + the signal that
// ended it, SIGALRM after a minute among them. body may start threads; ThreadSanitizer follows that
// only where no test of this process has started one before (tests run in the order of their
// files).
inline int outcome_of(const std::function<Outcome()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What became of all: each must have been answered or refused.
struct Outcomes {
  int answered = 0, refused = 0;

  void add(int outcome, const std::string& told) {
    answered += outcome == kAnswered;
    refused += outcome == kRefused;
    EXPECT_TRUE(outcome == kAnswered || outcome == kRefused) << told << " ended with " << outcome;
  }
};

inline void write_bytes(const fs::path& file, const std::string& bytes) {  // not flushed to disk
  std::ofstream(file, std::ios::binary) << bytes;
}

// Another number in the place of one: of digits near `at` in text, of eight bytes elsewhere.
inline void other_number(std::string& bytes, size_t at, Rng& rng) {
  static const std::vector<std::string> kNumbers = {
      "-1",   "0",   "1e39", "4294967296", "-9223372036854775808", "18446744073709551615",
      "null", "0.5", "nan"};
  static const std::vector<uint64_t> kWords = {0,
                                               ~uint64_t{0},
                                               uint64_t{1} << 63,
                                               0x7ff0000000000000,
                                               0x7f8000007f800000,
                                               0x7fffffff7fffffff};
  const size_t begin = bytes.find_first_of("0123456789", at);
  if (begin < at + 200 && bytes.find('\0') == std::string::npos) {
    const size_t end = std::min(bytes.size(), bytes.find_first_not_of("0123456789.eE+-", begin));
    bytes.replace(begin, end - begin, kNumbers[rng.below(kNumbers.size())]);
    return;
  }
  const uint64_t word = kWords[rng.below(kWords.size())];
  const size_t place = at / 8 * 8;
  for (size_t i = 0; i < 8 && place + i < bytes.size(); ++i) {
    bytes[place + i] = char(uint8_t(word >> (8 * i)));
  }
}

// Changes bytes, which are not empty; returns what it did.
inline std::string mutate(std::string& bytes, Rng& rng) {
  const size_t at = rng.below(bytes.size());
  const std::string place = " at " + std::to_string(at);
  switch (rng.below(6)) {
    case 0:
      bytes.resize(at);
      return "cut" + place;
    case 1:
      bytes.append(1 + rng.below(64), 'x');
      return "longer";
    case 2: {
      const size_t count = std::min<size_t>(64, bytes.size() - at);
      bytes.replace(at, count, count, 0);
      return "zeroed" + place;
    }
    case 3:
      other_number(bytes, at, rng);
      return "another number" + place;
    case 4: {  // headers are short, and hold the most: every sixth change is in one
      const size_t near = at % std::min<size_t>(bytes.size(), 2048);
      bytes[near] = char(uint8_t(bytes[near]) ^ uint8_t(1 + rng.below(255)));
      return "flipped at " + std::to_string(near);
    }
    default:
      bytes[at] = char(uint8_t(bytes[at]) ^ uint8_t(1 + rng.below(255)));
      return "flipped" + place;
  }
}

inline std::vector<fs::path> files_of(const fs::path& dir) {  // relative to it, sorted
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(dir));
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline bool same_files(const fs::path& a, const fs::path& b) {
  const std::vector<fs::path> files = files_of(a);
  return files == files_of(b) && std::all_of(files.begin(), files.end(), [&](const fs::path& file) {
           return read_file(a / file) == read_file(b / file);
         });
}

// A fresh copy `dir` of the directory `whole` with one of its files changed, missing, or in the
// place of another; returns what it did.
inline std::string mutate_copy(const fs::path& whole, const fs::path& dir, Rng& rng) {
  fs::remove_all(dir);
  fs::copy(whole, dir, fs::copy_options::recursive);
  const std::vector<fs::path> files = files_of(whole);
  const fs::path name = files[rng.below(files.size())];
  const uint64_t kind = rng.below(8);
  if (kind == 0) {
    fs::remove(dir / name);
    return name.string() + " removed";
  }
  if (kind == 1) {
    const fs::path other = files[rng.below(files.size())];
    write_bytes(dir / name, read_file(whole / other));
    return name.string() + " is now " + other.string();
  }
  std::string bytes = read_file(whole / name);
  if (bytes.empty()) return name.string() + " left as it is: empty";
  const std::string told = mutate(bytes, rng);
  write_bytes(dir / name, bytes);
  return name.string() + " " + told;
}

}  // namespace podium
