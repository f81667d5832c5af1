#include "podium/rerank/compressor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "podium/base/scratch.h"
#include "podium/data/dataset_builder.h"
#include "podium/rerank/compressor_train.h"

namespace podium::rerank {
namespace {

// Words hashed into a few places; as a bag, of unit length.
class BagEncoder : public text::TextEncoder {
 public:
  size_t dim() const override { return 256; }
  void encode(std::string_view text, std::span<float> vector) const override {
    std::ranges::fill(vector, 0.0F);
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) vector[stable_hash(text.substr(at, end - at)) % vector.size()] += 1;
      at = end + 1;
    }
    float square = 0;
    for (const float value : vector) square += value * value;
    for (float& value : vector) value /= std::sqrt(std::max(square, 1e-9F));
  }
  void save(const fs::path&) const override {}
};

// Items whose brand tells their kind and whose description tells nothing; users want one kind.
class Compressing : public testing::Test {
 protected:
  static constexpr int kItems = 60, kKinds = 5;

  Compressing() {
    Rng rng(3);
    for (int s = 0; s < 40; ++s) slates_.push_back(slate(rng));
  }
  ~Compressing() override { fs::remove_all(dir_); }

  static data::Dataset make(const fs::path& dir) {
    data::DatasetBuilder builder;
    Rng rng(1);
    for (int i = 0; i < kItems; ++i) {
      std::string noise = "Some";
      for (int w = 0; w < 15; ++w) noise += " word" + std::to_string(rng.below(30));
      builder.add_item({.id = "i" + std::to_string(i),
                        .title = "Model  " + std::to_string(i),
                        .brand = "kind" + std::to_string(i % kKinds),
                        .description = noise,
                        .categories = {"All things", "Of a sort"}});
      builder.add_event({"u", "i" + std::to_string(i), i, 1});
    }
    builder.write(dir, "words", 0, Json::object());
    return data::Dataset::open(dir);
  }

  std::vector<float> vectors_of_whole_texts() const {
    std::vector<float> vectors(dataset_.items() * encoder_.dim());
    for (ItemIndex i = 0; i < dataset_.items(); ++i) {
      encoder_.encode(dataset_.item_text(i),
                      std::span(vectors).subspan(i * encoder_.dim(), encoder_.dim()));
    }
    return vectors;
  }

  Slate slate(Rng& rng) const {
    Slate made;
    made.id = "s" + std::to_string(rng.below(1000000));
    const uint64_t kind = rng.below(kKinds);
    for (int h = 0; h < 3; ++h) made.history.push_back(item(kind + kKinds * rng.below(4)));
    for (uint64_t c = 0; c < kKinds; ++c) {
      made.candidates.push_back(
          {.item = item(c + kKinds * (4 + rng.below(8))), .gain = uint8_t(c == kind)});
    }
    return made;
  }
  ItemIndex item(uint64_t number) const {
    return dataset_.find_item("i" + std::to_string(number)).value();
  }

  CompressorState train(int threads, CompressorState from, int steps) {
    options_.steps = steps;
    const CompressTask task{words_, reader_, slates_, options_, 7, threads};
    return train_compressor(task, from, [](const CompressorState&, double, double) {});
  }

  const fs::path dir_ = scratch("words");
  const data::Dataset dataset_ = make(dir_);
  const ItemWords words_{dataset_};
  const BagEncoder encoder_;
  const std::vector<float> whole_ = vectors_of_whole_texts();
  const TextReader reader_{words_, encoder_, whole_};
  std::vector<Slate> slates_;
  CompressOptions options_{.alpha = 0.3, .batch_slates = 4, .drafts = 6, .learning_rate = 0.15};
};

