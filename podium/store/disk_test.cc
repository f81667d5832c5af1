// Disks that take nothing: what was known is answered, what comes is refused, and nothing has to be
// restarted when it is over.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/store/faulty_vfs.h"
#include "podium/store/store.h"
#include "podium/store/test_files.h"

namespace podium::store {
namespace {

// The kind of what is thrown; kInternal: nothing is.
template <class Work>
ErrorKind thrown_by(Work work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_FALSE(error.cure().empty());
    return error.kind();
  }
  return ErrorKind::kInternal;
}

class DiskTest : public testing::Test {
 protected:
  const fs::path dir_ = scratch_dir("disk");
};

TEST_F(DiskTest, AFullOneIsToldAndOverWhenThereIsSpaceAgain) {
  Store store(dir_);
  store.add_event("u", {"a", 1});
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{200000, before.rlim_max};  // bytes of a file
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  int written = 0;
  const ErrorKind kind = thrown_by([&] {
    for (; written < 1000; ++written) {
      store.put_items(std::vector<serving::LiveItem>{
          {.id = std::to_string(written), .title = std::string(2000, 'x')}});
    }
  });
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_LT(written, 1000);
  EXPECT_EQ(kind, ErrorKind::kUnavailable);
  EXPECT_EQ(store.items().size(), size_t(written)) << "what was refused is not seen";
  store.add_event("u", {"b", 2});
  EXPECT_EQ(store.history_of("u").events.size(), 2u);
}

// As a file system that turned read-only, or a disk that is gone.
TEST_F(DiskTest, OneThatTurnsReadOnlyIsStillRead) {
  FaultyVfs vfs;
  Store store(dir_, {.hot_bytes = 0});  // histories come from the disk
  store.append({Event{"u", {"a", 1}}, Event{"v", {"a", 1}}});
  for (const int refusal : {SQLITE_IOERR_WRITE, SQLITE_READONLY, SQLITE_FULL}) {
    vfs.refusal = refusal;
    EXPECT_EQ(thrown_by([&] { store.add_event("u", {"b", 2}); }), ErrorKind::kUnavailable);
    EXPECT_EQ(thrown_by([&] { store.erase_user("v"); }), ErrorKind::kUnavailable);
    EXPECT_EQ(store.history_of("u").events.size(), 1u);
    EXPECT_FALSE(store.history_of("v").erased);
    vfs.refusal = SQLITE_OK;
  }
  store.add_event("u", {"b", 2});
  EXPECT_EQ(store.history_of("u").events.size(), 2u);
}

// The disk fails at any moment of an erasure: who hears that it is done has no byte left, and who
// hears that it failed does it again.
TEST_F(DiskTest, AnErasureIsWholeOrAnError) {
  FaultyVfs vfs;
  Store store(dir_);
  int failed = 0, steps = 0;
  for (int failing = 1; steps + 1 >= failing; ++failing) {
    const std::string user = "secret-" + std::to_string(failing);
    store.append({Event{user, {"a", 1}}, Event{"other", {"a", 1}}});
    steps = 0;
    vfs.before = [&] { vfs.refusal = ++steps == failing ? SQLITE_IOERR_WRITE : SQLITE_OK; };
    const bool whole = thrown_by([&] { store.erase_user(user); }) == ErrorKind::kInternal;
    vfs.before = [] {};
    vfs.refusal = SQLITE_OK;
    if (!whole) {
      ++failed;
      store.erase_user(user);
    }
    ASSERT_EQ(bytes_of(dir_).find("secret"), std::string::npos) << failing << whole;
    ASSERT_TRUE(store.history_of(user).erased);
  }
  EXPECT_GT(failed, 5);
  EXPECT_GT(store.history_of("other").events.size(), 5u);
}

TEST_F(DiskTest, AnErasureBesideAReaderIsWholeWhenTheReaderEnds) {
  Store store(dir_);
  store.append({Event{"secret", {"a", 1}}});
  Database other = Database::reader(dir_ / kLogFile);
  std::optional<Transaction> reading(std::in_place, other, Transaction::Use::kRead);
  EXPECT_EQ(other.number("SELECT count(*) FROM log"), 1);
  EXPECT_EQ(thrown_by([&] { store.erase_user("secret"); }), ErrorKind::kUnavailable);
  EXPECT_TRUE(store.history_of("secret").erased);
  store.add_event("u", {"a", 1});
  reading.reset();
  store.erase_user("secret");
  EXPECT_EQ(bytes_of(dir_).find("secret"), std::string::npos);
}

TEST_F(DiskTest, AFolderOrAFileThatMayNotBeWrittenIsToldAtTheStart) {
  { Store(dir_).add_event("u", {"a", 1}); }
  for (const bool folder : {true, false}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {  // as somebody whom rights bind
      fs::permissions(dir_, fs::perms(folder ? 0555 : 0777));
      fs::permissions(dir_ / "lock", fs::perms(0666));
      fs::permissions(dir_ / kLogFile, fs::perms(folder ? 0666 : 0444));
      if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
      const ErrorKind kind = thrown_by([&] { const Store store(dir_); });
      ::_exit(kind == ErrorKind::kUnavailable ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0) << (folder ? "folder" : "file");
  }
  fs::permissions(dir_, fs::perms(0755));
  fs::permissions(dir_ / kLogFile, fs::perms(0644));
  EXPECT_EQ(Store(dir_).history_of("u").events.size(), 1u);
}

}  // namespace
}  // namespace podium::store
