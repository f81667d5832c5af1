#include "podium/rerank/slate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "podium/artifact/safetensors.h"
#include "podium/base/error.h"
#include "podium/base/finite.h"
#include "podium/base/json.h"

namespace podium::rerank {
namespace {

const std::string kVersion = std::to_string(kSlateForm);

// All slates as columns; *_begin[i] .. *_begin[i + 1] are slate i's rows.
struct Columns {
  std::vector<uint8_t> id_bytes, evidence, gain;
  std::vector<int64_t> id_begin{0}, history_begin{0}, candidate_begin{0};
  std::vector<uint32_t> history, item;
  std::vector<float> score, ranker, numbers, weight;

  void add(const Slate& slate) {
    id_bytes.insert(id_bytes.end(), slate.id.begin(), slate.id.end());
    history.insert(history.end(), slate.history.begin(), slate.history.end());
    for (const SlateCandidate& candidate : slate.candidates) {
      item.push_back(candidate.item);
      score.push_back(candidate.upstream_score);
      ranker.push_back(candidate.ranker_score);
      evidence.insert(evidence.end(), candidate.evidence.begin(), candidate.evidence.end());
      gain.push_back(candidate.gain);
      numbers.insert(numbers.end(), candidate.numbers.begin(), candidate.numbers.end());
    }
    weight.push_back(slate.weight);
    id_begin.push_back(int64_t(id_bytes.size()));
    history_begin.push_back(int64_t(history.size()));
    candidate_begin.push_back(int64_t(item.size()));
  }
};

template <class T>
void feed(std::string& bytes, std::span<const T> column) {
  bytes.append(reinterpret_cast<const char*>(column.data()), column.size_bytes());
}

// sha256 over the columns in a fixed order: files that carry it detect any flipped bit.
template <class C>
std::string checksum(const C& c) {
  std::string bytes;
  feed<uint8_t>(bytes, c.id_bytes);
  feed<int64_t>(bytes, c.id_begin);
  feed<uint32_t>(bytes, c.history);
  feed<int64_t>(bytes, c.history_begin);
  feed<uint32_t>(bytes, c.item);
  feed<float>(bytes, c.score);
  feed<float>(bytes, c.ranker);
  feed<uint8_t>(bytes, c.evidence);
  feed<uint8_t>(bytes, c.gain);
  feed<float>(bytes, c.numbers);
  feed<float>(bytes, c.weight);
  feed<int64_t>(bytes, c.candidate_begin);
  return sha256(bytes);
}

struct ColumnViews {
  std::span<const uint8_t> id_bytes, evidence, gain;
  std::span<const int64_t> id_begin, history_begin, candidate_begin;
  std::span<const uint32_t> history, item;
  std::span<const float> score, ranker, numbers, weight;

  explicit ColumnViews(const artifact::SafetensorsFile& file)
      : id_bytes(file.get<uint8_t>("id_bytes")),
        evidence(file.get<uint8_t>("evidence")),
        gain(file.get<uint8_t>("gain")),
        id_begin(file.get<int64_t>("id_begin")),
        history_begin(file.get<int64_t>("history_begin")),
        candidate_begin(file.get<int64_t>("candidate_begin")),
        history(file.get<uint32_t>("history")),
        item(file.get<uint32_t>("item")),
        score(file.get<float>("score")),
        ranker(file.get<float>("ranker")),
        numbers(file.get<float>("numbers")),
        weight(file.get<float>("weight")) {}

