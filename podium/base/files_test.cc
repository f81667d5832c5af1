// Files and directories that appear whole or not at all, at every point where a disk may fail or a
// process be killed.
#include "podium/base/files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <functional>

#include "podium/base/error.h"
#include "podium/base/faulty_calls.h"
#include "podium/base/scratch.h"
#include "podium/base/temporary_dir.h"

namespace podium {
namespace {

constexpr int kManyCalls = 200;

size_t entries(const fs::path& dir) {
  return size_t(std::distance(fs::directory_iterator(dir), fs::directory_iterator()));
}

// Runs `body` in a child process that ends before its n-th system call; false: it came to its end.
bool killed_at(int n, bool can_exchange, const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const FaultyCalls faulty(n, 0, /*kill=*/true, can_exchange);
    try {
      body();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) &&
              (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == FaultyCalls::kKilled));
  return WEXITSTATUS(status) == FaultyCalls::kKilled;
}

void write_dir(const fs::path& dir) {
  TemporaryDir temporary(dir);
  write_file_atomic(temporary.path() / "a", "new");
  write_file_atomic(temporary.path() / "sub" / "b", "new");
  temporary.install();
}

// "old" or "new" when the directory is whole, else "".
std::string state_of(const fs::path& dir) {
  if (!fs::exists(dir / "a") || !fs::exists(dir / "sub" / "b") || entries(dir) != 2) return "";
  const std::string a = read_file(dir / "a");
  return a == read_file(dir / "sub" / "b") ? a : "";
}

fs::path old_dir(const std::string& name) {
  const fs::path dir = scratch_dir(name) / "out";
  write_file_atomic(dir / "a", "old");
  write_file_atomic(dir / "sub" / "b", "old");
  return dir;
}

TEST(Files, ErrorsNameThePathAndHaveAKind) {
  try {
    read_file("/nowhere/at-all");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "/nowhere/at-all");
    EXPECT_FALSE(e.cure().empty());
    EXPECT_EQ(e.kind(), ErrorKind::kNotFound);
  }
  EXPECT_THROW(MappedFile("/nowhere/at-all"), Error);
  EXPECT_THROW(MappedFile("/dev/null"), Error);
  EXPECT_THROW(read_file(scratch_dir("folder")), Error);
}

TEST(Files, WritesWhereATerminalUserMeans) {
  const fs::path folder = scratch_dir("targets");
  write_file_atomic(folder / "real", "old");
  fs::permissions(folder / "real", fs::perms(0600));
  fs::create_symlink("real", folder / "link");
  write_file_atomic(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "real"), "new");
  EXPECT_EQ(fs::status(folder / "real").permissions(), fs::perms(0600));
  write_file_atomic("/dev/null", "gone");
  EXPECT_FALSE(fs::is_regular_file("/dev/null"));
  EXPECT_THROW(write_file_atomic(folder, "x"), Error);
  EXPECT_THROW(write_file_atomic("/dev/full", "x"), Error);
  write_file_atomic(folder / std::string(250, 'n'), "a long name");
  EXPECT_EQ(entries(folder), 3u);
}

TEST(Files, WritesToAFolderInMemory) {
  const fs::path memory = "/dev/shm";
  if (!fs::is_directory(memory)) GTEST_SKIP() << "needs " << memory;
  const fs::path file = memory / ("podium-test-" + std::to_string(getpid()));
  write_file_atomic(file, "kept");
  EXPECT_EQ(read_file(file), "kept");
  fs::remove(file);
}

TEST(Files, EveryFailingCallLeavesTheOldFile) {
  const fs::path folder = scratch_dir("failing"), file = folder / "f";
  int n = 0;
  for (; n < kManyCalls; ++n) {
    write_file_atomic(file, "old");
    try {
      const FaultyCalls faulty(n, n % 2 == 0 ? ENOSPC : EIO);
      write_file_atomic(file, "a new text");
      if (FaultyCalls::calls() <= n) break;  // nothing failed any more
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kUnavailable) << n;
      EXPECT_FALSE(e.where().empty()) << n;
    }
    const std::string found = read_file(file);
    EXPECT_TRUE(found == "old" || found == "a new text") << n << found;
    EXPECT_EQ(entries(folder), 1u) << n;  // no leftovers
  }
  EXPECT_GT(n, 5);
  EXPECT_LT(n, kManyCalls);
}

TEST(Files, AKilledWriteLeavesTheOldFileOrTheNew) {
  const fs::path file = scratch_dir("killed") / "f";
  int n = 0;
  for (; n < kManyCalls; ++n) {
    write_file_atomic(file, "old");
    const bool killed = killed_at(n, true, [&] { write_file_atomic(file, "a new text"); });
    const std::string found = read_file(file);
    EXPECT_TRUE(found == "a new text" || (killed && found == "old")) << n << found;
    if (!killed) break;
  }
  EXPECT_GT(n, 5);
  EXPECT_LT(n, kManyCalls);
}

class Directories : public testing::TestWithParam<bool> {};  // can the file system exchange?

TEST_P(Directories, EveryFailingCallLeavesTheOldOne) {
  int n = 0;
  for (; n < kManyCalls; ++n) {
    const fs::path dir = old_dir("failing-dir");
    bool failed = false;
    {
      const FaultyCalls faulty(n, n % 2 == 0 ? ENOSPC : EIO, false, GetParam());
      try {
        write_dir(dir);
      } catch (const Error& e) {
        failed = true;
        EXPECT_FALSE(e.where().empty());
      }
      if (FaultyCalls::calls() <= n) break;
    }
    EXPECT_TRUE(state_of(dir) == "old" || (!failed && state_of(dir) == "new")) << n;
    EXPECT_EQ(entries(dir.parent_path()), 1u) << n;
  }
  EXPECT_GT(n, 15);
  EXPECT_LT(n, kManyCalls);
}

TEST_P(Directories, AKillAnywhereLosesNothing) {
  int n = 0;
  for (; n < kManyCalls; ++n) {
    const fs::path dir = old_dir("killed-dir");
    const bool killed = killed_at(n, GetParam(), [&] { write_dir(dir); });
    if (GetParam()) {
      EXPECT_NE(state_of(dir), "") << n;  // at every moment, without any recovery
    }
    recover_dir(dir);
    EXPECT_NE(state_of(dir), "") << n;
    if (!killed) break;
  }
  EXPECT_GT(n, 15);
  EXPECT_LT(n, kManyCalls);
}

INSTANTIATE_TEST_SUITE_P(Exchange, Directories, testing::Bool());

TEST(TemporaryDir, ClearsAwayOnlyWhatIsOursAndUnused) {
  const fs::path dir = old_dir("leftovers"), folder = dir.parent_path();
  const fs::path users = folder / ".out.podium-abcdef", users_file = folder / ".out.podium-123456";
  write_file_atomic(users / "notes.txt", "mine");
  write_file_atomic(users_file, "mine");
  const fs::path alike = folder / ".out.podium-ghijkl";
  write_file_atomic(alike / "owner", "somebody else");
  const TemporaryDir in_use(dir);
  // Killed while it wrote: a directory of ours stays.
  EXPECT_TRUE(killed_at(12, true, [&] { write_dir(dir); }));
  EXPECT_EQ(entries(folder), 6u);
  recover_dir(dir);
  EXPECT_EQ(entries(folder), 5u);
  EXPECT_TRUE(fs::exists(users / "notes.txt") && fs::exists(users_file) && fs::exists(alike));
  EXPECT_TRUE(fs::exists(in_use.path()));
}

}  // namespace
}  // namespace podium
