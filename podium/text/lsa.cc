#include "podium/text/lsa.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/rng.h"
#include "podium/kernels/kernels.h"
#include "podium/text/truncated_svd.h"

namespace podium::text {
namespace {

constexpr std::string_view kKind = "lsa 1";  // raise with the format
constexpr float kNoLength = 1e-12F;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto close = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0) {
      word += static_cast<char>(std::tolower(byte));
    } else {
      close();
    }
  }
  close();
  return words;
}

using Counts = std::map<uint32_t, float>;  // by hash bucket

Counts hashed_ngrams(std::string_view text, int hash_bits, int max_ngram) {
  const std::vector<std::string> words = words_of(text);
  const uint64_t mask = (uint64_t{1} << hash_bits) - 1;
  Counts counts;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string gram;
    for (size_t n = 0; n < size_t(max_ngram) && i + n < words.size(); ++n) {
      gram += (n == 0 ? "" : " ") + words[i + n];
      counts[static_cast<uint32_t>(stable_hash(gram) & mask)] += 1;
    }
  }
  return counts;
}

// Texts that hold each bucket.
std::vector<uint32_t> document_counts(size_t n, const std::function<std::string(size_t)>& text_of,
                                      const LsaOptions& options, int threads) {
  std::vector<std::vector<uint32_t>> buckets(n);
  parallel_for(threads, n, 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      for (const auto& [bucket, count] :
           hashed_ngrams(text_of(i), options.hash_bits, options.max_ngram)) {
        buckets[i].push_back(bucket);
      }
    }
  });
  std::vector<uint32_t> documents(size_t{1} << options.hash_bits);
  for (const auto& row : buckets) {
    for (const uint32_t bucket : row) ++documents[bucket];
  }
  return documents;
}

[[noreturn]] void damaged(std::string message, const fs::path& file) {
  throw Error(std::move(message), "make the semantic IDs again", file.string());
}

template <class T>
std::vector<T> copy_of(std::span<const T> values) {
  return {values.begin(), values.end()};
}

int number_in(const artifact::SafetensorsFile& file, const std::string& key, int low, int high,
              const fs::path& path) {
  const auto found = file.metadata().find(key);
  int value = 0;
  if (found != file.metadata().end() && found->second.size() <= 6) {
    value = std::atoi(found->second.c_str());
  }
  if (value < low || value > high) damaged(fmt::format("a bad '{}' in its header", key), path);
  return value;
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

}  // namespace

LsaEncoder::LsaEncoder(LsaEncoder&& other) noexcept
    : dim_(other.dim_),
      width_(other.width_),
      hash_bits_(other.hash_bits_),
      max_ngram_(other.max_ngram_),
      bucket_(std::move(other.bucket_)),
      idf_(std::move(other.idf_)),
      basis_(std::move(other.basis_)) {}

LsaEncoder LsaEncoder::fit(size_t n, const std::function<std::string(size_t)>& text_of,
                           const LsaOptions& options, uint64_t seed, int threads) {
  LsaEncoder encoder;
  encoder.dim_ = size_t(options.dim);
  encoder.hash_bits_ = options.hash_bits;
  encoder.max_ngram_ = options.max_ngram;
  const std::vector<uint32_t> documents = document_counts(n, text_of, options, threads);
  for (size_t bucket = 0; bucket < documents.size(); ++bucket) {
    if (documents[bucket] < 2) continue;
    encoder.bucket_.push_back(uint32_t(bucket));
    encoder.idf_.push_back(std::log(float(n + 1) / float(documents[bucket] + 1)) + 1);
  }
  std::vector<std::vector<std::pair<uint32_t, float>>> rows(n);
  parallel_for(threads, n, 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) rows[i] = encoder.weights(text_of(i));
  });
  SparseMatrix matrix;
  matrix.rows = n;
  matrix.cols = encoder.bucket_.size();
  for (const auto& row : rows) {
    for (const auto& [column, weight] : row) {
      matrix.column.push_back(column);
      matrix.value.push_back(weight);
    }
    matrix.begin.push_back(matrix.value.size());
  }
  Basis basis = right_singular_vectors(
      matrix, {encoder.dim_, size_t(options.oversample), options.power_iterations}, seed, threads);
  encoder.width_ = basis.width;
  encoder.basis_ = std::move(basis.values);
  return encoder;
}

