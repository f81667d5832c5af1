#include "podium/ranking/ranker.h"

#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "podium/base/error.h"
#include "podium/base/ndcg.h"
#include "podium/base/progress.h"
#include "podium/ranking/gradients.h"
#include "podium/ranking/ranker_file.h"

namespace podium::ranking {
namespace {

constexpr size_t kHoldEvery = 10;  // every tenth user stops the training
constexpr size_t kAt = 10;
constexpr size_t kRowsAThread = 30000;  // fewer cost more in waiting than they save

void check(int code) {
  if (code != 0) throw Error(fmt::format("XGBoost: {}", XGBGetLastError()), "see its message");
}

void check_finite(std::span<const float> scores) {
  if (std::ranges::all_of(scores, [](float score) { return std::isfinite(score); })) return;
  throw Error(ErrorKind::kCorrupt, "the ranker's scores are not finite", "train it again");
}

// A matrix of XGBoost.
struct Matrix {
  DMatrixHandle handle = nullptr;
  Matrix(const float* rows, size_t count, size_t features) {
    check(XGDMatrixCreateFromMat(rows, count, features, std::numeric_limits<float>::quiet_NaN(),
                                 &handle));
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() { XGDMatrixFree(handle); }
};

// The groups of every tenth user, or of the others.
RankingData part(const RankingData& data, bool held_out) {
  RankingData out;
  out.features = data.features;
  size_t row = 0, user = 0;
  for (size_t g = 0; g < data.groups.size(); ++g) {
    const size_t n = data.groups[g];
    if (g > 0 && data.users[g] != data.users[g - 1]) ++user;
    if ((user % kHoldEvery == 0) == held_out) {
      out.users.push_back(data.users[g]);
      out.groups.push_back(data.groups[g]);
      out.weights.push_back(data.weight(g));
      out.labels.insert(out.labels.end(), data.labels.begin() + std::ptrdiff_t(row),
                        data.labels.begin() + std::ptrdiff_t(row + n));
      out.rows.insert(out.rows.end(), data.rows.begin() + std::ptrdiff_t(row * data.features),
                      data.rows.begin() + std::ptrdiff_t((row + n) * data.features));
    }
    row += n;
  }
  return out;
}

// Mean NDCG@10 of groups with one or more positives of gain 1.
double mean_ndcg(const RankingData& data, const float* scores) {
  double total = 0, weights = 0;
  size_t row = 0;
  for (size_t g = 0; g < data.groups.size(); ++g) {
    const size_t n = data.groups[g];
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), row);
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    std::vector<uint8_t> ranked(n);
    for (size_t r = 0; r < n; ++r) ranked[r] = data.labels[order[r]] > 0;
    total += data.weight(g) * ndcg(ranked, kAt);
    weights += data.weight(g);
    row += n;
  }
  return data.groups.empty() ? 0 : total / weights;
}

}  // namespace

struct Ranker::Booster {
  BoosterHandle handle = nullptr;

  explicit Booster(const std::vector<DMatrixHandle>& cache) {
    check(XGBoosterCreate(cache.data(), cache.size(), &handle));
  }
  ~Booster() { XGBoosterFree(handle); }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;

  void set(const char* name, const std::string& value) {
    check(XGBoosterSetParam(handle, name, value.c_str()));
  }
  const float* predict(DMatrixHandle matrix, size_t count) const {
    bst_ulong length = 0;
    const float* scores = nullptr;
    check(XGBoosterPredict(handle, matrix, 0, 0, 0, &length, &scores));
    if (length != count) throw Error(ErrorKind::kInternal, "XGBoost lost a row");
    check_finite({scores, count});
    return scores;
  }
  std::string bytes() const {
    bst_ulong length = 0;
    const char* data = nullptr;
    check(XGBoosterSaveModelToBuffer(handle, R"({"format": "json"})", &length, &data));
    return {data, size_t(length)};
  }
  // Predicts on the calling thread: callers spread queries over threads themselves.
  void read(const std::string& bytes) {
    check(XGBoosterLoadModelFromBuffer(handle, bytes.data(), bytes.size()));
    set("nthread", "1");
  }
};

Ranker::Ranker(std::unique_ptr<Booster> booster)
    : booster_(std::move(booster)), forest_(booster_->bytes()) {}
Ranker::Ranker(Ranker&&) noexcept = default;
Ranker& Ranker::operator=(Ranker&&) noexcept = default;
Ranker::~Ranker() = default;

