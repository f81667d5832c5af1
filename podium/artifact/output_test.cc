// What a command may replace: the one rule, and whole directories at any point of failure.
#include "podium/artifact/output.h"

#include <gtest/gtest.h>

#include "podium/artifact/manifest.h"
#include "podium/artifact/verify.h"
#include "podium/base/error.h"
#include "podium/base/scratch.h"

namespace podium::artifact {
namespace {

fs::path ours(const std::string& name, const std::string& kind, const std::string& text = "old") {
  const fs::path dir = scratch_dir(name);
  write_file_atomic(dir / "data.txt", text);
  write_manifest(dir, kind, 1, Json::object());
  return dir;
}

std::string refusal(const fs::path& out, const std::string& kind,
                    const std::vector<fs::path>& inputs = {}) {
  try {
    check_output(out, kind, inputs);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kBadRequest);
    EXPECT_FALSE(e.cure().empty());
    return e.message();
  }
  return "";
}

TEST(Output, OnlyOursOfThatKindIsReplaced) {
  EXPECT_EQ(refusal(scratch("none"), "dataset"), "");
  EXPECT_EQ(refusal(scratch("a") / "b" / "c", "dataset"), "");
  EXPECT_EQ(refusal(scratch_dir("empty"), "dataset"), "");
  EXPECT_EQ(refusal(ours("mine", "dataset"), "dataset"), "");
  EXPECT_NE(refusal(ours("sids", "sid"), "dataset").find("is no dataset"), std::string::npos);
  EXPECT_NE(refusal("", "dataset"), "");
  EXPECT_NE(refusal("/", "dataset"), "");

  const fs::path file = scratch("file");
  write_file_atomic(file, "a note");
  EXPECT_NE(refusal(file, "dataset").find("is no dataset"), std::string::npos);
  EXPECT_NE(refusal(file.string() + "/", "dataset"), "");

  const fs::path folder = scratch_dir("folder");
  write_file_atomic(folder / "notes.txt", "a note");
  EXPECT_NE(refusal(folder, "dataset").find("is no dataset"), std::string::npos);
  write_file_atomic(folder / "manifest.json", R"({"name": "a web app"})");
  EXPECT_NE(refusal(folder, "dataset"), "");
  write_file_atomic(folder / "manifest.json", "no JSON");
  EXPECT_NE(refusal(folder, "dataset"), "");
}

TEST(Output, LinksAreNotFollowed) {
  const fs::path mine = ours("target", "dataset"), link = scratch("link");
  fs::create_symlink(mine, link);
  EXPECT_NE(refusal(link, "dataset").find("symbolic link"), std::string::npos);
  EXPECT_NE(refusal(link.string() + "/", "dataset"), "");
  EXPECT_NE(refusal(link.string() + "/.", "dataset"), "");
  const fs::path dangling = scratch("dangling");
  fs::create_symlink("nowhere", dangling);
  EXPECT_NE(refusal(dangling, "dataset"), "");
}

TEST(Output, TheUsersFilesInOurDirectoryAreKept) {
  const fs::path dir = ours("shared", "dataset");
  fs::create_directories(dir / "impressions");
  write_file_atomic(dir / "impressions" / "slates", "x");
  write_manifest(dir / "impressions", "impressions", 1, Json::object());
  write_file_atomic(dir / "rejected.jsonl", "{}");
  EXPECT_EQ(refusal(dir, "dataset"), "");  // all of it podium's
  write_file_atomic(dir / "impressions" / "notes.txt", "mine");
  EXPECT_NE(refusal(dir, "dataset").find("impressions/notes.txt"), std::string::npos);
  fs::remove(dir / "impressions" / "notes.txt");
  fs::create_directories(dir / "deep" / "er");
  write_file_atomic(dir / "deep" / "er" / "notes.txt", "mine");
  EXPECT_NE(refusal(dir, "dataset").find("deep/er/notes.txt"), std::string::npos);
}

TEST(Output, WhatAnotherCommandWroteIntoItIsKept) {
  const fs::path dir = ours("outer", "dataset");
  for (const char* kind : {"bundle", "dataset", "impressions"}) {
    fs::create_directories(dir / "inner");
    write_file_atomic(dir / "inner" / "data.txt", "x");
    write_manifest(dir / "inner", kind, 1, Json::object());
    EXPECT_NE(refusal(dir, "dataset").find("holds 'inner'"), std::string::npos) << kind;
    fs::remove_all(dir / "inner");
  }
}

TEST(Output, OnlyPagesOfPodiumsAreWrittenOver) {
  const fs::path page = scratch("page.html");
  check_page(page, "mark");
  write_file_atomic(page, "user,item\n");
  EXPECT_THROW(check_page(page, "mark"), Error);
  write_file_atomic(page, "<p>mark</p>");
  check_page(page, "mark");
  check_page("/dev/null", "mark");
}

TEST(Output, InputsLieOutside) {
  const fs::path dir = ours("both", "dataset");
  EXPECT_NE(refusal(dir, "dataset", {dir / "data.txt"}).find("lies in the output"),
            std::string::npos);
  EXPECT_NE(refusal(dir, "dataset", {dir}), "");
  EXPECT_NE(refusal(dir.string() + "/", "dataset", {dir / ".." / "both" / "x"}), "");
  const fs::path link = scratch("elsewhere");
  fs::create_symlink(dir / "data.txt", link);
  EXPECT_NE(refusal(dir, "dataset", {link}), "");
  EXPECT_EQ(refusal(dir, "dataset", {dir.string() + "2/data.txt", ""}), "");
}

TEST(Output, LiesOutsideInputsThatPodiumWrote) {
  const fs::path data = ours("input", "dataset");
  EXPECT_NE(refusal(data / "sids", "sid", {data}).find("lies in the input"), std::string::npos);
  EXPECT_NE(refusal(data / "deep" / "er", "sid", {"", data.string() + "/"}), "");
  const fs::path link = scratch("another-name");
  fs::create_symlink(data, link);
  EXPECT_NE(refusal(link / "sids", "sid", {data}), "");
  EXPECT_EQ(refusal(data.string() + "2", "sid", {data}), "");
  const fs::path users = scratch_dir("users-own");  // such a folder may hold what is made of it
  EXPECT_EQ(refusal(users / "sids", "sid", {users}), "");
}

TEST(Output, ADirectoryIsNamedByItsLastPart) {
  EXPECT_EQ(name_of_output("some/d/"), "d");
  EXPECT_EQ(name_of_output("some/d//"), "d");
  EXPECT_EQ(name_of_output("some/d/."), "d");
  EXPECT_EQ(name_of_output("d"), "d");
  EXPECT_EQ(name_of_output("."), fs::current_path().filename());
}

TEST(Output, TheOldStaysUntilCommit) {
  const fs::path dir = ours("kept", "dataset");
  {
    AtomicDir dropped(dir.string() + "/", "dataset");
    write_file_atomic(dropped.path() / "data.txt", "new");
  }
  EXPECT_EQ(read_file(dir / "data.txt"), "old");
  AtomicDir out(dir.string() + "/", "dataset");
  write_file_atomic(out.path() / "b.txt", "new");
  write_manifest(out.path(), "dataset", 1, Json::object());
  EXPECT_EQ(read_file(dir / "data.txt"), "old");
  out.commit();
  EXPECT_FALSE(fs::exists(dir / "data.txt"));
  EXPECT_EQ(read_file(dir / "b.txt"), "new");
}

TEST(Output, WhatAppearsMeanwhileIsKept) {
  const fs::path dir = scratch("meanwhile");
  AtomicDir out(dir, "dataset");
  write_file_atomic(out.path() / "data.txt", "new");
  write_file_atomic(dir / "notes.txt", "mine");
  EXPECT_THROW(out.commit(), Error);
  EXPECT_EQ(read_file(dir / "notes.txt"), "mine");
}

TEST(Output, AWorkDirectoryIsNotTheUsers) {
  const fs::path dir = scratch("w.work");
  claim_work(dir);
  write_file_atomic(dir / "checkpoint", "x");
  EXPECT_NO_THROW(claim_work(dir));
  const fs::path notes = scratch_dir("notes.work");
  write_file_atomic(notes / "notes.txt", "mine");
  EXPECT_THROW(claim_work(notes), Error);
}

TEST(Verify, FindsEveryChangedByteOfEveryDirectory) {
  const fs::path run = scratch("run");
  write_file_atomic(run / "notes.txt", "mine");
  write_marker(run, "run", 1);
  for (const char* stage : {"a", "b"}) {
    write_file_atomic(run / "stages" / stage / "deep" / "data.bin", std::string(64, 'x'));
    write_manifest(run / "stages" / stage, "stage", 1, Json::object());
  }
  EXPECT_EQ(verify(run).size(), 3u);
  for (const VerifiedDir& dir : verify(run)) EXPECT_EQ(dir.damage, "");
  for (size_t i = 0; i < 64; ++i) {
    std::string bytes(64, 'x');
    bytes[i] ^= 1;
    write_file_atomic(run / "stages/b/deep/data.bin", bytes);
    EXPECT_NE(verify(run)[2].damage.find("deep/data.bin"), std::string::npos);
  }
  EXPECT_THROW(verify(scratch_dir("nothing")), Error);
}

}  // namespace
}  // namespace podium::artifact
