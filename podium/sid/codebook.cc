#include "podium/sid/codebook.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/artifact/checks.h"
#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/base/rng.h"
#include "podium/kernels/kernels.h"
#include "podium/sid/kmeans.h"
#include "podium/sid/last_level.h"

namespace podium::sid {
namespace {

constexpr size_t kMinibatchAbove = 1000000;
constexpr size_t kMinibatch = 100000;

void check(const SidOptions& options) {
  if (options.levels < kMinLevels || options.levels > kMaxLevels || options.codes < 2 ||
      options.codes > 65536 || options.iterations < 1) {
    throw Error(
        "a semantic ID option is out of range",
        fmt::format("levels {}..{}, codes 2..65536, iterations >= 1", kMinLevels, kMaxLevels));
  }
}

// The codes of one level, by its codebook, of what the levels before have left; takes away what
// they tell.
void spell_level(SidModel& model, size_t level, std::vector<float>& residual, int threads) {
  const size_t dim = size_t(model.dim), levels = size_t(model.table.levels);
  const size_t size = size_t(model.table.codes_per_level) * dim;
  const auto centroids = std::span<const float>(model.centroids).subspan(level * size, size);
  const std::vector<uint32_t> owner = assign(residual, dim, centroids, threads);
  for (size_t i = 0; i < owner.size(); ++i) {
    kernels::axpy(-1, &centroids[owner[i] * dim], &residual[i * dim], dim);
    model.table.codes[i * levels + level] = static_cast<uint16_t>(owner[i]);
  }
}

}  // namespace

int codes_for(size_t items, int codes) {
  int fitting = 16;
  while (fitting * 2 <= codes && size_t(fitting) * 2 * 4 <= items) fitting *= 2;
  return std::min(fitting, codes);
}

SidModel fit_rq_kmeans(std::span<const float> vectors, int dim, const SidOptions& options,
                       uint64_t seed, int threads) {
  check(options);
  PODIUM_CHECK(dim > 0 && vectors.size() % size_t(dim) == 0 && !vectors.empty());
  const size_t d = size_t(dim), n = vectors.size() / d, levels = size_t(options.levels);
  SidModel model;
  model.dim = dim;
  model.table.levels = options.levels;
  model.table.codes_per_level = codes_for(n, options.codes);
  model.table.codes.assign(n * levels, 0);
  const size_t codes = size_t(model.table.codes_per_level);
  model.centroids.assign(levels * codes * d, 0);
  std::vector<float> residual(vectors.begin(), vectors.end());
  const size_t fitted = levels - (options.random_last_level ? 1 : 0);
  const size_t batch = options.minibatch > 0 ? size_t(options.minibatch)
                       : n > kMinibatchAbove ? kMinibatch
                                             : 0;
  Progress progress("semantic IDs", fitted, "levels");
  for (size_t level = 0; level < fitted; ++level) {
    const std::vector<float> centroids =
        kmeans(residual, d, {int(codes), options.iterations, batch},
               Rng(seed).fork("rq-kmeans").fork(level), threads);
    std::copy(centroids.begin(), centroids.end(),
              model.centroids.begin() + std::ptrdiff_t(level * codes * d));
    spell_level(model, level, residual, threads);
    progress.add();
  }
  if (options.random_last_level) draw_last_level(model.table, seed);
  measure(model);
  return model;
}

std::vector<float> quantise(SidModel& model, std::span<const float> rows, int levels, int threads) {
  std::vector<float> residual(rows.begin(), rows.end());
  for (size_t level = 0; level < size_t(levels); ++level) {
    spell_level(model, level, residual, threads);
  }
  return residual;
}

void measure(SidModel& model) {
  model.usage.clear();
  model.perplexity.clear();
  const SidTable& table = model.table;
  for (int level = 0; level < table.levels; ++level) {
    std::vector<double> counts(static_cast<size_t>(table.codes_per_level));
    for (uint32_t i = 0; i < table.items(); ++i) ++counts[table.of(i)[size_t(level)]];
    double used = 0, entropy = 0;
    for (const double count : counts) {
      if (count == 0) continue;
      ++used;
      const double p = count / double(table.items());
      entropy -= p * std::log2(p);
    }
    model.usage.push_back(used / table.codes_per_level);
    model.perplexity.push_back(std::exp2(entropy));
  }
}

void save_sid(const fs::path& dir, const SidModel& model) {
  const SidTable& table = model.table;
  artifact::SafetensorsWriter writer;
  writer.add<uint16_t>("codes", table.codes, {int64_t(table.items()), table.levels});
  writer.add<float>("centroids", model.centroids, {table.levels, table.codes_per_level, model.dim});
  add_encoder(model.encoder, writer);
  writer.write(dir / "sid.safetensors");
  write_json_atomic(dir / "sid.json", {{"levels", table.levels},
                                       {"codes", table.codes_per_level},
                                       {"items", table.items()},
                                       {"dim", model.dim},
                                       {"uniqueness", table.uniqueness()},
                                       {"usage", model.usage},
                                       {"perplexity", model.perplexity}});
}

SidModel load_sid(const fs::path& dir) {
  const Json json = artifact::read_own_json(dir / "sid.json");
  const artifact::SafetensorsFile file(dir / "sid.safetensors");
  SidModel model;
  try {
    model.table.levels = json.at("levels").get<int>();
    model.table.codes_per_level = json.at("codes").get<int>();
    model.dim = json.at("dim").get<int>();
    model.usage = json.at("usage").get<std::vector<double>>();
    model.perplexity = json.at("perplexity").get<std::vector<double>>();
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::kCorrupt, std::string("malformed sid.json: ") + e.what(),
                "fit the semantic IDs again", dir.string());
  }
  const auto codes = file.get<uint16_t>("codes");
  const auto centroids = file.get<float>("centroids");
  model.table.codes.assign(codes.begin(), codes.end());
  model.centroids.assign(centroids.begin(), centroids.end());
  const int levels = model.table.levels;
  const int width = model.table.codes_per_level;
  const bool sound = levels >= kMinLevels && levels <= kMaxLevels && width > 0 && width <= 65536 &&
                     model.dim > 0 && model.dim <= 65536 && !codes.empty() &&
                     codes.size() % size_t(levels) == 0 &&
                     centroids.size() == size_t(levels) * size_t(width) * size_t(model.dim) &&
                     artifact::all_finite(centroids) &&
                     std::all_of(codes.begin(), codes.end(),
                                 [&](uint16_t code) { return code < model.table.codes_per_level; });
  artifact::check_sound(sound, "the semantic IDs", dir / "sid.safetensors", "fit them again");
  model.encoder = read_encoder(file, size_t(model.dim), dir / "sid.safetensors");
  return model;
}

}  // namespace podium::sid