  size_t width() const { return item.empty() ? 0 : numbers.size() / item.size(); }
};

[[noreturn]] void damaged(std::string message, const fs::path& path) {
  throw Error(std::move(message), "build the slates again", path.string());
}

bool is_offsets(std::span<const int64_t> begin, size_t slates, size_t rows) {
  return begin.size() == slates + 1 && begin.front() == 0 && begin.back() == int64_t(rows) &&
         std::is_sorted(begin.begin(), begin.end());
}

void check_version(const artifact::SafetensorsFile& file, const fs::path& path) {
  const auto& metadata = file.metadata();
  const auto version = metadata.find("podium_slates");
  if (version == metadata.end()) damaged("not a file of slates", path);
  if (version->second != kVersion) {
    throw Error(
        fmt::format("slates of version {}, this program reads {}", version->second, kVersion),
        "use the podium that wrote them, or build the slates again", path.string());
  }
}

void check_columns(const artifact::SafetensorsFile& file, const ColumnViews& c,
                   const fs::path& path) {
  const auto& metadata = file.metadata();
  const size_t slates = c.id_begin.empty() ? 0 : c.id_begin.size() - 1;
  if (!is_offsets(c.id_begin, slates, c.id_bytes.size()) ||
      !is_offsets(c.history_begin, slates, c.history.size()) ||
      !is_offsets(c.candidate_begin, slates, c.item.size()) || c.score.size() != c.item.size() ||
      c.ranker.size() != c.item.size() || c.gain.size() != c.item.size() ||
      c.evidence.size() != c.item.size() * kEvidenceKinds ||
      c.numbers.size() != c.item.size() * c.width() || c.weight.size() != slates) {
    damaged("columns of different lengths", path);
  }
  const auto sum = metadata.find("sha256");
  if (sum == metadata.end() || sum->second != checksum(c)) damaged("wrong checksum", path);
}

Slate slate_at(const ColumnViews& c, size_t i, const fs::path& path) {
  Slate slate;
  slate.weight = c.weight[i];
  slate.id.assign(reinterpret_cast<const char*>(c.id_bytes.data()) + c.id_begin[i],
                  c.id_begin[i + 1] - c.id_begin[i]);
  slate.history.assign(c.history.begin() + c.history_begin[i],
                       c.history.begin() + c.history_begin[i + 1]);
  for (int64_t row = c.candidate_begin[i]; row < c.candidate_begin[i + 1]; ++row) {
    SlateCandidate candidate{.item = c.item[row], .upstream_score = c.score[row]};
    std::copy_n(c.evidence.begin() + row * kEvidenceKinds, size_t(kEvidenceKinds),
                candidate.evidence.begin());
    candidate.ranker_score = c.ranker[row];
    candidate.gain = c.gain[row];
    const auto numbers = c.numbers.subspan(size_t(row) * c.width(), c.width());
    candidate.numbers.assign(numbers.begin(), numbers.end());
    slate.candidates.push_back(std::move(candidate));
  }
  const auto flaw = slate_flaw(slate);
  if (!flaw.empty()) damaged(fmt::format("slate {}: {}", slate.id, flaw), path);
  return slate;
}

Json readable(const data::Dataset& dataset, const Slate& slate) {
  const auto item_json = [&](ItemIndex item) {
    Json value = {{"item", dataset.item_id(item)}};
    if (!dataset.title(item).empty()) value["title"] = dataset.title(item);
    return value;
  };
  Json history = Json::array(), candidates = Json::array();
  for (ItemIndex item : slate.history) history.push_back(item_json(item));
  for (const SlateCandidate& candidate : slate.candidates) {
    Json value = item_json(candidate.item);
    value["score"] = candidate.upstream_score;
    Json evidence = Json::object();
    for (int kind = 0; kind < kEvidenceKinds; ++kind) {
      if (candidate.evidence[kind] == 0) continue;
      evidence[std::string(evidence_name(EvidenceKind(kind)))] = candidate.evidence[kind];
    }
    value["evidence"] = std::move(evidence);
    value["label"] = candidate.gain;
    candidates.push_back(std::move(value));
  }
  return {{"id", slate.id}, {"history", history}, {"candidates", candidates}};
}

}  // namespace

std::string_view evidence_name(EvidenceKind kind) {
  constexpr std::array<std::string_view, kEvidenceKinds> kNames = {
      "together", "history", "similar", "sequence", "popular", "category", "brand", "price"};
  return kNames.at(kind);
}

size_t Slate::numbers() const { return candidates.empty() ? 0 : candidates.front().numbers.size(); }

int Slate::positives() const {
  return int(std::count_if(candidates.begin(), candidates.end(),
                           [](const SlateCandidate& candidate) { return candidate.gain > 0; }));
}

bool Slate::can_be_ranked() const {
  return positives() > 0 && positives() < int(candidates.size());
}

std::string slate_flaw(const Slate& slate) {
  const size_t k = slate.candidates.size();
  if (k < kMinCandidates || k > kMaxCandidates) {
    return fmt::format("{} candidates, must be {} .. {}", k, kMinCandidates, kMaxCandidates);
  }
  std::vector<ItemIndex> items;
  for (const SlateCandidate& candidate : slate.candidates) {
    items.push_back(candidate.item);
    if (!std::isfinite(candidate.upstream_score) || !std::isfinite(candidate.ranker_score))
      return "a score that is no number";
    if (*std::max_element(candidate.evidence.begin(), candidate.evidence.end()) > 3) {
      return "an evidence level above 3";
    }
    if (candidate.numbers.size() != slate.candidates.front().numbers.size()) {
      return "candidates with more and with fewer numbers";
    }
    if (!all_finite(std::span<const float>(candidate.numbers))) return "a number that is none";
  }
  if (!(slate.weight > 0) || !std::isfinite(slate.weight)) return "a weight that is not above 0";
  std::sort(items.begin(), items.end());
  if (std::adjacent_find(items.begin(), items.end()) != items.end()) {
    return "a candidate appears twice";
  }
  return "";
}

std::vector<uint8_t> gains_of(const Slate& slate) {
  std::vector<uint8_t> gains;
  for (const SlateCandidate& candidate : slate.candidates) gains.push_back(candidate.gain);
  return gains;
}

void write_slates(const fs::path& dir, const data::Dataset& dataset,
                  const std::vector<Slate>& slates) {
  Columns c;
  std::string lines;
  for (const Slate& slate : slates) {
    PODIUM_CHECK(slate_flaw(slate).empty() && slate.numbers() == slates.front().numbers());
    c.add(slate);
    lines += readable(dataset, slate).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  artifact::SafetensorsWriter writer;
  writer.add<uint8_t>("id_bytes", c.id_bytes);
  writer.add<int64_t>("id_begin", c.id_begin);
  writer.add<uint32_t>("history", c.history);
  writer.add<int64_t>("history_begin", c.history_begin);
  writer.add<uint32_t>("item", c.item);
  writer.add<float>("score", c.score);
  writer.add<float>("ranker", c.ranker);
  writer.add<uint8_t>("evidence", c.evidence, {int64_t(c.item.size()), kEvidenceKinds});
  writer.add<uint8_t>("gain", c.gain);
  writer.add<float>("numbers", c.numbers);
  writer.add<float>("weight", c.weight);
  writer.add<int64_t>("candidate_begin", c.candidate_begin);
  writer.set_metadata("podium_slates", kVersion);
  writer.set_metadata("sha256", checksum(c));
  write_file_atomic(dir / "slates.jsonl", lines);
  writer.write(dir / "slates.safetensors");
}

std::vector<Slate> read_slates(const fs::path& dir) {
  const fs::path path = dir / "slates.safetensors";
  const artifact::SafetensorsFile file(path);
  check_version(file, path);
  const ColumnViews columns(file);
  check_columns(file, columns, path);
  std::vector<Slate> slates;
  slates.reserve(columns.id_begin.size() - 1);
  for (size_t i = 0; i + 1 < columns.id_begin.size(); ++i) {
    slates.push_back(slate_at(columns, i, path));
  }
  return slates;
}

}  // namespace podium::rerank
