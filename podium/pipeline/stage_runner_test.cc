#include "podium/pipeline/stage_runner.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/pipeline/process.h"

namespace podium::pipeline {
namespace {

struct Chain {
  explicit Chain(fs::path dir) : out(std::move(dir)) {}
  // Two stages, the second reading the first; counts how often each ran.
  void run(const std::string& first_options, const std::string& second_options,
           bool fail_second = false) {
    StageRunner runner(out, "root");
    const fs::path first = runner.run({"first", first_options, {}}, [&](const StageDirs& dirs) {
      ++first_runs;
      write_file_atomic(dirs.result / "value", first_options);
      return 0.0;
    });
    runner.run({"second", second_options, {"first"}}, [&](const StageDirs& dirs) {
      ++second_runs;
      write_file_atomic(dirs.work / "checkpoint", "half");
      if (fail_second) throw Error("killed");
      write_file_atomic(dirs.result / "value", read_file(first / "value") + second_options);
      return 0.0;
    });
  }
  fs::path out;
  int first_runs = 0, second_runs = 0;
};

TEST(StageRunner, SkipsWhatHasNotChanged) {
  Chain chain(scratch("skip"));
  chain.run("a", "b");
  chain.run("a", "b");
  EXPECT_EQ(chain.first_runs, 1);
  EXPECT_EQ(chain.second_runs, 1);
  chain.run("a", "c");
  EXPECT_EQ(chain.first_runs, 1);
  EXPECT_EQ(chain.second_runs, 2);
  EXPECT_EQ(read_file(chain.out / "stages/second/value"), "ac");
  chain.run("x", "c");  // a changed input re-runs what reads it
  EXPECT_EQ(chain.first_runs, 2);
  EXPECT_EQ(chain.second_runs, 3);
  EXPECT_EQ(read_file(chain.out / "stages/second/value"), "xc");
}

TEST(StageRunner, AnUnfinishedStageLeavesItsCheckpointAndNoResult) {
  Chain chain(scratch("unfinished"));
  EXPECT_THROW(chain.run("a", "b", true), Error);
  EXPECT_FALSE(fs::exists(chain.out / "stages/second"));
  EXPECT_EQ(read_file(chain.out / "work/second/checkpoint"), "half");
  chain.run("a", "b");
  EXPECT_EQ(chain.first_runs, 1);
  EXPECT_FALSE(fs::exists(chain.out / "work/second"));
}

TEST(StageRunner, ACheckpointOfOtherOptionsIsDropped) {
  const fs::path out = scratch("other");
  const auto run = [&](const std::string& options, bool expect_old) {
    StageRunner runner(out, "root");
    EXPECT_THROW(runner.run({"only", options, {}},
                            [&](const StageDirs& dirs) -> double {
                              EXPECT_EQ(fs::exists(dirs.work / "checkpoint"), expect_old);
                              write_file_atomic(dirs.work / "checkpoint", "half");
                              throw Error("killed");
                            }),
                 Error);
  };
  run("a", false);
  run("a", true);
  run("b", false);
}

TEST(StageRunner, ADamagedResultIsToldNotUsed) {
  Chain chain(scratch("damaged"));
  chain.run("a", "b");
  write_file_atomic(chain.out / "stages/first/value", "longer than it was");
  EXPECT_THROW(chain.run("a", "b"), Error);
}

TEST(StageRunner, RecordsTimings) {
  Chain chain(scratch("timings"));
  chain.run("a", "b");
  const Json timings = read_json(chain.out / "timings.json");
  ASSERT_EQ(timings.size(), 2u);
  EXPECT_EQ(timings[1]["stage"], "second");
  EXPECT_GT(timings[1]["peak_mb"].get<double>(), 0);
}

TEST(Process, PassesStatusOn) {
  EXPECT_GE(run_child({"/bin/sh", "-c", "exit 0"}).seconds, 0);
  try {
    run_child({"/bin/sh", "-c", "exit 3"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("status 3"), std::string::npos);
  }
  EXPECT_THROW(run_child({"/bin/sh", "-c", "kill -9 $$"}), Error);
  EXPECT_THROW(run_child({"/no/such/program"}), Error);
}

TEST(Process, ALockedDirectoryIsRefused) {
  const fs::path file = scratch("lock") / ".lock";
  {
    const FileLock lock(file);
    EXPECT_THROW(FileLock second(file), Error);
  }
  EXPECT_NO_THROW(FileLock again(file));
}

}  // namespace
}  // namespace podium::pipeline
