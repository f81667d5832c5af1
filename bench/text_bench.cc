// How fast a BERT model encodes: texts a second, by precision and length.
//
//   text_bench MODEL [--threads 1] [--texts 400]
//
// bench/text_bench.py measures ONNX Runtime on the same token counts.
#include <fmt/format.h>

#include "bench/measure.h"
#include "podium/base/rng.h"
#include "podium/text/bert.h"

namespace podium::bench {
namespace {

// Texts of exactly `tokens` tokens, [CLS] and [SEP] included: each word is one piece.
std::vector<std::string> make_texts(size_t count, size_t tokens) {
  constexpr const char* kWords[] = {"red",   "film",  "space", "shoe",
                                    "music", "house", "green", "dog"};
  Rng rng(1);
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (size_t i = 2; i < tokens; ++i) text += std::string(kWords[rng.below(8)]) + " ";
  }
  return texts;
}

int run(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "text_bench MODEL: give a model's directory, `podium models get minilm`\n");
    return 2;
  }
  const int threads = int(argument(argc, argv, "threads", 1));
  const auto count = size_t(argument(argc, argv, "texts", 400));
  for (const auto precision : {kernels::Precision::kFp32, kernels::Precision::kInt8}) {
    const text::BertEncoder encoder(argv[1], precision);
    for (const size_t tokens : {16, 128}) {
      const auto texts = make_texts(count, tokens);
      std::vector<float> vectors(count * encoder.dim());
      std::vector<double> times;
      for (int i = 0; i < 5; ++i) {
        times.push_back(seconds([&] { encoder.encode_all(texts, vectors, threads); }));
      }
      std::vector<double> single;
      for (size_t i = 0; i < std::min<size_t>(50, count); ++i) {
        single.push_back(
            seconds([&] { encoder.encode(texts[i], std::span(vectors).first(encoder.dim())); }));
      }
      fmt::print("{} {:>3} tokens: {:7.1f} texts/s together, {:6.2f} ms one alone\n",
                 kernels::precision_name(precision), tokens, double(count) / median(times),
                 1e3 * median(single));
    }
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::guarded(podium::bench::run, argc, argv); }
