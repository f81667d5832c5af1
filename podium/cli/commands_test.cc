#include "podium/cli/commands.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <sstream>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"
#include "podium/base/options.h"
#include "podium/base/scratch.h"
#include "podium/cli/sid_commands.h"
#include "podium/eval/report.h"
#include "podium/pipeline/pipeline_options.h"
#include "podium/serving/test_bundle.h"

namespace podium::cli {
namespace {

// A run that got as far as `upstream`, a report of its results, and a bundle of random policies.
class CommandsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = scratch("commands");
    bundle_ = serving::write_test_bundle(root_);
    run_ = root_ / "run";
    fs::create_directories(run_ / "stages");
    fs::rename(root_ / "upstream", run_ / "stages" / "upstream");
    eval::SavedResults saved = eval::read_results(run_ / "stages" / "upstream" / "test.json");
    eval::ReportInput input;
    input.title = "Shop & Co";
    input.protocol = "leave-one-out";
    input.stages = saved.stages;
    input.targets = saved.targets;
    input.metrics.resamples = 20;
    eval::write_report(run_, input, 1);
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  // Standard output of one command line, with `input` on standard input. An Error is thrown on, or
  // its message goes to `told`.
  static std::string run(const std::vector<std::string>& arguments, const std::string& input = "",
                         std::string* told = nullptr) {
    CLI::App app;
    add_recommend_command(app);
    add_rerank_command(app);
    add_eval_command(app);
    add_report_command(app);
    add_retrieve_command(app);
    add_slates_command(app);
    add_config_command(app);
    add_sid_commands(app);
    std::istringstream in(input);
    std::streambuf* const before = std::cin.rdbuf(in.rdbuf());
    testing::internal::CaptureStdout();
    try {
      app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const Error& error) {
      std::cin.rdbuf(before);
      std::string output = testing::internal::GetCapturedStdout();
      if (told == nullptr) throw;
      *told = error.message();
      return output;
    } catch (...) {
      std::cin.rdbuf(before);
      testing::internal::GetCapturedStdout();
      throw;
    }
    std::cin.rdbuf(before);
    return testing::internal::GetCapturedStdout();
  }

  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }

  static inline fs::path root_, bundle_, run_;
};

TEST_F(CommandsTest, RecommendsAsTextAndJson) {
  const std::vector<std::string> base = {"recommend", "--bundle", bundle_, "--user",
                                         "u1",        "--k",      "5"};
  EXPECT_EQ(lines(run(base)).size(), 6u) << "a header and five rows";
  auto arguments = base;
  arguments.insert(arguments.end(), {"--explain", "--json"});
  const Json json = parse_json(run(arguments), "recommend --json");
  EXPECT_EQ(json["user"], "u1");
  ASSERT_EQ(json["items"].size(), 5u);
  EXPECT_FALSE(json["explanation"].get<std::string>().empty());
  EXPECT_TRUE(json["items"][0].contains("reasons"));
  arguments = base;
  arguments.push_back("--explain");
  EXPECT_NE(run(arguments).find("Reasoning:"), std::string::npos);
}

TEST_F(CommandsTest, RecommendsFromAHistory) {
  const Json json = parse_json(
      run({"recommend", "--bundle", bundle_, "--history", "i1,i3", "--json"}), "--history");
  EXPECT_EQ(json["items"].size(), 10u);
  for (const Json& item : json["items"]) {
    EXPECT_NE(item["item"], "i1");
    EXPECT_NE(item["item"], "i3");
  }
  const Json anybody =
      parse_json(run({"recommend", "--bundle", bundle_, "--history", "", "--json"}), "no history");
  EXPECT_EQ(anybody["items"].size(), 10u) << "somebody new gets what is popular";
  EXPECT_THROW(run({"recommend", "--bundle", bundle_, "--history", "nothing"}), Error);
  EXPECT_THROW(run({"recommend", "--bundle", bundle_, "--user", "nobody"}), Error);
  EXPECT_THROW(run({"recommend", "--bundle", bundle_, "--user", "u1", "--k", "0"}), Error);
  EXPECT_THROW(run({"recommend", "--bundle", bundle_}), CLI::ParseError);
  EXPECT_THROW(run({"recommend", "--bundle", bundle_, "--user", "u1", "--history", "i1"}),
               CLI::ParseError);
}

