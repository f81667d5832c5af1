#include "podium/runtime/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/kernels/kernels.h"
#include "podium/runtime/decoder.h"

namespace podium::runtime {
namespace {

// Rollouts decoded in lockstep. Fixed, so that the thread count never changes what is summed.
constexpr size_t kLanes = 16;

float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24
    const float value = float(mantissa) * 0x1.0p-24F;
    return sign ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

std::vector<float> to_floats(const artifact::TensorView& tensor, std::string_view name,
                             const fs::path& path) {
  using artifact::Dtype;
  const std::byte* from = tensor.bytes.data();
  std::vector<float> values(tensor.bytes.size() / artifact::dtype_size(tensor.dtype));
  if (tensor.dtype == Dtype::kF32) {
    std::memcpy(values.data(), from, tensor.bytes.size());
    return values;
  }
  if (tensor.dtype != Dtype::kBF16 && tensor.dtype != Dtype::kF16) {
    throw Error(fmt::format("tensor {} is not of type F32, BF16 or F16", name),
                "convert the checkpoint", path.string());
  }
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + 2 * i, 2);
    values[i] = tensor.dtype == Dtype::kBF16 ? std::bit_cast<float>(uint32_t(bits) << 16)
                                             : half_to_float(bits);
  }
  return values;
}

void check_shape(const rerank::TensorSpec& spec, const artifact::TensorView& tensor,
                 const fs::path& path) {
  if (tensor.shape == spec.shape) return;
  throw Error(fmt::format("tensor {} has shape [{}], config.json asks for [{}]", spec.name,
                          fmt::join(tensor.shape, ", "), fmt::join(spec.shape, ", ")),
              "use the config.json and model.safetensors of one checkpoint", path.string());
}

}  // namespace

struct Engine::Impl {
  std::map<std::string, std::vector<float>, std::less<>>
      owned;  // not packed; empty: live elsewhere
  Model model;
  mutable PagePool pool;
  std::unique_ptr<PrefixCache> prefixes;  // null: none are kept

  Impl(const rerank::ModelSpec& spec, const Weights& weights, const EngineOptions& options)
      : model(spec, weights, options.precision), pool(spec) {
    if (options.prefix_bytes > 0) {
      prefixes = std::make_unique<PrefixCache>(pool, options.prefix_bytes);
    }
  }
};

Engine::Engine(const rerank::ModelSpec& spec, const Weights& weights, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(spec, weights, options)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::open(const fs::path& dir, const EngineOptions& options) {
  const fs::path config_path = dir / "config.json", path = dir / "model.safetensors";
  const rerank::ModelSpec spec =
      rerank::from_config_json(read_json(config_path), config_path.string());
  const artifact::SafetensorsFile file(path);
  std::map<std::string, std::vector<float>, std::less<>> owned;
  Weights weights;
  for (const rerank::TensorSpec& tensor : rerank::tensor_table(spec)) {
    const artifact::TensorView& view = file.tensor(tensor.name);
    check_shape(tensor, view, path);
    weights[tensor.name] = owned[tensor.name] = to_floats(view, tensor.name, path);
  }
  Engine engine(spec, weights, options);
  std::erase_if(owned, [](const auto& tensor) { return tensor.first.ends_with("_proj.weight"); });
  engine.impl_->owned = std::move(owned);  // moving a map leaves its vectors' data in place
  return engine;
}

const rerank::ModelSpec& Engine::spec() const { return impl_->model.spec; }

PrefixStats Engine::prefix_stats() const {
  return impl_->prefixes ? impl_->prefixes->stats() : PrefixStats{};
}

std::vector<float> Engine::logits(std::span<const TokenId> tokens) const {
  const Model& model = impl_->model;
  PODIUM_CHECK(!tokens.empty());
  KvCache cache(impl_->pool);
  Workspace work;
  Chunk chunk{tokens, &cache};
  const auto states = forward(model, {&chunk, 1}, Rows::kAll, work);
  std::vector<float> result(tokens.size() * model.spec.vocab);
  work.input.assign(states.data(), tokens.size(), model.spec.hidden);
  model.all.apply(work.input, result.data());
  return result;
}

std::vector<Rollout> Engine::decode(const rerank::PromptContext& context,
                                    std::span<const rerank::Slate> slates,
                                    const DecodeOptions& options, int threads) const {
  PODIUM_CHECK(options.samples >= 1);
  PODIUM_CHECK(options.constrained || (options.max_tokens >= 1 && !options.verbalize));
  if (context.tokenizer.vocab() > impl_->model.spec.vocab) {
    throw Error(fmt::format("the tokenizer has {} tokens, the model {}", context.tokenizer.vocab(),
                            impl_->model.spec.vocab),
                "use the tokenizer.json that belongs to the model");
  }
  std::vector<TokenId> trace_tokens;
  if (options.with_trace && options.constrained) {
    const auto mask = rerank::trace_mask(context.tokenizer, context.vocabulary);
    for (size_t i = 0; i < mask.size(); ++i) {
      if (mask[i]) trace_tokens.push_back(TokenId(i));
    }
  }
  const size_t samples = size_t(options.samples);
  std::vector<Rollout> rollouts(slates.size() * samples);
  const DecodeTask task{impl_->model, impl_->pool, impl_->prefixes.get(),
                        context,      options,     trace_tokens};
  parallel_for(
      threads, slates.size(), std::max<size_t>(1, kLanes / samples), [&](size_t begin, size_t end) {
        decode_group(task, slates.subspan(begin, end - begin),
                     std::span(rollouts).subspan(begin * samples, (end - begin) * samples));
      });
  return rollouts;
}

}  // namespace podium::runtime
