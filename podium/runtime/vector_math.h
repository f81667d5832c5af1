// Elementwise maths of the forward pass, written so that the compiler vectorises it for the
// instruction set at hand. exp is Cephes' expf polynomial, within 3 ulp on [-87, 88].
#pragma once

#include <cstddef>

namespace podium::runtime {

float max_of(const float* x, size_t n);                    // n > 0
float exp_and_sum(float* x, size_t n, float shift);        // x = exp(x - shift); their sum
double sum_of_exp(const float* x, size_t n, float shift);  // the same, x unchanged
void swiglu(float* gate, const float* up, size_t n);       // gate = silu(gate) * up

}  // namespace podium::runtime