TEST_F(CommandsTest, ReranksLineByLineAndSurvivesBadOnes) {
  const std::string input =
      R"({"id": "a", "history": ["i1", "i2"], "candidates": ["i5", "i9", "i20"]})"
      "\n\nthis is not JSON\n"
      R"({"id": "b", "histroy": ["i1"], "candidates": ["i5", "i6"]})"
      "\n"
      R"({"id": "c", "candidates": [{"item": "i7", "score": 1}, {"item": "i8", "score": 2}]})";
  std::string told;
  const auto out = lines(run({"rerank", "--bundle", bundle_, "--trace"}, input, &told));
  EXPECT_EQ(told, "2 of 4 lines are answered by an error");
  ASSERT_EQ(out.size(), 4u);
  const Json a = parse_json(out[0], "a"), c = parse_json(out[3], "c");
  std::multiset<std::string> ranking = a["ranking"];
  EXPECT_EQ(ranking, (std::multiset<std::string>{"i5", "i9", "i20"}));
  EXPECT_EQ(a["valid"], true);
  EXPECT_TRUE(a.contains("explanation"));
  EXPECT_EQ(parse_json(out[1], "bad")["error"]["line"], 3);
  EXPECT_EQ(parse_json(out[2], "b")["error"]["line"], 4);
  EXPECT_EQ(c["id"], "c");
  EXPECT_EQ(c["ranking"].size(), 2u);
}

TEST_F(CommandsTest, WhatALineHoldsIsHonouredOrTold) {
  const std::string input =
      R"({"id": "user", "user": "u3", "candidates": ["i5", "i9", "i20"]})"
      "\n"
      R"({"id": "nobody", "user": "u3000", "candidates": ["i5", "i9"]})"
      "\n"
      R"({"id": "float", "history": ["i1.0", "i2"], "candidates": ["i5", "i9"]})"
      "\n"
      R"({"id": "new", "candidates": ["i5", "brand-new", "i9"]})"
      "\n";
  std::string told;
  const auto out = lines(run({"rerank", "--bundle", bundle_}, input, &told));
  EXPECT_EQ(told, "1 of 4 lines are answered by an error");
  ASSERT_EQ(out.size(), 4u);
  EXPECT_EQ(parse_json(out[0], "user")["valid"], true);
  EXPECT_EQ(parse_json(out[1], "nobody")["error"]["line"], 2);
  EXPECT_EQ(parse_json(out[2], "float")["unknown_history"], 1);
  const Json unknown = parse_json(out[3], "new");
  EXPECT_EQ(unknown["ranking"][1], "brand-new");
  EXPECT_EQ(unknown["unknown_candidates"], Json::array({"brand-new"}));
}

TEST_F(CommandsTest, ATooLongPromptFailsItsLineAlone) {
  const fs::path copy = root_ / "short";
  fs::copy(bundle_, copy, fs::copy_options::recursive);
  Json config = read_json(copy / "policy-fast" / "config.json");
  config["max_position_embeddings"] = 60;
  write_json_atomic(copy / "policy-fast" / "config.json", config);
  artifact::write_manifest(copy, "bundle", funnel::kBundleVersion,
                           read_json(copy / "manifest.json")["content"]);
  Json longer = {{"id", "long"}, {"candidates", Json::array()}};
  for (int i = 0; i < 30; ++i) longer["candidates"].push_back(fmt::format("i{}", i));
  const std::string fits = R"({"id": "fits", "candidates": ["i5", "i9"]})";
  std::string told;
  const auto out =
      lines(run({"rerank", "--bundle", copy}, fits + "\n" + longer.dump() + "\n" + fits, &told));
  EXPECT_EQ(told, "1 of 3 lines are answered by an error");
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(parse_json(out[0], "fits")["valid"], true);
  EXPECT_NE(out[1].find("the model has 60 positions"), std::string::npos) << out[1];
  EXPECT_EQ(parse_json(out[1], "long")["error"]["line"], 2);
  EXPECT_EQ(parse_json(out[2], "fits")["valid"], true);
}

TEST_F(CommandsTest, RecommendsLineByLine) {
  const std::string input = R"({"id": 1, "user": "u3", "k": 4, "time": 1728000})"
                            "\n"
                            R"({"id": 2, "user": "nobody"})"
                            "\n"
                            R"({"id": 3, "history": ["i1", "i2"], "times": [5, 6], "time": 7})"
                            "\n";
  std::string told;
  const auto out = lines(run({"recommend", "--bundle", bundle_, "--requests"}, input, &told));
  EXPECT_EQ(told, "1 of 3 lines are answered by an error");
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(parse_json(out[0], "1")["ranking"].size(), 4u);
  EXPECT_EQ(parse_json(out[1], "2")["error"]["line"], 2);
  EXPECT_EQ(parse_json(out[2], "3")["ranking"].size(), 10u);
  const Json same = parse_json(run({"recommend", "--bundle", bundle_, "--history", "i1,i2",
                                    "--times", "5,6", "--time", "7", "--json"}),
                               "--history");
  for (size_t r = 0; r < 10; ++r) {
    EXPECT_EQ(same["items"][r]["item"], parse_json(out[2], "3")["ranking"][r]);
  }
}

