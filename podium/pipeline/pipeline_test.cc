// Whole runs as far as they need no LibTorch.
#include "podium/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/ndcg.h"
#include "podium/base/options.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/eval/results.h"
#include "podium/funnel/upstream_fit.h"
#include "podium/pipeline/front.h"
#include "podium/pipeline/stages.h"
#include "podium/pipeline/test_run.h"
#include "podium/retrieval/popularity.h"
#include "podium/text/encoder.h"

namespace podium::pipeline {
namespace {

class Stages : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Orders, Stages, testing::Values("ranker", "generative"));

TEST_P(Stages, ReadOnlyEarlierOnesAndAreNamedOnce) {
  PipelineOptions options;
  options.upstream.order = GetParam();
  std::set<std::string> names;
  for (const Stage& stage : stage_table(options)) {
    for (const std::string& input : stage.inputs) {
      EXPECT_TRUE(names.contains(input)) << stage.name << " reads " << input;
    }
    EXPECT_TRUE(names.insert(stage.name).second) << stage.name;
    EXPECT_TRUE(stage.body) << stage.name;
    EXPECT_FALSE(stage.help.empty()) << stage.name;
    EXPECT_NE(stage_help().find("  " + stage.name + " "), std::string::npos) << stage.name;
  }
}

TEST(StagesOff, AreLeftOutByTheirOptions) {
  PipelineOptions options;
  options.upstream.sources.hstu = true;
  options.sasrec.epochs = 0;
  for (const Stage& stage : stage_table(options)) {
    const bool off =
        stage.name.starts_with("sasrec") || stage.name.ends_with("-plain") || stage.name == "beam";
    EXPECT_EQ(!stage.off.empty(), off) << stage.name;
  }
  const fs::path root = scratch_dir("until");
  PipelineRequest request = request_for(root, "sasrec-valid");
  EXPECT_NE(error_of(request).message().find("sasrec.epochs is 0"), std::string::npos);
  request.until = "sids";
  EXPECT_NE(error_of(request).cure().find("sid, sasrec-slates"), std::string::npos);
}

// One bad value each, of the first stage and of the last.
TEST(Pipeline, RefusesEveryOptionOutOfRangeBeforeTheFirstStage) {
  using Change = std::function<void(PipelineOptions&)>;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<std::string, Change>> changes = {
      {"threads", [](auto& o) { o.threads = -1; }},
      {"k", [](auto& o) { o.k = 1; }},
      {"max_trace", [](auto& o) { o.max_trace = 100000; }},
      {"block", [](auto& o) { o.block = 0; }},
      {"reward", [](auto& o) { o.reward = "strict"; }},
      {"split.protocol", [](auto& o) { o.split.protocol = "random"; }},
      {"before_t0", [](auto& o) { o.split.before_t0 = 0.85; }},
      {"encoder.dim", [](auto& o) { o.encoder.lsa.dim = 0; }},
      {"sid.method", [](auto& o) { o.sid.method = "pq"; }},
      {"sid.levels", [](auto& o) { o.sid.levels = 99; }},
      {"sid.levels", [](auto& o) { o.sid.levels = 1; }},
      {"rqvae.ema_decay", [](auto& o) { o.rqvae.ema_decay = 1; }},
      {"rqvae.sinkhorn needs", [](auto& o) { o.rqvae.sinkhorn = true; }},
      {"sasrec.learning_rate", [](auto& o) { o.sasrec.learning_rate = kInfinity; }},
      {"sft.learning_rate", [](auto& o) { o.sft.learning_rate = 1e-300; }},
      {"sasrec.dropout", [](auto& o) { o.sasrec.dropout = 1; }},
      {"heads must divide dim", [](auto& o) { o.sasrec.heads = 3; }},
      {"upstream.ranker.learning_rate", [](auto& o) { o.upstream.ranker.learning_rate = kNan; }},
      {"upstream.ranker.rounds", [](auto& o) { o.upstream.ranker.rounds = 0; }},
      {"upstream.ranker.row_share", [](auto& o) { o.upstream.ranker.row_share = 0; }},
      {"upstream.blend.quota", [](auto& o) { o.upstream.blend.quota = 0; }},
      {"upstream.blend.total", [](auto& o) { o.upstream.blend.total = 0; }},
      {"upstream.sources.covisitation.window",
       [](auto& o) { o.upstream.sources.covisitation.window = -1; }},
      {"upstream.sources.half_life_days", [](auto& o) { o.upstream.sources.half_life_days = -5; }},
      {"prompt.max_history", [](auto& o) { o.prompt.max_history = 50; }},
      {"policy.size", [](auto& o) { o.policy.size = "huge"; }},
      {"midtrain.steps", [](auto& o) { o.midtrain.steps = 0; }},
      {"sequence_share", [](auto& o) { o.midtrain.sequence_share = 0.9; }},
      {"teacher.tries", [](auto& o) { o.teacher.tries = 0; }},
      {"needs the name of its model", [](auto& o) { o.teacher.kind = "endpoint"; }},
      {"mode targeted", [](auto& o) { o.teacher.mode = "targeted"; }},
      {"endpoint.concurrency", [](auto& o) { o.endpoint.concurrency = 0; }},
      {"limit on cost", [](auto& o) { o.endpoint.max_cost = 5; }},
      {"sft.epochs", [](auto& o) { o.sft.epochs = 0; }},
      {"trace_weight", [](auto& o) { o.sft.trace_weight = 2; }},
      {"rl.clip_low", [](auto& o) { o.rl.clip_low = kNan; }},
      {"no term 'diversity'", [](auto& o) { o.rl.rank = "ndcg-gain,diversity:2"; }},
      {"rl_fast.rollouts", [](auto& o) { o.rl_fast.rollouts = 1; }},
      {"eval.timed", [](auto& o) { o.eval.timed = -1; }},
      {"metrics.resamples", [](auto& o) { o.metrics.resamples = 0; }},
      {"not with split.protocol impressions",
       [](auto& o) { o.upstream.order = "generative", o.split.protocol = "impressions"; }},
      {"k must not exceed", [](auto& o) { o.k = 100, o.upstream.blend.total = 90; }},
      {"4096 positions", [](auto& o) { o.k = 100, o.prompt.title_tokens = 64; }},
  };
  const fs::path root = scratch_dir("ranges");
  for (const auto& [what, change] : changes) {
    PipelineRequest request = request_for(root, "");  // there is no data set: it is not asked yet
    change(request.options);
    EXPECT_NE(error_of(request).message().find(what), std::string::npos) << what;
    EXPECT_FALSE(fs::exists(request.out)) << what;
  }
}

// A value too small or too large for any use is refused, whatever the option: seeds have no
// largest.
TEST(Pipeline, EveryNumberHasARangeThatHoldsItsDefault) {
  PipelineOptions options;
  const OptionList list(options);
  list.check();
  for (const OptionEntry& entry : list.entries()) {
    const bool number = std::visit(
        [](auto* value) {
          using T = std::remove_pointer_t<decltype(value)>;
          return std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
        },
        entry.value);
    if (!number) continue;
    EXPECT_GE(entry.range.low, 0) << entry.key;
    EXPECT_FALSE(entry.range.low_open) << entry.key << " takes 1e-300";
    if (entry.key.ends_with("seed")) continue;
    EXPECT_LT(entry.range.high, 1e10) << entry.key;
  }
}

TEST(Pipeline, WhatStandsInAStagesPlaceIsToldAtTheStart) {
  const fs::path root = scratch_dir("places");
  write_shop(root / "shop", 40, 6, walk);
  PipelineRequest request = request_for(root, "sid");
  run_pipeline(request);
  request.until = "tokenizer";
  write_file_atomic(request.out / "stages/tokenizer", "a note");
  EXPECT_NE(error_of(request).message().find("stages/tokenizer exists"), std::string::npos);
  EXPECT_FALSE(fs::exists(request.out / "stages/upstream")) << "told before a stage was run";
  fs::remove(request.out / "stages/tokenizer");
  for (const char* name : {"bundle", "teacher", "work", "stages"}) {
    fs::remove_all(request.out / name);
    write_file_atomic(request.out / name, "a note");
    EXPECT_NE(error_of(request).message().find(std::string(name) + " exists"), std::string::npos);
    fs::remove(request.out / name);
  }
}

TEST(Pipeline, ARunAndItsDataLieApart) {
  const fs::path root = scratch_dir("apart");
  write_shop(root / "shop", 40, 6, walk);
  PipelineRequest request = request_for(root, "sid");
  request.out = root / "shop/run";
  EXPECT_NE(error_of(request).message().find("lies in the input"), std::string::npos);
  EXPECT_FALSE(fs::exists(request.out));
}

TEST(Pipeline, SaysWhatRunsAgainBeforeItReplacesAnything) {
  const fs::path root = scratch_dir("resume");
  write_shop(root / "shop", 40, 6, walk);
  PipelineRequest request = request_for(root, "tokenizer");
  run_pipeline(request);
  const auto seconds = [&] { return fs::last_write_time(request.out / "stages/sid/sid.json"); };
  const auto first = seconds();
  run_pipeline(request);  // the same options go on without asking
  EXPECT_EQ(seconds(), first);

  request.options.sid.levels = 3;
  const Error refused = error_of(request);
  EXPECT_NE(refused.message().find("sid.levels: 4 before, 3 now"), std::string::npos);
  EXPECT_NE(refused.message().find("run again: sid, upstream, tokenizer"), std::string::npos)
      << refused.message();
  EXPECT_NE(refused.cure().find("--retrain"), std::string::npos);
  EXPECT_EQ(seconds(), first);
  EXPECT_EQ(options_of_run(request.out).sid.levels, 4);  // the options of before are kept

  request.retrain = true;
  run_pipeline(request);
  EXPECT_NE(seconds(), first);
  EXPECT_EQ(options_of_run(request.out).sid.levels, 3);
}

TEST(Pipeline, TheDataSetsContentCountsNotItsName) {
  const fs::path root = scratch_dir("renamed");
  write_shop(root / "shop", 40, 6, walk, "one");
  const PipelineRequest request = request_for(root, "sid");
  run_pipeline(request);
  write_shop(root / "shop", 40, 6, walk, "two");
  EXPECT_EQ(error_of(request).message(), "");
  write_shop(root / "shop", 41, 6, walk, "one");
  EXPECT_NE(error_of(request).message().find("the data set"), std::string::npos);
}

TEST(Pipeline, KeepsTheTextEncoderBesideTheVectorsItMade) {
  const fs::path root = scratch_dir("encoder");
  write_shop(root / "shop", 20, 6, walk);
  const PipelineRequest request = request_for(root, "sid");
  run_pipeline(request);
  const fs::path sid = request.out / "stages/sid";
  const data::Dataset dataset = data::Dataset::open(root / "shop");
  const artifact::SafetensorsFile file(sid / "item_vectors.safetensors");
  const auto vectors = file.get<float>("vectors");
  const auto again = text::encode_texts(
      *text::load_text_encoder(sid), dataset.items(),
      [&](size_t i) { return dataset.item_text(data::ItemIndex(i)); }, 2);
  EXPECT_EQ(std::vector<float>(vectors.begin(), vectors.end()), again);
}

TEST(Pipeline, UsersAllAlikeHaveNoSlateWhereOneItemIsLeft) {
  const fs::path root = scratch_dir("alike");
  write_shop(root / "shop", 120, 4, [](int, int event) { return event; });
  const PipelineRequest request = request_for(root, "upstream");
  run_pipeline(request);
  const fs::path upstream = request.out / "stages/upstream";
  EXPECT_EQ(read_json(upstream / "upstream.json")["test"]["too_few_candidates"], 120);
  EXPECT_TRUE(rerank::read_slates(upstream / "slates/test").empty());
}

TEST(Pipeline, TooLittleToLearnFromIsAnErrorWithItsCause) {
  const fs::path root = scratch_dir("small");
  write_shop(root / "shop", 15, 6, walk);
  const Error error = error_of(request_for(root, "upstream"));
  EXPECT_NE(error.message().find("two candidates or more"), std::string::npos) << error.message();
}

TEST(Pipeline, SlatesOfFewerThanTwoCandidatesAreLeftOutAndCounted) {
  const fs::path root = scratch_dir("short");
  // Every third user has seen all but one item of the catalogue.
  write_shop(root / "shop", 150, 11, [](int user, int event) {
    return user % 3 == 0 ? event : (user * 5 + event) % (event < 8 ? 8 : 11);
  });
  PipelineRequest request = request_for(root, "upstream");
  request.options.split.slate_targets = 1;
  run_pipeline(request);
  const Json upstream = read_json(request.out / "stages/upstream/upstream.json");
  const data::Dataset dataset = data::Dataset::open(root / "shop");
  for (const std::string phase : {"slates", "valid", "test"}) {
    const auto slates = rerank::read_slates(request.out / "stages/upstream/slates" / phase);
    const Json& counts = upstream.at(phase);
    EXPECT_EQ(slates.size(),
              counts["targets"].get<size_t>() - counts["too_few_candidates"].get<size_t>());
  }
  EXPECT_GT(upstream["test"]["too_few_candidates"].get<int>(), 0);
}

TEST(Pipeline, RewardsOfWhatTheCatalogueLacksAreRefusedAtTheStart) {
  const fs::path root = scratch_dir("rewards");
  write_shop(root / "shop", 40, 6, walk);  // without prices
  PipelineRequest request = request_for(root, "sid");
  request.options.rl_fast.rank = "ndcg-gain,margin:0.1";
  EXPECT_NE(error_of(request).message().find("no prices"), std::string::npos);
  EXPECT_FALSE(fs::exists(request.out / "stages/sid"));
  request.options.rl_fast.rank = "ndcg-gain,coverage:0.1,ild:0.1";
  EXPECT_EQ(error_of(request).message(), "") << "its vectors are still to be made";
}

// From upstream's order to the most variety that there is.
TEST(Pipeline, TheFrontTradesAccuracyForVariety) {
  const fs::path root = scratch_dir("front");
  write_shop(root / "shop", 150, 9, walk);
  const PipelineRequest request = request_for(root, "upstream");
  run_pipeline(request);
  const auto dataset = data::Dataset::open(root / "shop");
  const eval::Front front = diversity_front(dataset, {.run = request.out, .at = 2});
  const auto slates = rerank::read_slates(request.out / "stages/upstream/slates/test");
  double ndcg = 0;
  size_t ranked = 0;
  for (const auto& slate : slates) {
    if (!slate.can_be_ranked()) continue;
    ++ranked;
    ndcg += slate.candidates[0].gain > 0 ? 1 : slate.candidates[1].gain > 0 ? rank_discount(1) : 0;
  }
  ASSERT_EQ(front.points.size(), 19u);
  EXPECT_EQ(front.slates, ranked);
  const eval::FrontPoint& upstream = front.points[0];
  EXPECT_EQ(upstream.order, "upstream");
  EXPECT_NEAR(upstream.mean.ndcg, ndcg / double(ranked), 1e-9);
  for (const size_t last : {9, 18}) {  // mmr and dpp at 0.9
    EXPECT_DOUBLE_EQ(front.points[last].trade, 0.9);
    EXPECT_GT(front.points[last].mean.distance, upstream.mean.distance + 0.05);
    EXPECT_GE(front.points[last].mean.coverage, upstream.mean.coverage);
  }
  EXPECT_THROW(diversity_front(dataset, {.run = request.out, .split = "none"}), Error);
  write_shop(root / "other", 20, 9, [](int user, int event) { return user + event; });
  EXPECT_THROW(diversity_front(data::Dataset::open(root / "other"), {.run = request.out}), Error);
}

TEST(Pipeline, TargetsThatTheUserHasSeenAreNamedAsTheCause) {
  const fs::path root = scratch_dir("repeats");
  write_shop(root / "shop", 100, 9, [](int user, int event) { return (user + event % 3) % 40; });
  PipelineRequest request = request_for(root, "upstream");
  const Error error = error_of(request);
  EXPECT_NE(error.message().find("has seen"), std::string::npos) << error.message();
}

TEST(Pipeline, BasketsBecomeSlatesOfSeveralPositives) {
  const fs::path root = scratch_dir("baskets");
  data::DatasetBuilder builder;
  Rng rng(5);
  for (int u = 0; u < 160; ++u) {
    for (int e = 0; e < 12; ++e) {  // two or three things a day, of neighbours on a shelf
      const int item = (u % 6) * 10 + int(rng.below(10));
      builder.add_event(
          {"u" + std::to_string(u), "i" + std::to_string(item), (e * 2 / 5) * 86400, 1});
    }
  }
  for (int i = 0; i < 60; ++i) {
    const std::string shelf = "shelf" + std::to_string(i / 10);
    builder.add_item({"i" + std::to_string(i), "thing of " + shelf, "", "", {shelf}, NAN});
  }
  builder.write(root / "shop", "baskets", 0, {});
  PipelineRequest request = request_for(root, "upstream");
  request.options.split.baskets = true;
  run_pipeline(request);
  const data::Dataset dataset = data::Dataset::open(root / "shop");
  const data::Split split = data::make_split(dataset, request.options.split);
  const auto slates =
      funnel::slates_by_target(request.out / "stages/upstream/slates/test", split.test);
  const auto saved = eval::read_results(request.out / "stages/upstream/test.json");
  const eval::StageResult& upstream = *eval::find_stage(saved.stages, "upstream");
  size_t several = 0;
  for (size_t t = 0; t < slates.size(); ++t) {
    const auto answers = split.test.answers(t);
    const auto& labels = upstream.labels.at(t);
    EXPECT_EQ(size_t(std::ranges::count(labels, 1)), answers.size());
    size_t positives = 0;
    for (size_t r = 0; r < slates[t].candidates.size(); ++r) {
      const auto& candidate = slates[t].candidates[r];
      EXPECT_EQ(candidate.gain > 0, std::ranges::count(answers, candidate.item) > 0);
      EXPECT_EQ(labels[r], candidate.gain);
      positives += candidate.gain;
    }
    several += positives > 1;
  }
  EXPECT_GT(several, 10u);
}

// Every target lies after its border, and what the sources were fitted on before it.
TEST(Pipeline, GlobalTimeLetsNothingLeak) {
  const fs::path root = scratch_dir("global");
  write_shop(root / "shop", 80, 12, walk);
  PipelineRequest request = request_for(root, "upstream");
  request.options.split.protocol = "global-time";
  run_pipeline(request);
  const data::Dataset dataset = data::Dataset::open(root / "shop");
  const data::Split split = data::make_split(dataset, request.options.split);
  int64_t border = std::numeric_limits<int64_t>::max();
  for (const data::Target& target : split.test.targets) {
    border = std::min(border, dataset.times_of(target.user)[target.position]);
  }
  std::vector<uint32_t> before(dataset.items());
  size_t after = 0;
  for (data::UserIndex u = 0; u < dataset.users(); ++u) {
    for (size_t e = 0; e < dataset.items_of(u).size(); ++e) {
      const bool earlier = dataset.times_of(u)[e] < border;
      if (earlier) ++before[dataset.items_of(u)[e]];
      after += !earlier;
    }
  }
  EXPECT_EQ(after, split.test.targets.size());  // all events after the last border are predicted
  EXPECT_GT(after, 50u);
  const auto popularity = retrieval::Popularity::load(request.out / "stages/upstream/serving");
  for (data::ItemIndex i = 0; i < dataset.items(); ++i) {
    EXPECT_EQ(popularity->count(i), before[i]);  // what is served knows the past only
  }
  const auto slates = rerank::read_slates(request.out / "stages/upstream/slates/test");
  ASSERT_FALSE(slates.empty());
  for (const rerank::Slate& slate : slates) {
    const size_t at = slate.id.rfind('@');
    const data::UserIndex user = dataset.find_user(slate.id.substr(0, at)).value();
    const auto position = size_t(std::stoul(slate.id.substr(at + 1)));
    EXPECT_GE(dataset.times_of(user)[position], border);
    const auto past = dataset.items_of(user).first(position);
    ASSERT_LE(slate.history.size(), past.size());
    EXPECT_TRUE(std::equal(slate.history.rbegin(), slate.history.rend(), past.rbegin()));
  }
}

}  // namespace
}  // namespace podium::pipeline
