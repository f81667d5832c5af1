// Every source on a shop small enough to count by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/kernels/kernels.h"
#include "podium/retrieval/blend.h"
#include "podium/retrieval/ranked.h"
#include "podium/retrieval/sources.h"
#include "podium/sequence/test_weights.h"

extern "C" void omp_set_num_threads(int);  // of the OpenMP that Faiss links

namespace podium::retrieval {
namespace {

constexpr int64_t kDay = 86400;

// u1: a b c   u2: a b   u3: b d   and e, which nobody bought.
struct Shop {
  Shop() {
    data::DatasetBuilder builder;
    for (const char* id : {"a", "b", "c", "d", "e"}) {
      builder.add_item({id, id, "", "", {}, NAN});
    }
    const std::pair<const char*, const char*> events[] = {
        {"u1", "a"}, {"u1", "b"}, {"u1", "c"}, {"u2", "a"}, {"u2", "b"}, {"u3", "b"}, {"u3", "d"}};
    int64_t time = 0;
    for (const auto& [user, item] : events) builder.add_event({user, item, time += kDay, 1});
    const fs::path dir = scratch("shop");
    builder.write(dir, "shop", 0, {});
    dataset = std::make_unique<data::Dataset>(data::Dataset::open(dir));
    view.dataset = dataset.get();
    for (data::UserIndex u = 0; u < dataset->users(); ++u) {
      view.length.push_back(uint32_t(dataset->items_of(u).size()));
    }
  }
  ItemIndex item(const char* id) const { return dataset->find_item(id).value(); }

  std::unique_ptr<data::Dataset> dataset;
  data::View view;
};

TEST(Popularity, DecaysAndLeavesOutTheHistory) {
  const Shop shop;
  const auto plain = Popularity::fit(shop.view, 0);
  EXPECT_EQ(plain->recent(shop.item("b")), 3);
  const std::vector<ItemIndex> history = {shop.item("b")};
  const auto found = plain->retrieve({history, {}, 0}, 10);
  ASSERT_EQ(found.size(), 3u);  // e has no event
  EXPECT_EQ(found[0].item, shop.item("a"));
  const auto fresh = Popularity::fit(shop.view, 1);  // half after a day: d is newest
  EXPECT_FLOAT_EQ(fresh->recent(shop.item("d")), 1.0F);
  EXPECT_FLOAT_EQ(fresh->recent(shop.item("c")), std::exp2(-4.0F));
}

TEST(Covisitation, CountsByHand) {
  const Shop shop;
  const auto met = Covisitation::fit(shop.view, {.popularity_power = 0});
  const ItemIndex a = shop.item("a"), b = shop.item("b"), c = shop.item("c"), d = shop.item("d");
  EXPECT_EQ(met->near(a, b), 2);
  EXPECT_EQ(met->near(b, a), 2 * 0.5F);  // b came after a, both times
  EXPECT_EQ(met->next(a, b), 2);
  EXPECT_EQ(met->next(b, a), 0);
  EXPECT_EQ(met->near(a, c), 0.5F);  // two places apart
  EXPECT_EQ(met->near(a, d), 0);
  EXPECT_FLOAT_EQ(met->affinity(a, b), 2 / std::sqrt(6.0F));
  const std::vector<ItemIndex> history = {d, a};
  const auto found = met->retrieve({history, {}, 0}, 10);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], (Scored{b, 2 + 0.5F * 0.5F}));  // a in full; d decayed and backward
  EXPECT_EQ(found[1], (Scored{c, 0.5F}));
}

TEST(Covisitation, SeesOnlyItsView) {
  Shop shop;
  for (uint32_t& length : shop.view.length) length = 1;
  const auto met = Covisitation::fit(shop.view, {});
  EXPECT_EQ(met->near(shop.item("a"), shop.item("b")), 0);
}

TEST(Content, FindsColdItems) {
  const Shop shop;
  std::vector<float> vectors(5 * 2);
  const auto set = [&](const char* id, float x, float y) {
    vectors[shop.item(id) * 2] = x;
    vectors[shop.item(id) * 2 + 1] = y;
  };
  set("a", 1, 0), set("b", 0, 1), set("c", 0, 1), set("d", 0, 1), set("e", 0.8F, 0.6F);
  const Content content(vectors, 2);
  const std::vector<ItemIndex> history = {shop.item("a")};
  const auto found = content.retrieve({history, {}, 0}, 10);
  ASSERT_EQ(found.size(), 1u);  // the others point elsewhere
  EXPECT_EQ(found[0].item, shop.item("e"));
  EXPECT_FLOAT_EQ(found[0].score, 0.8F);
  EXPECT_TRUE(content.retrieve({}, 10).empty());
}

