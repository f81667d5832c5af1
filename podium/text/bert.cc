#include "podium/text/bert.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "podium/artifact/checks.h"
#include "podium/artifact/output.h"
#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/text/bert_forward.h"

namespace podium::text {
namespace {

constexpr std::string_view kBertKind = "bert 1";  // raise when vectors change
constexpr const char* kEncoderJson = "encoder.json";
constexpr size_t kPassTokens = 512;  // of a pass: enough to read the weights seldom
constexpr size_t kNoWords = 2;       // tokens of a text without any: [CLS] [SEP]

fs::path existing_model(const fs::path& dir) {
  if (fs::is_directory(dir)) return dir;
  throw Error(ErrorKind::kNotFound, "there is no such model directory",
              "get one with `podium models get minilm`, or use \"lsa\"", dir.string());
}

WordPiece read_words(const fs::path& dir, const BertConfig& config) {
  WordPiece words(read_wordpiece(dir), dir.string());
  if (words.largest_id() < config.vocab) return words;
  throw Error(fmt::format("the vocabulary has an id {}, config.json allows {} of them",
                          words.largest_id(), config.vocab),
              "use the tokenizer and the config.json of one checkpoint", dir.string());
}

// Cuts [0, sizes.size()) into runs of at most kPassTokens tokens each, but for a longer text.
std::vector<size_t> cut_into_passes(const std::vector<std::vector<int32_t>>& texts) {
  std::vector<size_t> begins;
  size_t tokens = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (begins.empty() || tokens + texts[i].size() > kPassTokens) {
      begins.push_back(i);
      tokens = 0;
    }
    tokens += texts[i].size();
  }
  begins.push_back(texts.size());
  return begins;
}

}  // namespace

BertEncoder::BertEncoder(const fs::path& dir, kernels::Precision precision)
    : dir_(existing_model(dir)),
      precision_(precision),
      words_(read_words(dir, read_bert_config(dir))),
      model_(dir, read_bert_config(dir), precision) {}

void BertEncoder::encode(std::string_view text, std::span<float> vector) const {
  const std::string whole(text);
  encode_all({&whole, 1}, vector, 1);
}

void BertEncoder::encode_all(std::span<const std::string> texts, std::span<float> vectors,
                             int threads) const {
  PODIUM_CHECK(vectors.size() == texts.size() * dim());
  std::fill(vectors.begin(), vectors.end(), 0.0F);
  std::vector<std::vector<int32_t>> tokens(texts.size());
  parallel_for(threads, texts.size(), 64, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      tokens[i] = words_.encode(texts[i], size_t(model_.config.max_tokens));
    }
  });
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t i) { return tokens[i].size() <= kNoWords; });
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return tokens[a].size() > tokens[b].size(); });
  std::vector<std::vector<int32_t>> sorted;
  for (const size_t i : order) sorted.push_back(std::move(tokens[i]));
  const std::vector<size_t> begins = cut_into_passes(sorted);
  parallel_for(threads, begins.size() - 1, 1, [&](size_t pass, size_t) {
    stop_if_interrupted();
    const size_t begin = begins[pass], count = begins[pass + 1] - begin;
    std::vector<float> made(count * dim());
    BertWorkspace work;
    bert_forward(model_, std::span(sorted).subspan(begin, count), made, work);
    for (size_t i = 0; i < count; ++i) {
      std::copy_n(made.begin() + ptrdiff_t(i * dim()), dim(),
                  vectors.begin() + ptrdiff_t(order[begin + i] * dim()));
    }
  });
}

std::string BertEncoder::identity() const { return identity_of(dir_, precision_); }

std::string BertEncoder::identity_of(const fs::path& dir, kernels::Precision precision) {
  std::string all = fmt::format("{} {}\n", kBertKind, kernels::precision_name(precision));
  for (const std::string& file : bert_files(existing_model(dir))) {
    all += fmt::format("{} {}\n", file, sha256_file(dir / file));
  }
  return sha256(all);
}

void BertEncoder::save(const fs::path& dir) const {
  const fs::path to = dir / kTextEncoderFolder;
  for (const std::string& file : bert_files(dir_)) {
    make_directories((to / file).parent_path());
    fs::copy_file(dir_ / file, to / file);
  }
  const Json about = {{"kind", kBertKind},
                      {"name", artifact::name_of_output(dir_)},
                      {"precision", kernels::precision_name(precision_)},
                      {"sha256", identity()}};
  write_json_atomic(to / kEncoderJson, about);
}

std::unique_ptr<BertEncoder> BertEncoder::load(const fs::path& dir) {
  const fs::path from = dir / kTextEncoderFolder;
  const Json about = artifact::read_own_json(from / kEncoderJson);
  const auto is = [&](const char* key, const Json& wanted) {
    artifact::check_sound(about.is_object() && about.contains(key) && about[key] == wanted,
                          fmt::format("its {} is not {}", key, wanted.dump()), from / kEncoderJson,
                          "make the semantic IDs again");
  };
  is("kind", kBertKind);
  is("precision", "int8");
  auto encoder = std::make_unique<BertEncoder>(from);
  is("sha256", encoder->identity());
  return encoder;
}

}  // namespace podium::text
