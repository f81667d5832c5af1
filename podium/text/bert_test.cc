#include "podium/text/bert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/kernels/kernels.h"
#include "podium/text/encoder.h"
#include "podium/text/test_bert.h"
#include "podium/text/test_vectors.h"
#include "podium/text/vector_cache.h"

namespace podium::text {
namespace {

using Rows = std::vector<std::vector<double>>;

// The formulas of bert_forward.h, one after another, in double precision.
class PlainBert {
 public:
  explicit PlainBert(TinyWeights weights) : weights_(std::move(weights)) {}

  std::vector<double> vector(const std::vector<int32_t>& ids) const {
    Rows x;
    for (size_t t = 0; t < ids.size(); ++t) {
      x.emplace_back(kHidden);
      for (size_t d = 0; d < kHidden; ++d) {
        x[t][d] = at("embeddings.word_embeddings.weight", size_t(ids[t]) * kHidden + d) +
                  at("embeddings.position_embeddings.weight", t * kHidden + d) +
                  at("embeddings.token_type_embeddings.weight", d);
      }
    }
    x = norm("embeddings.LayerNorm", x);
    for (const std::string layer : {"encoder.layer.0.", "encoder.layer.1."}) {
      const Rows mixed = linear(layer + "attention.output.dense", attention(layer, x));
      const Rows y = norm(layer + "attention.output.LayerNorm", sum(x, mixed));
      Rows inner = linear(layer + "intermediate.dense", y);
      for (auto& row : inner) {
        for (double& value : row) value *= 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
      }
      x = norm(layer + "output.LayerNorm", sum(y, linear(layer + "output.dense", inner)));
    }
    std::vector<double> mean(kHidden);
    for (const auto& row : x) {
      for (size_t d = 0; d < kHidden; ++d) mean[d] += row[d] / double(x.size());
    }
    double square = 0;
    for (const double value : mean) square += value * value;
    for (double& value : mean) value /= std::sqrt(square);
    return mean;
  }

 private:
  static constexpr size_t kHidden = 24, kHeads = 3, kHead = kHidden / kHeads;

  double at(const std::string& name, size_t i) const { return double(weights_.at(name)[i]); }

  static Rows sum(const Rows& a, const Rows& b) {
    Rows result = a;
    for (size_t t = 0; t < a.size(); ++t) {
      for (size_t d = 0; d < kHidden; ++d) result[t][d] += b[t][d];
    }
    return result;
  }

  Rows norm(const std::string& name, const Rows& x) const {
    Rows result = x;
    for (auto& row : result) {
      double mean = 0, variance = 0;
      for (const double value : row) mean += value / kHidden;
      for (const double value : row) variance += (value - mean) * (value - mean) / kHidden;
      for (size_t d = 0; d < kHidden; ++d) {
        row[d] = (row[d] - mean) / std::sqrt(variance + 1e-12) * at(name + ".weight", d) +
                 at(name + ".bias", d);
      }
    }
    return result;
  }

  Rows linear(const std::string& name, const Rows& x) const {
    const size_t outputs = weights_.at(name + ".bias").size(), inputs = x[0].size();
    Rows y;
    for (const auto& row : x) {
      y.emplace_back(outputs);
      for (size_t o = 0; o < outputs; ++o) {
        y.back()[o] = at(name + ".bias", o);
        for (size_t i = 0; i < inputs; ++i) {
          y.back()[o] += row[i] * at(name + ".weight", o * inputs + i);
        }
      }
    }
    return y;
  }

  Rows attention(const std::string& layer, const Rows& x) const {
    const Rows q = linear(layer + "attention.self.query", x);
    const Rows k = linear(layer + "attention.self.key", x);
    const Rows v = linear(layer + "attention.self.value", x);
    Rows result(x.size(), std::vector<double>(kHidden));
    for (size_t head = 0; head < kHidden; head += kHead) {
      for (size_t t = 0; t < x.size(); ++t) {
        std::vector<double> weight(x.size());
        double total = 0;
        for (size_t s = 0; s < x.size(); ++s) {
          double dot = 0;
          for (size_t d = head; d < head + kHead; ++d) dot += q[t][d] * k[s][d];
          total += weight[s] = std::exp(dot / std::sqrt(double(kHead)));
        }
        for (size_t s = 0; s < x.size(); ++s) {
          for (size_t d = head; d < head + kHead; ++d) result[t][d] += weight[s] / total * v[s][d];
        }
      }
    }
    return result;
  }

