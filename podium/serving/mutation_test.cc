// A bundle with one thing in it changed. With its hashes compared, every change is refused;
// without, opening and serving it gives an Error or an answer that is whole. $PODIUM_MUTATIONS: how
// many.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "podium/artifact/manifest.h"
#include "podium/base/error.h"
#include "podium/base/mutate.h"
#include "podium/base/scratch.h"
#include "podium/serving/recommender.h"
#include "podium/serving/test_bundle.h"

namespace podium::serving {
namespace {

bool is_sound(const Answer& answer, size_t items) {
  if (answer.items.size() != items) return false;
  for (const double ms : {answer.took.retrieval, answer.took.ranking, answer.took.policy}) {
    if (!std::isfinite(ms)) return false;
  }
  return std::all_of(answer.items.begin(), answer.items.end(), [](const AnswerItem& item) {
    return !item.id.empty() && std::all_of(item.evidence.begin(), item.evidence.end(),
                                           [](uint8_t level) { return level <= 3; });
  });
}

Outcome serve(const fs::path& dir, bool verify) {
  try {
    BundleOptions options;
    options.verify = verify;
    const Recommender recommender(Bundle::open(dir, options), std::make_shared<MemoryState>());
    Request recommend;
    recommend.user = "u3";
    recommend.k = 12;
    Request rerank;
    rerank.history = {"i1", "i3"};
    rerank.candidates = {"i5", "i7", "i9", "i2"};
    rerank.explain = true;
    const bool sound =
        is_sound(recommender.answer(recommend), 12) && is_sound(recommender.answer(rerank), 4);
    return sound ? kAnswered : kUnsound;
  } catch (const Error&) {
    return kRefused;
  }
}

TEST(Mutations, OfABundleAreRefusedOrHarmless) {
  const fs::path whole = write_test_bundle(scratch("mutations"));
  const fs::path dir = whole.parent_path() / "changed";
  const int count = mutations(150);
  Outcomes outcomes;
  int forged = 0;
  ASSERT_EQ(outcome_of([&] { return serve(whole, true); }), kAnswered);
  for (int i = 0; i < count; ++i) {
    Rng rng = Rng(11).fork(uint64_t(i));
    std::string told = fmt::format("mutation {}: {}", i, mutate_copy(whole, dir, rng));
    const bool own = told.find(artifact::kManifestName) != std::string::npos;
    if (i % 4 == 0 && !own && !same_files(whole, dir)) {
      EXPECT_EQ(outcome_of([&] { return serve(dir, true); }), kRefused) << told;
    }
    // Every other time with a manifest that fits, so that sizes tell nothing.
    if (i % 2 == 0 && !own) {
      const Json content = read_json(whole / artifact::kManifestName).at("content");
      artifact::write_manifest(dir, "bundle", funnel::kBundleVersion, content);
      ++forged;
    }
    outcomes.add(outcome_of([&] { return serve(dir, false); }), told);
  }
  fmt::print("{} mutated bundles, {} with a new manifest: {} refused, {} answered\n", count, forged,
             outcomes.refused, outcomes.answered);
  EXPECT_GT(outcomes.refused, count / 4);
}

}  // namespace
}  // namespace podium::serving
