#include "podium/text/encoder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/rng.h"
#include "podium/kernels/kernels.h"

namespace podium::text {
namespace {

// Compressed sparse rows.
struct Sparse {
  size_t rows = 0, cols = 0;
  std::vector<size_t> begin{0};
  std::vector<uint32_t> column;
  std::vector<float> value;
};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + ' ') {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0) {
      word += static_cast<char>(std::tolower(byte));
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

std::map<uint32_t, float> hashed_ngrams(const std::string& text, const EncoderOptions& options) {
  const std::vector<std::string> words = words_of(text);
  const uint64_t mask = (uint64_t{1} << options.hash_bits) - 1;
  std::map<uint32_t, float> counts;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string gram;
    for (size_t n = 0; n < size_t(options.max_ngram) && i + n < words.size(); ++n) {
      gram += (n == 0 ? "" : " ") + words[i + n];
      counts[static_cast<uint32_t>(stable_hash(gram) & mask)] += 1;
    }
  }
  return counts;
}

// Rows of sublinear tf x idf, unit length, over the buckets that at least two texts share.
Sparse tf_idf(size_t n, const std::function<std::string(size_t)>& text_of,
              const EncoderOptions& options, int threads) {
  std::vector<std::map<uint32_t, float>> counts(n);
  parallel_for(threads, n, 256, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) counts[i] = hashed_ngrams(text_of(i), options);
  });
  std::vector<uint32_t> documents(size_t{1} << options.hash_bits);
  for (const auto& row : counts) {
    for (const auto& [bucket, count] : row) ++documents[bucket];
  }
  std::vector<uint32_t> column(documents.size());
  Sparse m;
  m.rows = n;
  for (size_t b = 0; b < documents.size(); ++b) {
    column[b] = static_cast<uint32_t>(m.cols);
    m.cols += documents[b] > 1 ? 1 : 0;
  }
  for (const auto& row : counts) {
    const size_t first = m.value.size();
    float norm = 0;
    for (const auto& [bucket, count] : row) {
      if (documents[bucket] < 2) continue;
      const float idf = std::log(float(n + 1) / float(documents[bucket] + 1)) + 1;
      m.column.push_back(column[bucket]);
      m.value.push_back((1 + std::log(count)) * idf);
      norm += m.value.back() * m.value.back();
    }
    for (size_t j = first; j < m.value.size(); ++j) m.value[j] /= std::sqrt(norm);
    m.begin.push_back(m.value.size());
  }
  return m;
}

Sparse transposed(const Sparse& m) {
  Sparse t;
  t.rows = m.cols;
  t.cols = m.rows;
  t.begin.assign(m.cols + 1, 0);
  for (const uint32_t c : m.column) ++t.begin[c + 1];
  for (size_t c = 0; c < m.cols; ++c) t.begin[c + 1] += t.begin[c];
  t.column.resize(m.column.size());
  t.value.resize(m.value.size());
  std::vector<size_t> next(t.begin.begin(), t.begin.end() - 1);
  for (size_t r = 0; r < m.rows; ++r) {
    for (size_t j = m.begin[r]; j < m.begin[r + 1]; ++j) {
      const size_t at = next[m.column[j]]++;
      t.column[at] = static_cast<uint32_t>(r);
      t.value[at] = m.value[j];
    }
  }
  return t;
}

// y[rows, k] = m x[cols, k]
std::vector<float> multiply(const Sparse& m, const std::vector<float>& x, size_t k, int threads) {
  std::vector<float> y(m.rows * k);
  parallel_for(threads, m.rows, 512, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      for (size_t j = m.begin[r]; j < m.begin[r + 1]; ++j) {
        kernels::axpy(m.value[j], &x[m.column[j] * k], &y[r * k], k);
      }
    }
  });
  return y;
}

// x[rows, k]^T x, summed chunk by chunk in order.
std::vector<float> gram(const std::vector<float>& x, size_t rows, size_t k, int threads) {
  constexpr size_t kChunk = 4096;
  std::vector<std::vector<float>> parts((rows + kChunk - 1) / kChunk);
  parallel_for(threads, rows, kChunk, [&](size_t begin, size_t end) {
    std::vector<float>& part = parts[begin / kChunk];
    part.resize(k * k);
    kernels::matmul_tn(&x[begin * k], &x[begin * k], part.data(), k, k, end - begin);
  });
  std::vector<float> sum(k * k);
  for (const auto& part : parts) kernels::axpy(1, part.data(), sum.data(), k * k);
  return sum;
}

// x[rows, k] times m[k, k]^T, in place.
void rotate(std::vector<float>& x, const std::vector<float>& m, size_t rows, size_t k,
            int threads) {
  parallel_for(threads, rows, 1024, [&](size_t begin, size_t end) {
    const std::vector<float> copy(x.begin() + std::ptrdiff_t(begin * k),
                                  x.begin() + std::ptrdiff_t(end * k));
    kernels::matmul_nt(copy.data(), m.data(), &x[begin * k], end - begin, k, k);
  });
}

// Principal directions of x's columns, strongest first; scaled to unit length if asked, else x
// keeps its singular values. Directions without weight become zero.
void principal(std::vector<float>& x, size_t rows, size_t k, bool unit, int threads) {
  std::vector<float> vectors = gram(x, rows, k, threads), values(k);
  if (!kernels::symmetric_eigen(vectors.data(), values.data(), k)) {
    throw Error("the singular value decomposition of the item texts did not converge",
                "use fewer dimensions: encoder.dim");
  }
  std::vector<float> turn(k * k);
  const float top = std::max(values[k - 1], 0.0F);
  for (size_t i = 0; i < k; ++i) {
    const float value = values[k - 1 - i];
    if (value <= top * 1e-6F) continue;
    const float scale = unit ? 1 / std::sqrt(value) : 1;
    kernels::axpy(scale, &vectors[(k - 1 - i) * k], &turn[i * k], k);
  }
  rotate(x, turn, rows, k, threads);
}

}  // namespace

std::vector<float> encode_texts(size_t n, const std::function<std::string(size_t)>& text_of,
                                const EncoderOptions& options, uint64_t seed, int threads) {
  if (options.dim < 1 || options.dim > 4096 || options.hash_bits < 8 || options.hash_bits > 24 ||
      options.max_ngram < 1) {
    throw Error("an encoder option is out of range",
                "dim 1..4096, hash_bits 8..24, max_ngram >= 1");
  }
  const auto dim = static_cast<size_t>(options.dim);
  const Sparse a = tf_idf(n, text_of, options, threads);
  const size_t k = std::min({dim + size_t(options.oversample), n, a.cols});
  std::vector<float> out(n * dim);
  if (k == 0) return out;
  const Sparse at = transposed(a);
  Rng rng = Rng(seed).fork("text-encoder");
  std::vector<float> x(a.cols * k);
  for (float& value : x) value = static_cast<float>(rng.normal());
  std::vector<float> y = multiply(a, x, k, threads);
  for (int i = 0; i < options.power_iterations; ++i) {
    principal(y, n, k, true, threads);
    x = multiply(at, y, k, threads);
    principal(x, a.cols, k, true, threads);
    y = multiply(a, x, k, threads);
  }
  // y = a x with orthonormal x: its principal directions carry the singular values of a.
  principal(y, n, k, false, threads);
  for (size_t i = 0; i < n; ++i) {
    const size_t used = std::min(k, dim);
    const float norm = std::sqrt(kernels::dot(&y[i * k], &y[i * k], used));
    if (norm > 1e-12F) kernels::axpy(1 / norm, &y[i * k], &out[i * dim], used);
  }
  return out;
}

}  // namespace podium::text