TEST(CompressionReward, IsTheReportsFormula) {
  Compression c{.share = 0.2, .information = 0.7, .quality = 0.6, .full_quality = 0.6};
  EXPECT_NEAR(compression_reward(c, 0.25), 0.25 * 0.8 + 0.75 * (0.14 + 0.48), 1e-12);
  c.full_quality = 0.61;  // worse than from the whole text
  EXPECT_NEAR(compression_reward(c, 0.25), 0.25 * 0.8 + 0.75 * (0.56 + 0.12), 1e-12);
  c.ellipsis = true;
  EXPECT_NEAR(compression_reward(c, 0.25), 0.5 * (0.25 * 0.8 + 0.75 * (0.56 + 0.12)), 1e-12);
  c = {.share = 1.5};
  EXPECT_NEAR(compression_reward(c, 1), 0, 1e-12) << "longer than the text saves nothing";
}

TEST_F(Compressing, WordsStayInTheirFields) {
  const auto words = words_.of(item(12));
  ASSERT_EQ(words.size(), 24U);
  EXPECT_EQ(kept_text(words, KeptWords(24, 1)).substr(0, 36),
            "Model 12 kind2 All things Of a sort ");
  KeptWords kept(24);
  for (const size_t i : {1, 2, 6, 7}) kept[i] = 1;
  EXPECT_EQ(kept_text(words, kept), "12 kind2 a sort");
  EXPECT_EQ(
      kept_fields(words, kept),
      (Json{{"title", "12"}, {"brand", "kind2"}, {"categories", {"a sort"}}, {"description", ""}}));
  EXPECT_NEAR(words[0].features[4], 1 - std::log(60.0) / std::log(61.0), 1e-6) << "in every item";
  EXPECT_GT(words[1].features[4], words[2].features[4]) << "a number of its own is rarer";
  EXPECT_EQ(first_words(4, 2), (KeptWords{1, 1, 0, 0}));
  EXPECT_EQ(rarest_words(words, 1), [] {
    KeptWords rarest(24);
    rarest[1] = 1;
    return rarest;
  }());
}

TEST_F(Compressing, ReadsWhatIsKept) {
  std::vector<KeptWords> all, none;
  for (const ItemIndex i : TextReader::shown(slates_[0])) {
    all.emplace_back(words_.of(i).size(), 1);
    none.emplace_back(words_.of(i).size(), 0);
  }
  const Compression whole = reader_.read(slates_[0], all);
  EXPECT_EQ(whole.share, 1);
  EXPECT_NEAR(whole.information, 1, 1e-5);
  EXPECT_EQ(whole.quality, whole.full_quality);
  const Compression empty = reader_.read(slates_[0], none);
  EXPECT_EQ(empty.share, 0);
  EXPECT_EQ(empty.information, 0);
}

TEST_F(Compressing, LearnsWhichFieldTells) {
  const CompressorState state = train(2, {}, 150);
  const CompressTask task{words_, reader_, slates_, options_, 7, 1};
  const Json table = compare_compressions(task, state.weights);
  const auto of = [&](const char* way, const char* what) { return table[way][what].get<double>(); };
  EXPECT_LT(of("learnt", "share"), 0.5) << table.dump();
  EXPECT_GE(of("learnt", "ndcg3"), of("whole", "ndcg3") - 0.01) << table.dump();
  EXPECT_GT(of("learnt", "ndcg3"), of("random", "ndcg3") + 0.02) << table.dump();
  EXPECT_EQ(of("learnt", "share"), of("first", "share"));
  const auto words = words_.of(item(12));
  EXPECT_GT(keep_probability(state.weights, words[2]), keep_probability(state.weights, words[9]));
}

TEST_F(Compressing, IsTheSameWhateverTheThreadsAndHoweverOftenStopped) {
  const CompressorState whole = train(1, {}, 12);
  EXPECT_EQ(whole.weights, train(3, {}, 12).weights);
  const CompressorState half = compressor_state(Json::parse(to_json(train(1, {}, 5)).dump()));
  EXPECT_EQ(whole.weights, train(1, half, 12).weights);
  EXPECT_NE(whole.weights, half.weights);
}

}  // namespace
}  // namespace podium::rerank