TEST(Blend, TakesTurnsAndMerges) {
  struct Fixed : Retriever {
    std::vector<Scored> list;
    explicit Fixed(std::vector<Scored> l) : list(std::move(l)) {}
    std::string_view name() const override { return "fixed"; }
    std::vector<Scored> retrieve(const Query&, size_t n) const override {
      return {list.begin(), list.begin() + std::ptrdiff_t(std::min(n, list.size()))};
    }
    void save(const fs::path&) const override {}
  };
  const Fixed x({{1, 9}, {2, 8}, {3, 7}}), y({{3, 5}, {4, 4}});
  const auto out = blend_lists({&x, &y}, {}, {.quota = 2, .total = 3});
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0].item, 1u);
  EXPECT_EQ(out[1].item, 3u);
  EXPECT_EQ(out[2].item, 2u);
  EXPECT_EQ(out[1].rank, (std::vector<int>{-1, 0}));  // x's quota ends before its third
  EXPECT_TRUE(std::isnan(out[1].score[0]));
}

TEST(History, OftenAndLatelyComesFirst) {
  const std::vector<ItemIndex> items = {0, 1, 1, 2, 3, 0};
  const std::vector<int64_t> times = {0, 100, 200, 9000, 9990, 9999};
  Query query{items, times, 10000, SeenRule::kDecay};
  const auto found = History().retrieve(query, 10);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].item, 0u);  // a second ago
  EXPECT_FLOAT_EQ(found[0].score, float(std::log(1 + 1 / std::sqrt(10000.0))));
  EXPECT_EQ(found[1].item, 3u);
  EXPECT_EQ(found[2].item, 2u);
  EXPECT_EQ(found[3].item, 1u);          // twice, but long ago
  std::vector<int64_t> minutes = times;  // the unit does not matter
  for (int64_t& time : minutes) time *= 60;
  query.times = minutes;
  query.now *= 60;
  const auto again = History().retrieve(query, 10);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(again[i].item, found[i].item);
  query.seen = SeenRule::kExclude;
  EXPECT_TRUE(History().retrieve(query, 10).empty());
}

// One rule, whatever the source.
TEST(SeenRule, EverySourceObeysIt) {
  const Shop shop;
  const std::vector<float> vectors = {1, 0, 0.9F, 0.1F, 0.6F, 0.8F, 0.8F, 0.6F, 1, 0};
  const std::vector<ItemIndex> history = {shop.item("b"), shop.item("a"), shop.item("b")};
  const std::vector<int64_t> times = {kDay, 2 * kDay, 3 * kDay};
  const auto candidates = [&](const std::string& rule) {
    SourceOptions options;
    options.seen = rule;
    const Sources sources =
        fit_sources({&shop.view, std::make_shared<Content>(vectors, 2), ""}, options);
    EXPECT_EQ(sources.history != nullptr, rule == "decay");
    return blend(sources, {history, times, 4 * kDay}, {.quota = 5, .total = 10});
  };
  const auto holds = [](const std::vector<Blended>& found, ItemIndex item, size_t source) {
    return std::any_of(found.begin(), found.end(), [&](const Blended& candidate) {
      return candidate.item == item && candidate.rank[source] >= 0;
    });
  };
  const auto excluded = candidates("exclude"), allowed = candidates("allow");
  for (size_t source = 0; source < 3; ++source) {
    for (const ItemIndex seen : history) {
      EXPECT_FALSE(holds(excluded, seen, source)) << source;
      EXPECT_TRUE(holds(allowed, seen, source)) << source;
    }
  }
  EXPECT_TRUE(holds(candidates("decay"), shop.item("b"), 3));
  EXPECT_THROW(candidates("sometimes"), Error);
}

TEST(Sources, SaveAndLoadAnswerAlike) {
  const Shop shop;
  const std::vector<float> vectors = {1, 0, 0, 1, 0.6F, 0.8F, 0.8F, 0.6F, 1, 0};
  const Sources fitted = fit_sources({&shop.view, std::make_shared<Content>(vectors, 2), ""}, {});
  const fs::path dir = scratch("sources");
  fs::create_directories(dir);
  save_sources(fitted, dir);
  const Sources loaded = load_sources(dir, {}, 5);
  const std::vector<ItemIndex> history = {shop.item("a")};
  for (size_t s = 0; s < fitted.all().size(); ++s) {
    EXPECT_EQ(fitted.all()[s]->retrieve({history, {}, 0}, 5),
              loaded.all()[s]->retrieve({history, {}, 0}, 5));
  }
}

