#include "podium/train/sequence_model.h"

#include "podium/base/error.h"
#include "podium/train/checkpoint.h"

namespace podium::train {

using torch::Tensor;

void SequenceModelImpl::add_text(std::span<const float> vectors, int64_t width) {
  const int64_t items = item_embedding.size(0);
  PODIUM_CHECK(int64_t(vectors.size()) == items * width && !text.defined());
  text = torch::empty({items, width});
  std::copy(vectors.begin(), vectors.end(), text.data_ptr<float>());
  text_projection =
      register_parameter("text_projection", torch::randn({options.dim, width}).mul_(0.02));
}

Tensor SequenceModelImpl::embed(const Tensor& items) const {
  const Tensor learnt = torch::embedding(item_embedding, items);
  if (!text.defined()) return learnt;
  const Tensor told = text.index_select(0, items).matmul(text_projection.t());
  if (!is_training() || options.id_dropout == 0) return learnt + told;
  const Tensor kept = torch::rand({items.size(0), 1}).ge(options.id_dropout);
  return learnt * kept + told;
}

Tensor SequenceModelImpl::all_items() const {
  if (!text.defined()) return item_embedding;
  return item_embedding + text.matmul(text_projection.t());
}

void save_model(const fs::path& file, const SequenceModelImpl& model,
                const std::map<std::string, std::string>& metadata) {
  save_weights(file, model, metadata, {{"item_embedding", model.all_items().detach()}});
}

void load_model(const fs::path& file, SequenceModelImpl& model) {
  load_weights(file, model);
  if (!model.text.defined()) return;
  const torch::NoGradGuard no_grad;
  model.item_embedding.sub_(model.text.matmul(model.text_projection.t()));
}

}  // namespace podium::train
