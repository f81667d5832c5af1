#include "podium/train/sid_ablation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "podium/artifact/safetensors.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/split_options.h"
#include "podium/train/sid_ablation_command.h"
#include "podium/train/test_job.h"
#include "podium/train/test_ring.h"
#include "podium/train/torch_setup.h"

namespace podium::train {
namespace {

TEST(SidAblation, IntervalsAreStudents) {
  const SeedInterval three = over_seeds({1, 2, 3});  // standard error 1 / sqrt 3
  EXPECT_DOUBLE_EQ(three.mean, 2);
  EXPECT_NEAR(three.high - three.mean, 4.303 / std::sqrt(3.0), 1e-9);
  EXPECT_NEAR(three.mean - three.low, 4.303 / std::sqrt(3.0), 1e-9);
  EXPECT_EQ(over_seeds({7}).low, 7);
}

TEST(SidAblation, RowsDifferInTheirPartsAlone) {
  const auto rows = ablation_rows({}, {}, {});
  std::set<std::string> names;
  for (const AblationRow& row : rows) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.rqvae.ema, row.name.find("+ema") != std::string::npos) << row.name;
    EXPECT_EQ(row.rqvae.contrastive > 0, row.name.find("+contr") != std::string::npos) << row.name;
    EXPECT_FALSE(row.rqvae.sinkhorn && row.sid.random_last_level) << row.name;
    EXPECT_EQ(row.rqvae.epochs, RqVaeOptions().epochs);
  }
  EXPECT_EQ(names.count("+ema+random+contrastive"), 1u);
}

TEST(SidAblation, TheTableSaysWhatWasMeasured) {
  const auto rows = ablation_rows({}, {}, {});
  const auto seed = [](double unique, double recall) {
    return Json{{"uniqueness", unique},
                {"usage", {1.0, 0.5}},
                {"perplexity", {40.0, 20.0}},
                {"recall10", recall}};
  };
  Json measured = {{"+ema", {seed(0.9, 0.02), seed(1.0, 0.04)}}};
  measured["base"] = {{{"uniqueness", 0.25}, {"usage", {0.5}}, {"perplexity", {3.0}}}};
  const std::string table = ablation_table(ablation_report(rows, measured));
  EXPECT_NE(table.find("| base | 25.00 | 50 | 3 | – |"), std::string::npos) << table;
  EXPECT_NE(table.find("| +ema | 95.00 [31.47, 158.53] | 100 / 50 | 40 / 20 | 0.0300 ["),
            std::string::npos)
      << table;
  EXPECT_EQ(table.find("+random"), std::string::npos) << "not measured yet";
}

TEST(SidAblation, AModelFindsTheNextItemByCodesThatTellItemsApart) {
  setup_torch(1, 1);
  const auto dataset = ring_dataset(scratch_dir("next_item"), 60, 40, 9);
  const data::Split split = data::leave_one_out(dataset);
  MidtrainOptions midtrain;
  midtrain.steps = 200;
  midtrain.batch_tokens = 512;
  midtrain.learning_rate = 5e-3;
  const NextItemTask task{split.valid, midtrain, 40, 20};
  sid::SidTable apart{2, 16, {}}, alike{2, 16, {}};
  for (uint16_t i = 0; i < dataset.items(); ++i) {
    for (const uint16_t code : {uint16_t(i % 8), uint16_t(i / 8)}) apart.codes.push_back(code);
    alike.codes.insert(alike.codes.end(), {1, 1});
  }
  const double good = next_item_recall(task, apart, fresh_job("apart_codes"));
  EXPECT_GT(good, 0.9);
  EXPECT_LT(next_item_recall(task, alike, fresh_job("alike_codes")), 0.6);
}

// One step of everything: what is asked is which rows are measured again.
TEST(SidAblation, MeasuresOnlyWhatIsMissingOrHasChanged) {
  set_quiet(true);
  const fs::path root = scratch_dir("ablation"), out = root / "out";
  const auto dataset = ring_dataset(root / "ring", 20, 20, 9);
  Rng rng(3);
  std::vector<float> vectors;
  for (size_t i = 0; i < dataset.items() * 4; ++i) vectors.push_back(float(rng.normal()));
  artifact::SafetensorsWriter writer;
  writer.add<float>("vectors", vectors, {int64_t(dataset.items()), 4});
  writer.write(root / "vectors.safetensors");
  const auto run = [&](const std::string& more) {
    CLI::App app;
    add_sid_ablation_command(app);
    app.parse("sid-ablation --data " + (root / "ring").string() + " --out " + out.string() +
              " --vectors " + (root / "vectors.safetensors").string() +
              " --ablation.seeds 1 --ablation.targets 5 --rqvae.epochs 1 --rqvae.hidden 4 "
              "--rqvae.latent 2 --sid.levels 2 --sid.codes 16 --midtrain.batch-tokens 64 " +
              more);
  };
  run("--midtrain.steps 1");
  const std::string table = read_file(out / "ablation.md");
  EXPECT_EQ(table.find("–"), std::string::npos) << "every cell is filled\n" << table;
  const auto written = [&](const char* file) { return fs::last_write_time(out / "rows" / file); };
  const auto kept = written("base/1/fit.json"), again = written("+ema/1/fit.json"),
             judged = written("base/1/recall.json");
  fs::remove(out / "rows/+ema/1/fit.json");
  run("--midtrain.steps 1");
  EXPECT_EQ(written("base/1/fit.json"), kept);
  EXPECT_NE(written("+ema/1/fit.json"), again);
  EXPECT_EQ(read_file(out / "ablation.md"), table);
  run("--midtrain.steps 2");
  EXPECT_EQ(written("base/1/fit.json"), kept);
  EXPECT_NE(written("base/1/recall.json"), judged);
  set_quiet(false);
}

}  // namespace
}  // namespace podium::train