// Bytes of the test's sources with one thing in them changed: an Error or finite answers.
TEST(Sources, DamagedFilesAreRefusedOrHarmless) {
  const Shop shop;
  const std::vector<float> vectors = {1, 0, 0, 1, 0.6F, 0.8F, 0.8F, 0.6F, 1, 0};
  const fs::path dir = scratch_dir("damaged-sources");
  save_sources(fit_sources({&shop.view, std::make_shared<Content>(vectors, 2), ""}, {}), dir);
  const std::vector<ItemIndex> history = {shop.item("a"), shop.item("b")};
  Rng rng(3);
  int refused = 0;
  constexpr int kTries = 600;
  for (const char* name : {"popularity", "covisitation", "content"}) {
    const fs::path file = dir / (std::string(name) + ".safetensors");
    const std::string whole = read_file(file);
    for (int i = 0; i < kTries; ++i) {
      std::string bytes = whole;
      const size_t at = rng.below(bytes.size());
      bytes[at] = char(uint8_t(bytes[at]) ^ uint8_t(1 + rng.below(255)));
      if (i % 10 == 0) bytes.resize(at);
      std::ofstream(file, std::ios::binary) << bytes;
      try {
        const Sources loaded = load_sources(dir, {}, 5);
        for (const Retriever* source : loaded.all()) {
          for (const Scored& found : source->retrieve({history, {}, 0}, 5)) {
            ASSERT_LT(found.item, 5u);
            ASSERT_TRUE(std::isfinite(found.score));
          }
        }
      } catch (const Error&) {
        ++refused;
      }
    }
    std::ofstream(file, std::ios::binary) << whole;
  }
  EXPECT_GT(refused, kTries);
  EXPECT_THROW(load_sources(dir, {}, 6), Error);  // of another catalogue
  EXPECT_NO_THROW(load_sources(dir, {}, 5));
}

std::vector<float> random_rows(size_t items, size_t dim, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> rows(items * dim);
  for (float& x : rows) x = float(rng.normal());
  return rows;
}

constexpr size_t kRows = 2000, kDim = 16, kAlways = 1;  // kAlways: a graph for so few items too

TEST(VectorIndex, TheGraphFindsWhatExactSearchFinds) {
  const auto rows = random_rows(kRows, kDim, 1), queries = random_rows(50, kDim, 2);
  const VectorIndex exact(rows, kDim), graph(rows, kDim, kAlways);
  const std::vector<ItemIndex> history = {3, 5};
  size_t found = 0, wanted = 0;
  for (size_t q = 0; q < 50; ++q) {
    const std::span<const float> query(&queries[q * kDim], kDim);
    const auto right = exact.search(query, {history, {}, 0}, 20);
    const auto given = graph.search(query, {history, {}, 0}, 20);
    wanted += right.size();
    for (const Scored& scored : right) {
      found += size_t(std::count_if(given.begin(), given.end(), [&](const Scored& other) {
        return other.item == scored.item;
      }));
    }
  }
  EXPECT_EQ(wanted, 50u * 20u);
  EXPECT_GT(double(found) / double(wanted), 0.95);
}

TEST(VectorIndex, ExactSearchIsToTheBitThatOfAllProducts) {
  Rng rng(5);
  for (const size_t dim : {1u, 16u, 100u}) {
    for (const float spread : {1.0F, 1e-3F, 30.0F}) {
      std::vector<float> rows(400 * dim);
      for (float& value : rows) value = spread * float(rng.normal());
      std::fill(rows.begin(), rows.begin() + std::ptrdiff_t(dim * 3), 0.0F);         // without text
      for (size_t i = 0; i < dim * 5; ++i) rows[dim * 10 + i] = rows[dim * 20 + i];  // alike
      const VectorIndex index(rows, dim);
      for (int round = 0; round < 20; ++round) {
        std::vector<float> user(dim);
        for (float& value : user) value = round == 0 ? 0.0F : float(rng.normal());
        std::vector<Scored> all;
        for (ItemIndex item = 0; item < 400; ++item) {
          all.push_back({item, kernels::dot(user.data(), index.vector(item).data(), dim)});
        }
        for (const size_t n : {0u, 1u, 7u, 400u, 500u}) {
          std::vector<Scored> expected = all;
          keep_best(expected, n);
          EXPECT_EQ(index.search(user, {}, n), expected) << dim << " " << spread << " " << n;
        }
      }
    }
  }
}

TEST(VectorIndex, OneGraphWhateverTheThreads) {
  const auto rows = random_rows(kRows, kDim, 1);
  const fs::path dir = scratch_dir("graphs");
  omp_set_num_threads(1);
  VectorIndex(rows, kDim, kAlways).save_graph(dir / "one");
  omp_set_num_threads(2);
  VectorIndex(rows, kDim, kAlways).save_graph(dir / "two");
  EXPECT_EQ(read_file(dir / "one"), read_file(dir / "two"));
}

