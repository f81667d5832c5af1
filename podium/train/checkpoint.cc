#include "podium/train/checkpoint.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <sstream>
#include <type_traits>
#include <vector>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/progress.h"

namespace podium::train {
namespace {

using artifact::Dtype;
using artifact::SafetensorsFile;
using artifact::SafetensorsWriter;
using torch::Tensor;

constexpr const char* kVersion = "1";

std::string where_of(const fs::path& file) { return file.string(); }

Dtype dtype_of(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case torch::kFloat:
      return Dtype::kF32;
    case torch::kBFloat16:
      return Dtype::kBF16;
    case torch::kLong:
      return Dtype::kI64;
    case torch::kByte:
      return Dtype::kU8;
    default:
      break;
  }
  throw Error("checkpoints hold F32, BF16, I64 and U8 tensors alone");
}

// Adds tensors to a writer and keeps them alive, contiguous and on the CPU, until it has written.
class TensorWriter {
 public:
  void add(const std::string& name, const Tensor& tensor) {
    kept_.push_back(tensor.detach().to(torch::kCPU).contiguous());
    const Tensor& held = kept_.back();
    writer_.add_raw(name, dtype_of(held), held.sizes().vec(),
                    {static_cast<const std::byte*>(held.data_ptr()), held.nbytes()});
  }
  SafetensorsWriter& writer() { return writer_; }

 private:
  std::vector<Tensor> kept_;
  SafetensorsWriter writer_;
};

void copy_into(const SafetensorsFile& file, const std::string& name, Tensor target,
               const fs::path& path) {
  const artifact::TensorView& view = file.tensor(name);
  if (view.dtype != dtype_of(target) || view.shape != target.sizes().vec()) {
    throw Error(fmt::format("tensor {} has another shape or type than the model", name),
                "delete the file, or train with the options it was written with", where_of(path));
  }
  Tensor staging = torch::empty(target.sizes(), target.options().device(torch::kCPU));
  std::memcpy(staging.data_ptr(), view.bytes.data(), view.bytes.size());
  torch::NoGradGuard no_grad;
  target.copy_(staging);
}

// The moments of one parameter, whichever of Adam and AdamW keeps them; null before its first step.
struct Moments {
  Tensor m, v;
  int64_t step = 0;
};

// The optimizer's key of a parameter: its address, as text up to LibTorch 1.x, raw in 2.x.
template <class Key>
Key key_of(const Tensor& parameter) {
  if constexpr (std::is_same_v<Key, std::string>) {
    std::ostringstream text;
    text << parameter.unsafeGetTensorImpl();
    return text.str();
  } else {
    return parameter.unsafeGetTensorImpl();
  }
}
using StateKey =
    std::decay_t<decltype(std::declval<const torch::optim::Optimizer&>().state())>::key_type;

template <class State>
Moments read_state(torch::optim::OptimizerParamState& state) {
  auto& typed = static_cast<State&>(state);
  return {typed.exp_avg(), typed.exp_avg_sq(), typed.step()};
}

template <class State>
std::unique_ptr<torch::optim::OptimizerParamState> make_state(const Moments& moments) {
  auto state = std::make_unique<State>();
  state->step(moments.step);
  state->exp_avg(moments.m);
  state->exp_avg_sq(moments.v);
  return state;
}

bool is_adamw(const torch::optim::Optimizer& optimizer) {
  if (dynamic_cast<const torch::optim::AdamW*>(&optimizer)) return true;
  PODIUM_CHECK(dynamic_cast<const torch::optim::Adam*>(&optimizer) != nullptr);
  return false;
}

std::vector<Tensor> parameters_of(const torch::optim::Optimizer& optimizer) {
  std::vector<Tensor> all;
  for (const auto& group : optimizer.param_groups()) {
    all.insert(all.end(), group.params().begin(), group.params().end());
  }
  return all;
}

void add_optimizer(const torch::optim::Optimizer& optimizer, TensorWriter& out) {
  const bool adamw = is_adamw(optimizer);
  const std::vector<Tensor> parameters = parameters_of(optimizer);
  Tensor steps = torch::zeros({int64_t(parameters.size())}, torch::kLong);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto found = optimizer.state().find(key_of<StateKey>(parameters[i]));
    if (found == optimizer.state().end()) continue;
    const Moments moments = adamw ? read_state<torch::optim::AdamWParamState>(*found->second)
                                  : read_state<torch::optim::AdamParamState>(*found->second);
    out.add(fmt::format("adam/m/{}", i), moments.m);
    out.add(fmt::format("adam/v/{}", i), moments.v);
    steps[int64_t(i)] = moments.step;
  }
  out.add("adam/step", steps);
}