  TinyWeights weights_;
};

std::string error_of(const fs::path& dir) {
  try {
    BertEncoder{dir};
    return "accepted";
  } catch (const Error& error) {
    EXPECT_FALSE(error.cure().empty());
    EXPECT_NE(error.where().find(dir.string()), std::string::npos);
    return error.message();
  }
}

// Many texts of many lengths, some twice, some without words.
std::vector<std::string> many_texts() {
  std::vector<std::string> texts;
  Rng rng(3);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (size_t words = rng.below(40); words > 0; --words) {
      text +=
          std::vector<std::string>{"red ", "nails ", "polish ", "Hair ", "unheard "}[rng.below(5)];
    }
    texts.push_back(text);
  }
  return texts;
}

TEST(Bert, AgreesWithPlainFormulas) {
  const fs::path dir = scratch_dir("bert");
  const PlainBert plain(write_tiny_bert(dir));
  const BertEncoder exact(dir, kernels::Precision::kFp32), fast(dir);
  const std::pair<std::string, std::vector<int32_t>> cases[] = {
      {"red", {2, 4, 3}},
      {"Red NAILS polish", {2, 4, 5, 6, 7, 3}},
      {"r\xc3\xa9"
       "d hair!",
       {2, 4, 8, 1, 3}}};
  for (const auto& [text, ids] : cases) {
    const auto want = plain.vector(ids);
    const auto got = vector_of(exact, text), near = vector_of(fast, text);
    for (size_t d = 0; d < want.size(); ++d) EXPECT_NEAR(got[d], want[d], 1e-5) << text;
    EXPECT_GT(kernels::dot(got.data(), near.data(), got.size()), 0.99F) << text;
  }
}

TEST(Bert, NeitherThreadsNorNeighboursChangeAVector) {
  const fs::path dir = scratch_dir("bert");
  write_tiny_bert(dir);
  const BertEncoder encoder(dir);
  const auto texts = many_texts();
  const size_t dim = encoder.dim();
  std::vector<float> one(texts.size() * dim), three(one);
  encoder.encode_all(texts, one, 1);
  encoder.encode_all(texts, three, 3);
  EXPECT_EQ(one, three);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto at = one.begin() + ptrdiff_t(i * dim);
    EXPECT_EQ(vector_of(encoder, texts[i]), std::vector<float>(at, at + ptrdiff_t(dim)));
  }
}

TEST(Bert, TextWithoutWordsHasNoDirectionAndLongTextIsCutOff) {
  const fs::path dir = scratch_dir("bert");
  write_tiny_bert(dir);
  write_json_atomic(dir / "sentence_bert_config.json", {{"max_seq_length", 5}});
  const BertEncoder encoder(dir);
  EXPECT_EQ(vector_of(encoder, " \n"), std::vector<float>(encoder.dim()));
  EXPECT_EQ(vector_of(encoder, "red hair polish"), vector_of(encoder, "red hair polish nail red"));
}

TEST(Bert, SavedItIsWholeAndEncodesTheSame) {
  const fs::path dir = scratch_dir("bert"), saved = scratch_dir("bert-saved");
  write_tiny_bert(dir);
  const auto encoder = fit_text_encoder(0, {}, {.model = dir.string(), .lsa = {}}, 1, 1);
  encoder->save(saved);
  const auto before = vector_of(*encoder, "red polish");
  const std::string identity = encoder->identity();
  fs::remove_all(dir);
  EXPECT_EQ(vector_of(*load_text_encoder(saved), "red polish"), before);
  const fs::path copied = scratch_dir("bert-copied");
  copy_text_encoder(saved, copied);
  EXPECT_EQ(load_text_encoder(copied)->identity(), identity);
  EXPECT_EQ(read_json(saved / "text_encoder/encoder.json")["name"], "bert");
  write_file_atomic(copied / "text_encoder/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nblue\n");
  EXPECT_THROW(load_text_encoder(copied), Error);
}

TEST(Bert, WhatItWouldNotComputeIsRefusedByName) {
  const fs::path dir = scratch_dir("bert");
  TinyWeights weights = write_tiny_bert(dir);
  const std::pair<const char*, Json> bad[] = {{"model_type", "roberta"},
                                              {"hidden_act", "gelu_new"},
                                              {"position_embedding_type", "relative_key"},
                                              {"architectures", {"BertForMaskedLM"}},
                                              {"is_decoder", true},
                                              {"hidden_size", 25},
                                              {"layer_norm_eps", "x"},
                                              {"embedding_size", 8}};
  for (const auto& [key, value] : bad) {
    Json config = tiny_bert_config();
    config[key] = value;
    write_json_atomic(dir / "config.json", config);
    EXPECT_NE(error_of(dir).find(key), std::string::npos) << key;
  }
  write_json_atomic(dir / "config.json", tiny_bert_config());
  const std::string name = "encoder.layer.1.output.dense.bias";
  weights[name][3] = std::numeric_limits<float>::infinity();
  write_bert_weights(dir, weights);
  EXPECT_NE(error_of(dir).find(name + " holds numbers that are not finite"), std::string::npos);
  weights.erase(name);
  write_bert_weights(dir, weights);
  EXPECT_NE(error_of(dir).find("no tensor " + name), std::string::npos);
  artifact::SafetensorsWriter writer;
  for (const auto& [tensor, shape] : bert_tensors(read_bert_config(dir))) {
    writer.add<float>(tensor, weights[tensor] = std::vector<float>(9 * 24 * 64), {9 * 24 * 64});
  }
  writer.write(dir / "model.safetensors");
  EXPECT_NE(error_of(dir).find("has shape [13824]"), std::string::npos);
}