TEST(VectorIndexDeathTest, AnInterruptEndsTheBuild) {
  const auto rows = random_rows(kRows, kDim, 1);
  const auto build = [&] {
    install_interrupt_handler();
    std::raise(SIGINT);
    const VectorIndex exact(rows, kDim);
    exact.search({rows.data(), kDim}, {}, 5);  // what takes no time is not ended
    try {
      const VectorIndex graph(rows, kDim, kAlways);
    } catch (const Error& error) {
      std::_Exit(error.kind() == ErrorKind::kInterrupted ? 130 : 1);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(build(), testing::ExitedWithCode(130), "");
}

TEST(VectorIndex, OpensWhatItSavedAndRefusesWhatIsDamaged) {
  const auto rows = random_rows(kRows, kDim, 1), queries = random_rows(3, kDim, 2);
  const fs::path dir = scratch_dir("graph"), file = dir / "graph";
  const VectorIndex built(rows, kDim, kAlways);
  built.save_graph(file);
  const auto answers = [&](const VectorIndex& index) {
    std::vector<std::vector<Scored>> all;
    for (size_t q = 0; q < 3; ++q) {
      all.push_back(index.search({&queries[q * kDim], kDim}, {}, 20));
    }
    return all;
  };
  EXPECT_EQ(answers(VectorIndex::open(rows, kDim, file, kAlways)), answers(built));
  EXPECT_THROW(VectorIndex::open(random_rows(kRows - 1, kDim, 1), kDim, file, kAlways), Error);
  const std::string whole = read_file(file);
  Rng rng(4);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    std::string bytes = whole;
    bytes[rng.below(bytes.size())] = char(rng.below(256));
    std::ofstream(file, std::ios::binary) << bytes;
    try {
      answers(VectorIndex::open(rows, kDim, file, kAlways));
    } catch (const Error& e) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 10);
}

TEST(Sasrec, DamagedWeightsAreRefused) {
  const fs::path dir = scratch("sasrec");
  fs::create_directories(dir);
  EXPECT_THROW(Sasrec{dir}, Error);
  artifact::SafetensorsWriter writer;
  const std::vector<float> items(6, 0.5F);
  writer.add<float>("item_embedding", items, {3, 2});
  writer.set_metadata("dim", "2");
  writer.set_metadata("blocks", "1");
  writer.set_metadata("heads", "1");
  writer.set_metadata("max_len", "4");
  writer.write(dir / "sasrec.safetensors");
  EXPECT_THROW(Sasrec{dir}, Error);  // positions are missing
}

TEST(Sasrec, FindsItemsThatCameLaterByTheirText) {
  const fs::path dir = scratch("sasrec_text");
  const std::vector<ItemIndex> history = {3, 1, 4};
  const std::vector<float> text = {0.6F, 0.8F};
  AddedItem one, other;
  Query query{.history = history, .times = {}};
  const std::vector<const AddedItem*> added = {&one, &other};
  query.added = added;
  sequence::TestWeights weights({.items = 9, .dim = 4, .blocks = 1, .heads = 1, .max_len = 5}, 1);
  weights.write_sasrec(dir / "sasrec.safetensors", text.size());
  const Sasrec sasrec(dir);
  EXPECT_TRUE(sasrec.vector_of(std::vector<float>{1, 0, 0}).empty()) << "of another encoder";
  one.sequence = sasrec.vector_of(text);
  other.sequence = sasrec.vector_of(std::vector<float>{-0.6F, -0.8F});  // scores the opposite
  const auto& projection = weights["text_projection"];
  const auto user = sasrec.user_vector(history);
  float score = 0;
  for (size_t d = 0; d < 4; ++d) {
    score += user[d] * (projection[2 * d] * text[0] + projection[2 * d + 1] * text[1]);
  }
  EXPECT_NEAR(sasrec.score(user, one), score, 1e-5F);
  const auto found = sasrec.retrieve(query, 20);
  ASSERT_EQ(found.size(), 9U - 3 + 2);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end(), better));
  for (const Scored& scored : found) {
    if (scored.item < 9) continue;
    EXPECT_NEAR(scored.score, scored.item == 9 ? score : -score, 1e-5F);
  }
  const std::vector<ItemIndex> seen = {9};
  query.added_seen = seen;
  EXPECT_EQ(sasrec.retrieve(query, 20).size(), found.size() - 1);
}

}  // namespace
}  // namespace podium::retrieval