Ranker Ranker::train(const RankingData& data, const std::vector<std::string>& names,
                     const RankerOptions& options, uint64_t seed, int threads) {
  PODIUM_CHECK(names.size() == data.features);
  PODIUM_CHECK(data.users.size() == data.groups.size());
  const bool one_user = std::all_of(data.users.begin(), data.users.end(),
                                    [&](uint32_t user) { return user == data.users.front(); });
  if (data.groups.size() < 2 * kHoldEvery || one_user) {
    throw Error(fmt::format("only {} training groups hold a positive and a negative{}",
                            data.groups.size(), one_user ? ", of one user" : ""),
                "the data set is too small to train a ranker, or retrieval finds too little");
  }
  const RankingData fit = part(data, false), held = part(data, true);
  const size_t rows = fit.labels.size();
  const Matrix matrix(fit.rows.data(), rows, fit.features);
  const Matrix probe(held.rows.data(), held.labels.size(), held.features);
  check(XGDMatrixSetFloatInfo(matrix.handle, "label", fit.labels.data(), rows));
  check(XGDMatrixSetUIntInfo(matrix.handle, "group", fit.groups.data(), fit.groups.size()));
  auto booster = std::make_unique<Booster>(std::vector<DMatrixHandle>{matrix.handle, probe.handle});
  booster->set("objective", "rank:ndcg");
  booster->set("tree_method", "hist");
  booster->set("eta", fmt::format("{}", options.learning_rate));
  booster->set("max_depth", std::to_string(options.max_depth));
  booster->set("min_child_weight", fmt::format("{}", options.min_child_weight));
  booster->set("subsample", fmt::format("{}", options.row_share));
  booster->set("colsample_bytree", fmt::format("{}", options.column_share));
  booster->set("seed", std::to_string(seed % 1000000007));
  booster->set("nthread", std::to_string(std::clamp(int(rows / kRowsAThread), 1, threads)));
  booster->set("verbosity", "0");
  const auto gradients = options.loss == "lambda" ? lambda_gradients : softmax_gradients;
  double best = -1;
  int best_round = 0;
  std::string best_model;
  Progress progress("ranker", uint64_t(options.rounds), "rounds");
  for (int round = 0; round < options.rounds && round - best_round <= options.patience; ++round) {
    stop_if_interrupted("run the same command to resume");
    Gradients g = gradients(fit, booster->predict(matrix.handle, rows), threads);
    check(XGBoosterBoostOneIter(booster->handle, matrix.handle, g.first.data(), g.second.data(),
                                rows));
    const double ndcg = mean_ndcg(held, booster->predict(probe.handle, held.labels.size()));
    if (ndcg > best) best = ndcg, best_round = round, best_model = booster->bytes();
    progress.note(fmt::format("held-out NDCG@10 {:.4f}", best));
    progress.add();
  }
  booster->read(best_model);
  return Ranker(std::move(booster));
}

Ranker Ranker::load(const fs::path& file) {
  auto booster = std::make_unique<Booster>(std::vector<DMatrixHandle>{});
  const std::string bytes = read_file(file);
  check_ranker_json(bytes, file);
  try {
    booster->read(bytes);
  } catch (const Error& e) {
    throw Error(ErrorKind::kCorrupt, "damaged ranker: " + e.message(), "train it again",
                file.string());
  }
  return Ranker(std::move(booster));
}

void Ranker::save(const fs::path& file) const { write_file_atomic(file, booster_->bytes()); }

std::vector<float> Ranker::predict(const float* rows, size_t count, size_t features) const {
  std::vector<float> scores = forest_.predict(rows, count, features);
  check_finite(scores);
  return scores;
}

std::vector<float> Ranker::predict_by_xgboost(const float* rows, size_t count,
                                              size_t features) const {
  if (count == 0) return {};
  const Matrix matrix(rows, count, features);
  const float* scores = booster_->predict(matrix.handle, count);
  return {scores, scores + count};
}

std::vector<std::pair<std::string, float>> Ranker::gains() const {
  bst_ulong features = 0, dims = 0;
  const bst_ulong* shape = nullptr;
  const char** names = nullptr;
  const float* values = nullptr;
  check(XGBoosterFeatureScore(booster_->handle, R"({"importance_type": "total_gain"})", &features,
                              &names, &dims, &shape, &values));
  std::vector<std::pair<std::string, float>> gains;
  for (bst_ulong i = 0; i < features; ++i) gains.emplace_back(names[i], values[i]);
  std::sort(gains.begin(), gains.end(),
            [](const auto& a, const auto& b) { return a.second > b.second; });
  return gains;
}

}  // namespace podium::ranking
