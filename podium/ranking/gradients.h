// What the ranker's trees are fitted to, a function of the scores of one group's candidates.
//
// "softmax": the chance of the positives among all candidates (Cao et al. 2007, "Learning to Rank:
// From Pairwise Approach to Listwise Approach"), y_i = 1 / positives where i is one:
//     p_i = exp(s_i) / sum_j exp(s_j),   g_i = p_i - y_i,   h_i = 2 p_i (1 - p_i)
//
// "lambda": LambdaMART (Burges 2010, "From RankNet to LambdaRank to LambdaMART"), for every pair of
// a positive i and a negative j, sorted by score:
//     p = 1 / (1 + exp(s_i - s_j)),   w = |1/log2(r_i + 2) - 1/log2(r_j + 2)| / ideal DCG
//     g_i -= p w,   g_j += p w,   h_i, h_j += 2 p (1 - p) w
//
// both times the group's weight.
//
// XGBoost's own objectives draw pairs with one random stream a thread, so its models depend on the
// number of threads; these, on a fixed grid, do not.
#pragma once

#include <vector>

#include "podium/ranking/ranking_data.h"

namespace podium::ranking {

struct Gradients {
  std::vector<float> first, second;  // [candidates]
};

// scores [candidates]; labels above 0 are positives of gain 1. The values are multiples of 2^-24,
// so that sums of them in double are exact whatever their order.
Gradients softmax_gradients(const RankingData& data, const float* scores, int threads);
Gradients lambda_gradients(const RankingData& data, const float* scores, int threads);

}  // namespace podium::ranking