void restore_optimizer(const SafetensorsFile& file, const fs::path& path,
                       torch::optim::Optimizer& optimizer) {
  const bool adamw = is_adamw(optimizer);
  const std::vector<Tensor> parameters = parameters_of(optimizer);
  Tensor steps = torch::zeros({int64_t(parameters.size())}, torch::kLong);
  copy_into(file, "adam/step", steps, path);
  for (size_t i = 0; i < parameters.size(); ++i) {
    Moments moments;
    moments.step = steps[int64_t(i)].item<int64_t>();
    if (moments.step == 0) continue;
    moments.m = torch::zeros_like(parameters[i]).detach();
    moments.v = torch::zeros_like(parameters[i]).detach();
    copy_into(file, fmt::format("adam/m/{}", i), moments.m, path);
    copy_into(file, fmt::format("adam/v/{}", i), moments.v, path);
    optimizer.state()[key_of<StateKey>(parameters[i])] =
        adamw ? make_state<torch::optim::AdamWParamState>(moments)
              : make_state<torch::optim::AdamParamState>(moments);
  }
}

Tensor generator_state() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void restore_generator(const SafetensorsFile& file, const fs::path& path) {
  Tensor state = generator_state();
  copy_into(file, "rng/torch", state, path);
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

std::string metadata_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? std::string() : found->second;
}

}  // namespace

Checkpointer::Checkpointer(CheckpointSettings settings)
    : settings_(std::move(settings)), saved_(std::chrono::steady_clock::now()) {}

std::optional<Json> Checkpointer::restore(torch::nn::Module& module,
                                          torch::optim::Optimizer& optimizer) const {
  std::optional<Json> cursor = restore_own(module, optimizer);
  settings_.group.check_equal("checkpoints", cursor ? cursor->dump() : "",
                              "give all processes one work directory, on a disk that they share");
  return cursor;
}

std::optional<Json> Checkpointer::restore_own(torch::nn::Module& module,
                                              torch::optim::Optimizer& optimizer) const {
  if (!fs::exists(settings_.file)) return std::nullopt;
  const SafetensorsFile file(settings_.file);
  if (metadata_of(file, "version") != kVersion ||
      metadata_of(file, "fingerprint") != settings_.fingerprint) {
    log_info(fmt::format("{} belongs to other options or data: starting afresh",
                         where_of(settings_.file)));
    return std::nullopt;
  }
  for (auto& item : module.named_parameters()) {
    copy_into(file, "param/" + item.key(), item.value().detach(), settings_.file);
  }
  for (auto& item : module.named_buffers()) {
    copy_into(file, "buffer/" + item.key(), item.value().detach(), settings_.file);
  }
  restore_optimizer(file, settings_.file, optimizer);
  restore_generator(file, settings_.file);
  log_info(fmt::format("resuming from {}", where_of(settings_.file)));
  return parse_json(metadata_of(file, "cursor"), where_of(settings_.file));
}

void Checkpointer::poll(const torch::nn::Module& module, const torch::optim::Optimizer& optimizer,
                        const std::function<Json()>& cursor) {
  const bool stop = settings_.group.any(settings_.stop());
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - saved_;
  const bool due = stop || since.count() >= settings_.every_seconds;
  if (due && settings_.group.leads()) save(module, optimizer, cursor());
  if (!stop) return;
  settings_.group.barrier();  // it is saved before a launcher ends them all
  throw Error(ErrorKind::kInterrupted, "interrupted", "run the same command to resume");
}

void Checkpointer::save(const torch::nn::Module& module, const torch::optim::Optimizer& optimizer,
                        const Json& cursor) {
  TensorWriter out;
  for (const auto& item : module.named_parameters()) out.add("param/" + item.key(), item.value());
  for (const auto& item : module.named_buffers()) out.add("buffer/" + item.key(), item.value());
  add_optimizer(optimizer, out);
  out.add("rng/torch", generator_state());
  out.writer().set_metadata("version", kVersion);
  out.writer().set_metadata("fingerprint", settings_.fingerprint);
  out.writer().set_metadata("cursor", cursor.dump());
  out.writer().write(settings_.file);
  saved_ = std::chrono::steady_clock::now();
}

void Checkpointer::remove() const {
  std::error_code ignored;
  fs::remove(settings_.file, ignored);
}

void save_weights(const fs::path& file, const torch::nn::Module& module,
                  const std::map<std::string, std::string>& metadata,
                  const std::map<std::string, torch::Tensor>& instead) {
  TensorWriter out;
  for (const auto& [key, value] : metadata) out.writer().set_metadata(key, value);
  for (const auto& item : module.named_parameters()) {
    const auto other = instead.find(item.key());
    out.add(item.key(), other == instead.end() ? item.value() : other->second);
  }
  for (const auto& item : module.named_buffers()) out.add(item.key(), item.value());
  out.writer().write(file);
}

void load_weights(const fs::path& file, torch::nn::Module& module) {
  const SafetensorsFile opened(file);
  for (auto& item : module.named_parameters()) {
    copy_into(opened, item.key(), item.value().detach(), file);
  }
  for (auto& item : module.named_buffers()) {
    copy_into(opened, item.key(), item.value().detach(), file);
  }
}

}  // namespace podium::train