TEST_F(CommandsTest, NumbersOutOfRangeAreRefusedBeforeAnyWork) {
  const std::vector<std::string> recommend = {"recommend", "--bundle", "none", "--user", "u1"},
                                 rerank = {"rerank", "--bundle", "none"},
                                 slates = {"slates", "show", "--run", "none"},
                                 eval = {"eval", "--run", "none"},
                                 sid = {"sid", "fit", "--data", "none", "--out", "none"};
  struct Case {
    std::vector<std::string> command;
    std::string option;
    std::vector<std::string> values;
  };
  const std::vector<Case> cases = {{recommend, "k", {"0", "-1", "1001"}},
                                   {recommend, "deadline-ms", {"-1", "2000000000"}},
                                   {recommend, "threads", {"-1", "4097"}},
                                   {rerank, "deadline-ms", {"-5", "2000000000"}},
                                   {rerank, "threads", {"-1", "4097"}},
                                   {slates, "n", {"0", "-1"}},
                                   {eval, "k", {"1", "101"}},
                                   {eval, "threads", {"-1", "4097"}},
                                   {eval, "resamples", {"0", "1000001"}},
                                   {eval, "seed", {"-1"}},
                                   {sid, "seed", {"-1"}}};
  for (const Case& one : cases) {
    for (const std::string& value : one.values) {
      auto arguments = one.command;
      arguments.insert(arguments.end(), {"--" + one.option, value});
      std::string name = one.option, told;
      std::replace(name.begin(), name.end(), '-', '_');
      run(arguments, "", &told);
      EXPECT_TRUE(told.starts_with(name + " must be ")) << name << " " << value << ": " << told;
    }
    auto arguments = one.command;
    arguments.insert(arguments.end(), {"--" + one.option, "99999999999999999999"});
    EXPECT_THROW(run(arguments), CLI::ParseError) << one.option;
  }
  for (const char* const time : {"-1", "1700000000000"}) {
    std::string told;
    run({"recommend", "--bundle", bundle_, "--user", "u1", "--time", time}, "", &told);
    EXPECT_NE(told.find("unix seconds"), std::string::npos) << told;
    run({"recommend", "--bundle", bundle_, "--history", "i1", "--times", time}, "", &told);
    EXPECT_NE(told.find("unix seconds"), std::string::npos) << told;
  }
}

TEST_F(CommandsTest, ABundleWhoseBytesChangedIsNotServed) {
  const fs::path copy = root_ / "changed", weights = copy / "policy-fast" / "model.safetensors";
  fs::copy(bundle_, copy, fs::copy_options::recursive);
  std::string bytes = read_file(weights);
  bytes[bytes.size() - 5] ^= 1;
  write_file_atomic(weights, bytes);
  const std::vector<std::string> recommend = {"recommend", "--bundle", copy, "--user", "u1"},
                                 rerank = {"rerank", "--bundle", copy};
  for (const auto& command : {recommend, rerank}) {
    std::string told;
    EXPECT_EQ(run(command, "", &told), "");
    EXPECT_NE(told.find("policy-fast/model.safetensors' is damaged"), std::string::npos) << told;
  }
  fs::remove(weights);
  std::string told;
  run(rerank, "", &told);
  EXPECT_NE(told.find("policy-fast/model.safetensors' is missing"), std::string::npos) << told;
}

TEST_F(CommandsTest, MoreLinesThanABatchKeepTheirOrder) {
  std::string input;
  for (int i = 0; i < 150; ++i) {
    input += fmt::format("{{\"id\": \"q{}\", \"candidates\": [\"i{}\", \"i{}\", \"i{}\"]}}\n", i,
                         i % 38, i % 38 + 1, i % 38 + 2);
  }
  const auto out = lines(run({"rerank", "--bundle", bundle_}, input));
  ASSERT_EQ(out.size(), 150u);
  for (int i = 0; i < 150; ++i) {
    EXPECT_EQ(parse_json(out[size_t(i)], "line")["id"], fmt::format("q{}", i));
  }
}

