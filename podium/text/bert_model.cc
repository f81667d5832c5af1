#include "podium/text/bert_model.h"

#include <fmt/format.h>

#include <set>

#include "podium/artifact/float_tensor.h"
#include "podium/base/error.h"
#include "podium/base/finite.h"
#include "podium/kernels/kernels.h"

namespace podium::text {

void BertLinear::apply(kernels::LinearInput& x, float* y, bool accumulate) const {
  const size_t outputs = weight.outputs();
  weight.apply(x, y, accumulate);
  for (size_t row = 0; row < x.rows(); ++row) kernels::axpy(1, bias, y + row * outputs, outputs);
}

BertModel::BertModel(const fs::path& dir, const BertConfig& read, kernels::Precision precision)
    : config(read), files_(dir) {
  read_tensors(dir);
  words = get("embeddings.word_embeddings.weight");
  positions = get("embeddings.position_embeddings.weight");
  type = get("embeddings.token_type_embeddings.weight");
  embedding_norm = norm("embeddings.LayerNorm");
  const int hidden = config.hidden, ffn = config.ffn;
  for (int layer = 0; layer < config.layers; ++layer) {
    const std::string at = fmt::format("encoder.layer.{}.", layer);
    const auto packed = [&](const char* name, int outputs, int inputs) {
      return linear(at + name, outputs, inputs, precision);
    };
    layers.push_back({.query = packed("attention.self.query", hidden, hidden),
                      .key = packed("attention.self.key", hidden, hidden),
                      .value = packed("attention.self.value", hidden, hidden),
                      .attended = packed("attention.output.dense", hidden, hidden),
                      .attended_norm = norm(at + "attention.output.LayerNorm"),
                      .inner = packed("intermediate.dense", ffn, hidden),
                      .outer = packed("output.dense", hidden, ffn),
                      .outer_norm = norm(at + "output.LayerNorm")});
  }
}

void BertModel::read_tensors(const fs::path& dir) {
  std::set<std::string, std::less<>> known = {"embeddings.position_ids", "pooler.dense.weight",
                                              "pooler.dense.bias"};
  for (const auto& [name, shape] : bert_tensors(config)) {
    const artifact::TensorView& view = files_.tensor(name);
    artifact::check_shape(name, view.shape, shape, dir);
    const auto values = artifact::floats_of(view, name, dir, converted_[name]);
    if (!all_finite(values)) {
      throw Error(fmt::format("tensor {} holds numbers that are not finite", name),
                  "fetch the model again", dir.string());
    }
    tensors_[name] = values.data();
    known.insert(name);
  }
  for (const auto& [name, view] : files_.tensors()) {
    if (known.contains(name)) continue;
    throw Error(fmt::format("tensor {} is not part of the configured encoder, which would compute "
                            "something else without it",
                            name),
                "use a BERT encoder without a further head or adapters, with its own config.json",
                dir.string());
  }
}

BertNorm BertModel::norm(const std::string& name) const {
  return {get(name + ".weight"), get(name + ".bias")};
}

BertLinear BertModel::linear(const std::string& name, int outputs, int inputs,
                             kernels::Precision precision) const {
  return {{get(name + ".weight"), size_t(outputs), size_t(inputs), precision}, get(name + ".bias")};
}

}  // namespace podium::text
