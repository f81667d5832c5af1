// The packed matrix products on one thread, as shares of the machine's measured peak: prefill
// (many rows, int8 and int4 with the quantising of their inputs, and without; operations a second)
// and decoding (one row; weights out of memory; bytes a second).
//
//   kernels_bench [--rows 240] [--runs 31]
#include <fmt/format.h>

#include "bench/peak.h"
#include "podium/base/rng.h"
#include "podium/kernels/packed_matrix.h"
#include "podium/rerank/model_spec.h"

namespace podium::bench {
namespace {

using kernels::LinearInput;
using kernels::PackedMatrix;
using kernels::Precision;

struct Shape {
  size_t outputs, inputs;
  bool same_input;  // as the product before
};

std::vector<Shape> layer_shapes(const rerank::ModelSpec& spec) {
  const size_t hidden = spec.hidden, ffn = spec.ffn, dim = spec.head_dim;
  const size_t query = spec.heads * dim, key = spec.kv_heads * dim;
  return {{query, hidden, false}, {key, hidden, true}, {key, hidden, true}, {hidden, query, false},
          {ffn, hidden, false},   {ffn, hidden, true}, {hidden, ffn, false}};
}

std::vector<float> values(size_t n) {
  Rng rng(n);
  std::vector<float> v(n);
  for (float& x : v) x = float(rng.uniform() - 0.5);
  return v;
}

// Seconds of one layer's products over `rows` rows, with OpenBLAS or packed. gemm_alone: inputs
// were quantised before.
double prefill_seconds(const std::vector<Shape>& shapes, size_t rows, const Precision* precision,
                       const kernels::KernelTable& table, long runs, bool gemm_alone = false) {
  std::vector<std::vector<float>> weights, inputs;
  std::vector<PackedMatrix> packed;
  std::vector<LinearInput> quantised(shapes.size());
  std::vector<float> y;
  for (const Shape& s : shapes) {
    weights.push_back(values(s.outputs * s.inputs));
    inputs.push_back(values(rows * s.inputs));
    y.resize(std::max(y.size(), rows * s.outputs));
    if (precision) packed.emplace_back(weights.back().data(), s.outputs, s.inputs, *precision);
  }
  for (size_t i = 0; gemm_alone && i < shapes.size(); ++i) {
    quantised[i].assign(inputs[i].data(), rows, shapes[i].inputs);
    packed[i].apply(quantised[i], y.data(), false, table);
  }
  LinearInput input;
  std::vector<double> times;
  for (long run = 0; run < runs; ++run) {
    times.push_back(seconds([&] {
      for (size_t i = 0; i < shapes.size(); ++i) {
        if (!precision) {
          kernels::matmul_nt(inputs[i].data(), weights[i].data(), y.data(), rows, shapes[i].outputs,
                             shapes[i].inputs);
          continue;
        }
        if (!shapes[i].same_input) input.assign(inputs[i].data(), rows, shapes[i].inputs);
        packed[i].apply(gemm_alone ? quantised[i] : input, y.data(), false, table);
      }
    }));
  }
  return median(times);
}

void prefill(const char* size, size_t rows, long runs, double fp32, double int8) {
  const auto shapes = layer_shapes(rerank::model_spec(size, 3000));
  double operations = 0;
  for (const Shape& s : shapes) operations += 2.0 * double(rows * s.outputs * s.inputs);
  const auto report = [&](std::string_view isa, std::string_view name, double time, double peak) {
    fmt::print("  {:<6} {:<7} {:<15} {:8.1f} G operations/s", size, isa, name,
               operations / time / 1e9);
    if (peak > 0) fmt::print("  {:3.0f} % of peak", 100 * operations / time / peak);
    fmt::print("\n");
  };
  report("", "OpenBLAS", prefill_seconds(shapes, rows, nullptr, kernels::kScalarKernels, runs),
         fp32);
  for (const kernels::Isa isa : kernels::supported_isas()) {
    const bool best = isa == kernels::supported_isas().back();
    for (const Precision p :
         {Precision::kFp32, Precision::kBf16, Precision::kInt8, Precision::kInt4}) {
      const double time = prefill_seconds(shapes, rows, &p, kernels::kernel_table(isa),
                                          isa == kernels::Isa::kScalar ? 1 : runs);
      report(kernels::isa_name(isa), kernels::precision_name(p), time,
             !best                   ? 0
             : p >= Precision::kInt8 ? int8
                                     : fp32);
      if (best && p >= Precision::kInt8) {
        report(kernels::isa_name(isa), fmt::format("{}, GEMM only", kernels::precision_name(p)),
               prefill_seconds(shapes, rows, &p, kernels::kernel_table(isa), runs, true), int8);
      }
    }
  }
}

// One row through matrices of 256 MiB in all, so that every weight comes from memory.
void decode(Precision precision, long runs, double read) {
  constexpr size_t kSide = 1024, kBytes = size_t{256} << 20;
  const auto weight = values(kSide * kSide), x = values(kSide);
  std::vector<PackedMatrix> packed;
  size_t bytes = 0;
  while (bytes < kBytes) {
    packed.emplace_back(weight.data(), kSide, kSide, precision);
    bytes += packed.back().bytes();
  }
  std::vector<float> y(kSide);
  std::vector<double> times;
  for (long run = 0; run < runs; ++run) {
    times.push_back(seconds([&] {
      LinearInput input;
      for (const PackedMatrix& matrix : packed) {
        input.assign(x.data(), 1, kSide);
        matrix.apply(input, y.data());
      }
    }));
  }
  const double rate = double(bytes) / median(times);
  fmt::print("  {:<9} {:6.2f} GB/s  {:3.0f} % of memory's\n", kernels::precision_name(precision),
             rate / 1e9, 100 * rate / read);
}

int run(int argc, char** argv) {
  const auto rows = size_t(argument(argc, argv, "rows", 240));
  const long runs = argument(argc, argv, "runs", 31);
  const double fp32 = peak_fp32(), int8 = peak_int8(), read = peak_read();
  fmt::print("one thread's peak: {:.0f} GFLOP/s fp32, {:.0f} G operations/s int8, {:.1f} GB/s\n",
             fp32 / 1e9, int8 / 1e9, read / 1e9);
  fmt::print("prefill, {} rows through one layer's products\n", rows);
  for (const char* size : {"small", "base"}) prefill(size, rows, runs, fp32, int8);
  fmt::print("decoding, one row, weights out of memory\n");
  for (const Precision p :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8, Precision::kInt4}) {
    decode(p, runs, read);
  }
  return 0;
}

}  // namespace
}  // namespace podium::bench

int main(int argc, char** argv) { return podium::bench::run(argc, argv); }