TEST_F(CommandsTest, EvaluatesWhatThereIs) {
  const std::string table = run({"eval", "--run", run_, "--resamples", "20"});
  EXPECT_NE(table.find("Popularity"), std::string::npos);
  EXPECT_NE(table.find("Upstream (boosted trees)"), std::string::npos);
  const Json json = parse_json(
      run({"eval", "--run", run_, "--split", "valid", "--resamples", "20", "--json"}), "eval");
  EXPECT_EQ(json["stages"].back()["stage"], "upstream");
  const std::string same = run({"eval", "--run", run_, "--against", run_, "--resamples", "20"});
  EXPECT_NE(same.find("+0.0000 [+0.0000, +0.0000]"), std::string::npos) << same;
  EXPECT_THROW(run({"eval", "--run", root_}), Error);
  EXPECT_THROW(run({"eval", "--run", run_, "--split", "slates"}), Error);
}

TEST_F(CommandsTest, RetrievesFullListsOfUnseenItems) {
  const std::vector<std::string> base = {"retrieve",    "--data",           root_ / "shop",
                                         "--policy",    bundle_ / "policy", "--sid",
                                         root_ / "sid", "--resamples",      "20"};
  auto arguments = base;
  arguments.insert(arguments.end(), {"--out", root_ / "lists.json"});
  const std::string told = run(arguments);
  EXPECT_NE(told.find("100.0 % of the lists full"), std::string::npos) << told;
  const data::Dataset shop = data::Dataset::open(root_ / "shop");
  const data::Split split = data::leave_one_out(shop);
  const eval::SavedResults saved = eval::read_results(root_ / "lists.json");
  ASSERT_EQ(saved.stages.size(), 1U);
  ASSERT_EQ(saved.stages[0].lists.size(), split.valid.targets.size());
  for (size_t t = 0; t < split.valid.targets.size(); ++t) {
    const auto& [user, position] = split.valid.targets[t];
    const auto seen = shop.items_of(user).first(position);
    const auto& list = saved.stages[0].lists[t];
    EXPECT_EQ(std::set(list.begin(), list.end()).size(), 10U);
    for (const auto item : list) EXPECT_EQ(std::count(seen.begin(), seen.end(), item), 0);
  }
  arguments = base;
  arguments.insert(arguments.end(), {"--against", root_ / "lists.json"});
  EXPECT_NE(run(arguments).find("+0.0000 [+0.0000, +0.0000]"), std::string::npos) << "with itself";
  arguments = base;
  arguments.insert(arguments.end(), {"--phase", "test", "--against", root_ / "lists.json"});
  std::string error;
  run(arguments, "", &error);
  EXPECT_EQ(error, "results of other targets");
}

TEST_F(CommandsTest, ReportsAndRendersThePageAgain) {
  fs::remove(run_ / "report.html");
  EXPECT_NE(run({"report", "--run", run_, "--open", "no"}).find("Shop & Co"), std::string::npos);
  EXPECT_NE(read_file(run_ / "report.html").find("Shop &amp; Co"), std::string::npos);
  EXPECT_EQ(parse_json(run({"report", "--run", run_, "--json"}), "report"),
            read_json(run_ / "report.json"));
  EXPECT_THROW(run({"report", "--run", root_}), Error);
  EXPECT_THROW(run({"report", "--run", run_, "--open", "maybe"}), CLI::ParseError);
}

TEST_F(CommandsTest, ShowsSlates) {
  const std::string text = run({"slates", "show", "--run", run_, "--n", "2"});
  EXPECT_NE(text.find("newest last"), std::string::npos);
  EXPECT_NE(text.find("Thing "), std::string::npos);
  const auto json = lines(run(
      {"slates", "show", "--run", run_, "--split", "slates", "--n", "3", "--positive", "--json"}));
  ASSERT_EQ(json.size(), 3u);
  for (const std::string& line : json) {
    EXPECT_NE(line.find("\"label\":1"), std::string::npos);
  }
  EXPECT_THROW(run({"slates", "show", "--run", run_, "--split", "nothing"}), Error);
}

TEST_F(CommandsTest, ConfigIsAFileThatTrainReads) {
  const std::string toml = run({"config", "--preset", "demo"});
  const fs::path file = root_ / "podium.toml";
  write_file_atomic(file, toml);
  pipeline::PipelineOptions read, demo;
  pipeline::apply_preset("demo", demo);
  OptionList(read).load_toml(file);
  EXPECT_EQ(OptionList(read).to_toml(), OptionList(demo).to_toml());

  const size_t options = OptionList(read).entries().size();
  EXPECT_EQ(parse_json(run({"config", "--format", "json"}), "config").size(), options);
  EXPECT_EQ(lines(run({"config", "--format", "md"})).size(), options + 2);
  EXPECT_THROW(run({"config", "--preset", "other"}), Error);
}

}  // namespace
}  // namespace podium::cli
