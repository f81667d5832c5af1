#include "podium/pipeline/stage_runner.h"

#include <gtest/gtest.h>

#include "podium/base/error.h"
#include "podium/base/file_lock.h"
#include "podium/base/scratch.h"
#include "podium/pipeline/process.h"

namespace podium::pipeline {
namespace {

const Json kRoot = {{"data", "d1"}, {"version", 1}};

struct Chain {
  explicit Chain(fs::path dir) : out(std::move(dir)) {}
  // Two stages, the second reading the first; counts how often each ran.
  void run(const std::string& first_options, const std::string& second_options,
           bool fail_second = false) {
    StageRunner runner(out, kRoot);
    const fs::path first =
        runner.run({"first", {{"a.x", first_options}}, {}}, [&](const StageDirs& dirs) {
          ++first_runs;
          write_file_atomic(dirs.result / "value", first_options);
          return 0.0;
        });
    runner.run({"second", {{"b.y", second_options}}, {"first"}}, [&](const StageDirs& dirs) {
      ++second_runs;
      write_file_atomic(dirs.work / "checkpoint", "half");
      if (fail_second) throw Error("killed");
      write_file_atomic(dirs.result / "value", read_file(first / "value") + second_options);
      return 0.0;
    });
  }
  StagePlan plan(const std::string& first_options, const std::string& second_options,
                 const Json& root = kRoot) const {
    return StageRunner(out, root).plan({{"first", {{"a.x", first_options}}, {}},
                                        {"second", {{"b.y", second_options}}, {"first"}}});
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

// Killed when the result was in its place and the rest was not yet away.
TEST(StageRunner, WhatAFinishedStageLeftIsRemoved) {
  Chain chain(scratch("left"));
  chain.run("a", "b");
  const fs::path left = chain.out / "stages/.second.podium-aB3dE6",
                 work = chain.out / "work/second";
  fs::create_directories(left);
  fs::create_directories(work);
  write_file_atomic(left / "owner", "podium: unfinished output, removed by the next run\n");
  chain.run("a", "b");
  EXPECT_EQ(chain.second_runs, 1);
  EXPECT_FALSE(fs::exists(left));
  EXPECT_FALSE(fs::exists(work));
}

TEST(StageRunner, ACheckpointOfOtherOptionsIsDropped) {
  const fs::path out = scratch("other");
  const auto run = [&](const std::string& options, bool expect_old) {
    StageRunner runner(out, kRoot);
    EXPECT_THROW(runner.run({"only", {{"x", options}}, {}},
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

using Names = std::vector<std::string>;

TEST(StageRunner, ThePlanSaysWhatRunsAgainAndWhy) {
  Chain chain(scratch("plan"));
  EXPECT_EQ(chain.plan("a", "b").missing, (Names{"first", "second"}));
  EXPECT_THROW(chain.run("a", "b", true), Error);
  EXPECT_EQ(chain.plan("a", "b").done, Names{"first"});
  EXPECT_EQ(chain.plan("a", "b").missing, Names{"second"});  // goes on from its checkpoint
  EXPECT_EQ(chain.plan("a", "c").again, Names{"second"});    // would lose the checkpoint
  chain.run("a", "b");
  EXPECT_EQ(chain.plan("a", "b").done, (Names{"first", "second"}));

  const StagePlan second = chain.plan("a", "c");
  EXPECT_EQ(second.again, Names{"second"});
  EXPECT_EQ(second.changes, Names{"b.y: \"b\" before, \"c\" now"});
  const StagePlan both = chain.plan("x", "b");
  EXPECT_EQ(both.again, (Names{"first", "second"}));  // the second reads the first
  EXPECT_EQ(both.changes, Names{"a.x: \"a\" before, \"x\" now"});

  const StagePlan without = StageRunner(chain.out, kRoot).plan({{"second", {{"b.y", "b"}}, {}}});
  EXPECT_EQ(without.changes, Names{"second reads other stages than before"});

  const StagePlan data = chain.plan("a", "b", {{"data", "d2"}, {"version", 1}});
  EXPECT_EQ(data.changes, Names{"the data set: another before"});
  const StagePlan version = chain.plan("a", "b", {{"data", "d1"}, {"version", 2}});
  EXPECT_EQ(version.changes, Names{"podium's stages: version 1 before, 2 now"});
  EXPECT_EQ(read_file(chain.out / "stages/second/value"), "ab");  // a plan changes nothing
}

TEST(StageRunner, RecordsTimings) {
  Chain chain(scratch("timings"));
  chain.run("a", "b");
  const Json timings = read_json(chain.out / "timings.json");
  ASSERT_EQ(timings.size(), 2u);
  EXPECT_EQ(timings[1]["stage"], "second");
  EXPECT_GT(timings[1]["peak_mb"].get<double>(), 0);
  EXPECT_GE(StageRunner(chain.out, kRoot).last_seconds("first"), 0);
  EXPECT_LT(StageRunner(chain.out, kRoot).last_seconds("third"), 0);
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

TEST(Process, AFailureSaysWhatIsKnown) {
  const auto told = [](const std::string& script, const fs::path& file = {}) {
    try {
      run_child({"/bin/sh", "-c", script}, file);
    } catch (const Error& error) {
      return error;
    }
    return Error("");
  };
  const fs::path file = scratch("error.json");
  const Error own = told(
      "echo '{\"message\": \"the loss is not finite\", \"cure\": \"lower "
      "it\", \"where\": \"step 2\"}' > " +
          file.string() + "; exit 1",
      file);
  EXPECT_NE(own.message().find("the loss is not finite"), std::string::npos);
  EXPECT_EQ(own.cure(), "lower it");
  EXPECT_EQ(own.where(), "step 2");
  // What an earlier child said is not taken for this one's.
  EXPECT_NE(told("exit 4", file).message().find("status 4"), std::string::npos);
  const Error aborted = told("kill -6 $$");
  EXPECT_NE(aborted.message().find("signal 6"), std::string::npos);
  EXPECT_EQ(aborted.cure().find("memory"), std::string::npos);
  EXPECT_NE(told("kill -9 $$").cure().find("memory"), std::string::npos);
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
