// MinHash (Broder, 1997): how much of their words two texts have in common, from short signatures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace podium::policy {

inline constexpr size_t kMinHashes = 128;
using MinHash = std::array<uint32_t, kMinHashes>;

// Hashes of every run of so many words, distinct and ascending; of a shorter text, one of all its
// words. Words are letters and digits, in lower case; what is not ASCII counts as a letter.
std::vector<uint64_t> shingles(std::string_view text, int words);

// Of each of kMinHashes hash functions, the least over the shingles; none without shingles. The
// functions are a + h b of the two halves a, b of a shingle's hash (Kirsch and Mitzenmacher, 2006):
// any two of them are independent, which is what the estimate's error asks for.
std::optional<MinHash> min_hash(const std::vector<uint64_t>& shingles);

// Estimates |A and B| / |A or B|; its standard error is at most .045.
double estimated_jaccard(const MinHash& a, const MinHash& b);

// estimated_jaccard(a, b) >= threshold, mostly told from a part of the signatures.
bool alike(const MinHash& a, const MinHash& b, double threshold);

}  // namespace podium::policy