std::vector<std::pair<uint32_t, float>> LsaEncoder::weights(std::string_view text) const {
  std::vector<std::pair<uint32_t, float>> row;
  float squares = 0;
  for (const auto& [bucket, count] : hashed_ngrams(text, hash_bits_, max_ngram_)) {
    const auto found = std::lower_bound(bucket_.begin(), bucket_.end(), bucket);
    if (found == bucket_.end() || *found != bucket) continue;
    const auto column = uint32_t(found - bucket_.begin());
    row.emplace_back(column, (1 + std::log(count)) * idf_[column]);
    squares += row.back().second * row.back().second;
  }
  for (auto& [column, weight] : row) weight /= std::sqrt(squares);
  return row;
}

void LsaEncoder::encode(std::string_view text, std::span<float> vector) const {
  PODIUM_CHECK(vector.size() == dim_);
  std::fill(vector.begin(), vector.end(), 0.0F);
  for (const auto& [column, weight] : weights(text)) {
    kernels::axpy(weight, &basis_[column * width_], vector.data(), width_);
  }
  const float norm = std::sqrt(kernels::dot(vector.data(), vector.data(), width_));
  for (float& x : vector) x = norm > kNoLength ? x / norm : 0.0F;
}

void LsaEncoder::save(const fs::path& dir) const {
  artifact::SafetensorsWriter writer;
  const auto known = int64_t(bucket_.size());
  writer.add<uint32_t>("bucket", bucket_);
  writer.add<float>("idf", idf_);
  writer.add<float>("basis", basis_, {known, int64_t(width_)});
  writer.set_metadata("podium_text_encoder", std::string(kKind));
  writer.set_metadata("dim", std::to_string(dim_));
  writer.set_metadata("hash_bits", std::to_string(hash_bits_));
  writer.set_metadata("max_ngram", std::to_string(max_ngram_));
  writer.write(dir / kTextEncoderFile);
}

LsaEncoder LsaEncoder::load(const fs::path& dir) {
  const fs::path path = dir / kTextEncoderFile;
  const artifact::SafetensorsFile file(path);
  const auto kind = file.metadata().find("podium_text_encoder");
  if (kind == file.metadata().end() || kind->second != kKind) {
    damaged("not a text encoder that this program reads", path);
  }
  LsaEncoder encoder;
  encoder.dim_ = size_t(number_in(file, "dim", 1, kMaxTextDim, path));
  encoder.hash_bits_ = number_in(file, "hash_bits", kMinHashBits, kMaxHashBits, path);
  encoder.max_ngram_ = number_in(file, "max_ngram", 1, kMaxNgram, path);
  encoder.bucket_ = copy_of(file.get<uint32_t>("bucket"));
  encoder.idf_ = copy_of(file.get<float>("idf"));
  encoder.basis_ = copy_of(file.get<float>("basis"));
  const size_t known = encoder.bucket_.size();
  encoder.width_ = known == 0 ? 0 : encoder.basis_.size() / known;
  const bool ascending = std::adjacent_find(encoder.bucket_.begin(), encoder.bucket_.end(),
                                            std::greater_equal<>()) == encoder.bucket_.end();
  if (!ascending || (known > 0 && encoder.bucket_.back() >> encoder.hash_bits_ != 0) ||
      encoder.idf_.size() != known || encoder.basis_.size() != known * encoder.width_ ||
      encoder.width_ > encoder.dim_) {
    damaged("columns that do not fit one another", path);
  }
  if (!all_finite(encoder.idf_) || !all_finite(encoder.basis_)) {
    damaged("values that are not finite", path);
  }
  return encoder;
}

}  // namespace podium::text
