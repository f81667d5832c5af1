#include "podium/text/text_encoder.h"

#include "podium/base/parallel.h"
#include "podium/base/progress.h"

namespace podium::text {

void TextEncoder::encode_all(std::span<const std::string> texts, std::span<float> vectors,
                             int threads) const {
  parallel_for(threads, texts.size(), 256, [&](size_t begin, size_t end) {
    stop_if_interrupted();
    for (size_t i = begin; i < end; ++i) encode(texts[i], vectors.subspan(i * dim(), dim()));
  });
}

void copy_text_encoder(const fs::path& from, const fs::path& to) {
  const std::string_view name =
      fs::exists(from / kTextEncoderFolder) ? kTextEncoderFolder : kTextEncoderFile;
  fs::copy(from / name, to / name, fs::copy_options::recursive);
}

}  // namespace podium::text