TEST(Bert, AFurtherTensorIsRefused) {
  const fs::path dir = scratch_dir("bert");
  const TinyWeights weights = write_tiny_bert(dir);
  artifact::SafetensorsWriter writer;
  for (const auto& [name, shape] : bert_tensors(read_bert_config(dir))) {
    writer.add<float>(name, weights.at(name), shape);
  }
  const std::vector<float> bias(9);
  writer.add<float>("cls.predictions.bias", bias);
  writer.write(dir / "model.safetensors");
  EXPECT_NE(error_of(dir).find("cls.predictions.bias"), std::string::npos);
}

TEST(Bert, OtherPoolingsModulesAndPromptsAreRefused) {
  const fs::path dir = scratch_dir("bert");
  write_tiny_bert(dir);
  const auto module = [](const char* type, const char* path) {
    return Json{{"type", std::string("sentence_transformers.models.") + type}, {"path", path}};
  };
  Json modules = {module("Transformer", ""), module("Pooling", "1_Pooling"),
                  module("Normalize", "2_Normalize")};
  fs::create_directories(dir / "1_Pooling");
  const auto pooling = [&](bool mean, bool cls) {
    write_json_atomic(dir / "1_Pooling/config.json",
                      {{"pooling_mode_mean_tokens", mean}, {"pooling_mode_cls_token", cls}});
  };
  write_json_atomic(dir / "modules.json", modules);
  pooling(true, false);
  EXPECT_EQ(error_of(dir), "accepted");
  pooling(false, true);
  EXPECT_NE(error_of(dir).find("pooling_mode_mean_tokens"), std::string::npos);
  pooling(true, true);
  EXPECT_NE(error_of(dir).find("pooling_mode_cls_token"), std::string::npos);
  pooling(true, false);
  modules.push_back(module("Dense", "3_Dense"));
  write_json_atomic(dir / "modules.json", modules);
  EXPECT_NE(error_of(dir).find("Dense"), std::string::npos);
  fs::remove(dir / "modules.json");
  write_json_atomic(dir / "config_sentence_transformers.json", {{"default_prompt_name", "query"}});
  EXPECT_NE(error_of(dir).find("default_prompt_name"), std::string::npos);
}

TEST(VectorCache, UnchangedTextIsNotEncodedAgain) {
  const fs::path dir = scratch_dir("bert"), cache = scratch("cache");
  write_tiny_bert(dir);
  const BertEncoder encoder(dir);
  const auto texts = many_texts();
  const auto encoded = [&](size_t n, const fs::path& folder) {
    return encode_texts(
        encoder, n, [&](size_t i) { return texts[i]; }, 2, folder);
  };
  const auto all = encoded(texts.size(), {});
  const auto first = encoded(200, cache);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin()));
  EXPECT_EQ(encoded(texts.size(), cache), all);
  const fs::path file = cache / (encoder.identity() + ".safetensors");
  const auto written = fs::last_write_time(file);
  EXPECT_EQ(encoded(texts.size(), cache), all);
  EXPECT_EQ(fs::last_write_time(file), written);  // nothing was new
  // A vector of the cache is what comes back: the text was not encoded.
  VectorCache known(cache, encoder.identity(), encoder.dim());
  known.put("red", std::vector<float>(encoder.dim(), 7));
  known.save();
  const auto red = encode_texts(
      encoder, 1, [](size_t) { return std::string("red"); }, 1, cache);
  EXPECT_EQ(red, std::vector<float>(encoder.dim(), 7));
}

TEST(VectorCache, DamagedItIsMadeAgain) {
  const fs::path folder = scratch_dir("cache");
  const std::vector<float> vector = {1, 2, 3};
  VectorCache cache(folder, "id", 3);
  cache.put("text", vector);
  cache.save();
  const fs::path file = folder / "id.safetensors";
  const std::string sound = read_file(file);
  EXPECT_EQ(VectorCache(folder, "id", 3).size(), 1u);
  EXPECT_EQ(VectorCache(folder, "id", 4).size(), 0u);
  for (size_t at = 0; at < sound.size(); at += 3) {
    std::string damaged = sound;
    damaged[at] = char(damaged[at] ^ 0x10);
    write_file_atomic(file, damaged);
    const VectorCache read(folder, "id", 3);
    const auto found = read.find("text");
    EXPECT_TRUE(found.empty() || std::equal(found.begin(), found.end(), vector.begin())) << at;
  }
  write_file_atomic(file, sound.substr(0, sound.size() / 2));
  VectorCache again(folder, "id", 3);
  EXPECT_EQ(again.size(), 0u);
  again.put("text", vector);
  again.save();
  EXPECT_EQ(VectorCache(folder, "id", 3).size(), 1u);
}

}  // namespace
}  // namespace podium::text
