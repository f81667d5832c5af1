// Against tokenizers 0.23 and Transformers 4.30 on PyTorch, with the very files of
// all-MiniLM-L6-v2.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "podium/base/scratch.h"
#include "podium/base/test_data.h"
#include "podium/kernels/kernels.h"
#include "podium/text/bert.h"

namespace podium::text {
namespace {

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct Tokens {
  std::string text;
  std::vector<int32_t> ids;
};

// The ids of tokenizers, but for the spellings of special tokens, which are data here.
const std::vector<Tokens> kExpectedTokens = {
    {"red nail polish", {101, 2417, 13774, 3907, 102}},
    {"The quick brown fox jumps over the lazy dog.",
     {101, 1996, 4248, 2829, 4419, 14523, 2058, 1996, 13971, 3899, 1012, 102}},
    {"Cr\xc3\xa8me br\xc3\xbbl\xc3\xa9"
     "e \xc3\xa0 la carte \xe2\x80\x93 na\xc3\xafve fa\xc3\xa7"
     "ade",
     {101, 13675, 21382, 7987, 9307, 2063, 1037, 2474, 11122, 2063, 1516, 15743, 8508, 102}},
    {"Star Wars: Episode IV - A New Hope (1977)",
     {101, 2732, 5233, 1024, 2792, 4921, 1011, 1037, 2047, 3246, 1006, 3355, 1007, 102}},
    {"Toy Story (1995) Animation Children's Comedy",
     {101, 9121, 2466, 1006, 2786, 1007, 7284, 2336, 1005, 1055, 4038, 102}},
    {"\xe6\x9c\xba\xe5\x99\xa8\xe5\xad\xa6\xe4\xb9\xa0 is machine learning",
     {101, 100, 100, 1817, 100, 2003, 3698, 4083, 102}},
    {"\xe4\xb8\x9c\xe4\xba\xac\xe3\x82\xbf\xe3\x83\xaf\xe3\x83\xbc 2024",
     {101, 100, 1755, 1709, 30262, 30265, 16798, 2549, 102}},
    {"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd great product!!! 10/10 would buy again \xf0\x9f\x98\x80",
     {101, 100, 2307, 4031, 999, 999, 999, 2184, 1013, 2184, 2052, 4965, 2153, 100, 102}},
    {"a", {101, 1037, 102}},
    {"!!!", {101, 999, 999, 999, 102}},
    {"Wireless Bluetooth Headphones, Over-Ear, Noise Cancelling, 40h Battery Life",
     {101,  9949, 2630,  19392, 2132, 19093, 1010, 2058, 1011, 4540,
      1010, 5005, 17542, 2989,  1010, 2871,  2232, 6046, 2166, 102}},
    {"UPPER lower MiXeD CaSe \xc4\xb0stanbul \xc5\x9e"
     "EH\xc4\xb0R",
     {101, 3356, 2896, 3816, 2553, 9960, 7367, 11961, 102}},
    {std::string("control\x00"
                 "characters\x07 and\xe2\x80\x8bzero-width\x09tabs\x0anewlines",
                 50),
     {101, 2491, 7507, 22648, 7747, 1998, 6290, 2080, 1011, 9381, 21628, 2015, 2047, 12735, 102}},
    {"supercalifragilisticexpialidocious antidisestablishmentarianism",
     {101,  3565, 9289,  10128, 29181, 24411, 4588, 10288, 19312, 21273, 10085,
      6313, 3424, 10521, 4355,  7875,  13602, 3672, 12199, 2964,  102}},
    {repeated("x", 120) + " after a long word", {101, 100, 2044, 1037, 2146, 2773, 102}},
    {"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 \xed\x85\x8d\xec\x8a\xa4\xed\x8a\xb8 "
     "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80 "
     "\xd8\xa7\xd9\x84\xd8\xb9\xd8\xb1\xd8\xa8\xd9\x8a\xd8\xa9 "
     "\xd7\xa2\xd7\x91\xd7\xa8\xd7\x99\xd7\xaa \xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2",
     {101,   1469,  30006, 30021, 29991, 30014, 30020, 29999, 30008, 1467, 30009, 30020,
      29997, 30017, 30003, 30017, 1339,  29877, 29863, 29861, 29878, 1270, 23673, 29830,
      17149, 29816, 14498, 19433, 1259,  29789, 29811, 29796, 29813, 100,  102}},
    {"price: $19.99 \xe2\x82\xac"
     "15,50 \xc2\xa3"
     "12 \xc2\xa5"
     "1500 50% off",
     {101,  3976,  1024, 1002, 2539,  1012, 5585, 1574, 16068, 1010,
      2753, 14534, 2475, 1071, 16068, 8889, 2753, 1003, 2125,  102}},
    {"don't can't won't it's O'Reilly rock'n'roll",
     {101,  2123, 1005, 1056, 2064,  1005, 1056, 2180, 1005, 1056, 2009,
      1005, 1055, 1051, 1005, 13875, 2600, 1005, 1050, 1005, 4897, 102}},
    {"", {101, 102}},
    {"   ", {101, 102}},
    {"\xc3\x85ngstr\xc3\xb6m e\xcc\x81 \xef\xac\x81 \xc7\x84",
     {101, 17076, 15687, 1041, 1984, 100, 102}},
    {"\xe2\x80\x94"
     "dash\xe2\x80\x93"
     "dash\xe2\x80\xa6"
     "ellipsis \xc2\xabquoted\xc2\xbb \xe2\x80\x9c"
     "curly\xe2\x80\x9d",
     {101, 1517, 11454, 1516, 11454, 1529, 3449, 15000, 6190, 1077, 9339, 1090, 1523, 17546, 1524,
      102}},
    {"\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\xa3 \xef\xbc\x91\xef\xbc\x92 fullwidth",
     {101, 100, 100, 2440, 9148, 11927, 2232, 102}},
    {"y\xcc\x88\xcc\xa3 \xe1\xb9\xa9", {101, 1061, 1055, 102}},
    {"tab\x09new\x0aline\x0dret\x0bvt\x0c"
     "ff\xc2\x85nel\xe2\x80\xa8ls\xe3\x80\x80ideo",
     {101, 21628, 2047, 2240, 2128, 9189, 24475, 2546, 11877, 1048, 2015, 8909, 8780, 102}},
    {"soft\xc2\xadhyphen \xef\xbb\xbf"
     "bom \xee\x80\x80private \xef\xbf\xbdrepl",
     {101, 3730, 10536, 8458, 2368, 8945, 2213, 2797, 16360, 2140, 102}},
    {"\xf0\xa0\x80\x80\xf0\xab\xa0\xa0\xf0\xaf\xa0\x80", {101, 100, 100, 100, 102}},
    {repeated("x", 100),
     {101,   22038, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348,
      20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348,
      20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348,
      20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 20348, 102}},
    {repeated("x", 100) + "x", {101, 100, 102}},
    {repeated("\xc3\xa9", 100),
     {101,  25212, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402,
      4402, 4402,  4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402,
      4402, 4402,  4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402,
      4402, 4402,  4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 4402, 102}},
    {"e-mail@example.com http://a.b/c?d=e&f#g",
     {101,  1041, 1011, 5653, 1030, 2742, 1012, 4012, 8299, 1024, 1013, 1013, 1037,
      1012, 1038, 1013, 1039, 1029, 1040, 1027, 1041, 1004, 1042, 1001, 1043, 102}},
};

struct Vector {
  std::string text;
  std::array<float, 6> at;  // components 0, 77, 154, 231, 308 and 383
};

const std::vector<Vector> kExpectedVectors = {
    {"red nail polish", {-0.141691F, -0.017232F, -0.034251F, 0.035253F, 0.024586F, 0.030364F}},
    {"The quick brown fox jumps over the lazy dog.",
     {0.043934F, -0.050961F, -0.069609F, 0.032087F, -0.066282F, 0.102064F}},
    {"Cr\xc3\xa8me br\xc3\xbbl\xc3\xa9"
     "e \xc3\xa0 la carte \xe2\x80\x93 na\xc3\xafve fa\xc3\xa7"
     "ade",
     {0.052377F, -0.094468F, 0.117702F, -0.031437F, 0.062626F, -0.060375F}},
    {"Star Wars: Episode IV - A New Hope (1977)",
     {-0.076129F, 0.014632F, 0.045654F, 0.072213F, 0.064269F, -0.005860F}},
    {"Toy Story (1995) Animation Children's Comedy",
     {-0.072329F, 0.030257F, 0.030859F, 0.055944F, -0.073383F, 0.075768F}},
    {"\xe6\x9c\xba\xe5\x99\xa8\xe5\xad\xa6\xe4\xb9\xa0 is machine learning",
     {-0.007508F, 0.029012F, 0.014594F, 0.022682F, 0.013008F, -0.072172F}},
    {"\xe4\xb8\x9c\xe4\xba\xac\xe3\x82\xbf\xe3\x83\xaf\xe3\x83\xbc 2024",
     {-0.046892F, 0.024471F, -0.008394F, 0.156542F, -0.018494F, -0.019285F}},
    {"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd great product!!! 10/10 would buy again \xf0\x9f\x98\x80",
     {-0.125376F, -0.081199F, -0.000204F, 0.104487F, 0.059001F, 0.015823F}},
    {"a", {-0.036433F, -0.014438F, -0.002405F, -0.017578F, -0.024125F, 0.094287F}},
    {"!!!", {-0.103553F, -0.051102F, 0.080347F, 0.046620F, 0.046585F, -0.019847F}},
    {"Wireless Bluetooth Headphones, Over-Ear, Noise Cancelling, 40h Battery Life",
     {-0.031526F, -0.026827F, -0.018747F, 0.060339F, -0.034415F, 0.070768F}},
    {"UPPER lower MiXeD CaSe \xc4\xb0stanbul \xc5\x9e"
     "EH\xc4\xb0R",
     {0.042759F, -0.041116F, 0.074121F, 0.112482F, 0.044610F, 0.058540F}},
    {std::string("control\x00"
                 "characters\x07 and\xe2\x80\x8bzero-width\x09tabs\x0anewlines",
                 50),
     {-0.042636F, 0.103147F, -0.041500F, 0.085869F, -0.017049F, 0.010909F}},
    {"supercalifragilisticexpialidocious antidisestablishmentarianism",
     {0.039867F, -0.083287F, -0.015375F, 0.084387F, -0.005316F, 0.020509F}},
    {repeated("x", 120) + " after a long word",
     {-0.014021F, -0.041696F, 0.058313F, 0.161986F, -0.008647F, 0.016520F}},
    {"\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 \xed\x85\x8d\xec\x8a\xa4\xed\x8a\xb8 "
     "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80 "
     "\xd8\xa7\xd9\x84\xd8\xb9\xd8\xb1\xd8\xa8\xd9\x8a\xd8\xa9 "
     "\xd7\xa2\xd7\x91\xd7\xa8\xd7\x99\xd7\xaa \xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2",
     {-0.013210F, 0.006677F, 0.090748F, 0.097187F, -0.047290F, -0.020416F}},
    {"price: $19.99 \xe2\x82\xac"
     "15,50 \xc2\xa3"
     "12 \xc2\xa5"
     "1500 50% off",
     {0.000515F, -0.118568F, -0.016635F, 0.118859F, -0.002479F, 0.029148F}},
    {"don't can't won't it's O'Reilly rock'n'roll",
     {-0.067977F, -0.045204F, 0.010663F, 0.130778F, 0.008717F, -0.047610F}},
    {repeated("The history of film music. ", 60),
     {-0.012000F, 0.016775F, 0.024526F, -0.079547F, 0.009564F, 0.079084F}},
};

TEST(WordPieceOnMiniLm, HasTheIdsOfTokenizers) {
  const WordPiece words(read_wordpiece(minilm()), "");
  for (const Tokens& expected : kExpectedTokens) {
    EXPECT_EQ(words.encode(expected.text, 4096), expected.ids) << expected.text;
  }
}

TEST(WordPieceOnMiniLm, BothFilesTokeniseAlike) {
  WordPieceFile json = read_wordpiece(minilm());
  const fs::path dir = scratch_dir("vocabulary");
  fs::copy_file(minilm() / "vocab.txt", dir / "vocab.txt");
  EXPECT_EQ(read_wordpiece(dir).vocabulary, json.vocabulary);
}

TEST(WordPieceOnMiniLm, SpellingsOfSpecialTokensAreData) {
  const WordPiece words(read_wordpiece(minilm()), "");
  const auto ids = words.encode("[SEP] [CLS] [MASK] [PAD] [UNK]", 4096);
  for (size_t i = 1; i + 1 < ids.size(); ++i) EXPECT_GT(ids[i], 103);
}

TEST(BertOnMiniLm, HasTheVectorsOfTransformers) {
  const BertEncoder exact(minilm(), kernels::Precision::kFp32), fast(minilm());
  std::vector<float> vector(exact.dim()), other(exact.dim());
  for (const Vector& expected : kExpectedVectors) {
    exact.encode(expected.text, vector);
    for (size_t i = 0; i < expected.at.size(); ++i) {
      EXPECT_NEAR(vector[std::min<size_t>(77 * i, 383)], expected.at[i], 1e-5) << expected.text;
    }
    fast.encode(expected.text, other);
    EXPECT_GT(kernels::dot(vector.data(), other.data(), vector.size()), 0.98F) << expected.text;
  }
}

TEST(BertOnMiniLm, LikeTextsLieClose) {
  const BertEncoder encoder(minilm());
  const std::vector<std::string> texts = {"a film about space travel", "astronauts fly to the moon",
                                          "how to bake a chocolate cake"};
  std::vector<float> vectors(texts.size() * encoder.dim());
  encoder.encode_all(texts, vectors, 2);
  const auto cosine = [&](size_t a, size_t b) {
    return kernels::dot(&vectors[a * encoder.dim()], &vectors[b * encoder.dim()], encoder.dim());
  };
  EXPECT_GT(cosine(0, 1), cosine(0, 2) + 0.2F);
}

}  // namespace
}  // namespace podium::text
