#include "podium/rerank/traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/base/progress.h"
#include "podium/rerank/grammar.h"
#include "podium/rerank/reward.h"

namespace podium::rerank {
namespace {

constexpr const char* kFile = "traces.jsonl";
constexpr size_t kChunk = 32;

Trace draw(const PromptContext& context, const Slate& slate, const Teacher& teacher,
           const TeacherOptions& options, int number, Rng rng) {
  Trace trace{.slate = slate.id, .draw = number, .shown = {}, .teacher = {}};
  trace.shown.resize(slate.candidates.size());
  std::iota(trace.shown.begin(), trace.shown.end(), 0);
  if (rng.uniform() < options.shuffle_share) rng.shuffle(std::span(trace.shown));
  const Slate shown = as_shown(slate, trace.shown);
  while (!trace.accepted && trace.tries < options.tries) {
    ++trace.tries;
    trace.teacher = teacher.sample(context, shown, rng);
    trace.accepted = shown.candidates[size_t(trace.teacher.order.front())].gain > 0;
  }
  return trace;
}

Json to_json(const text::Tokenizer& tokenizer, const Trace& trace) {
  return {{"slate", trace.slate},
          {"draw", trace.draw},
          {"accepted", trace.accepted},
          {"tries", trace.tries},
          {"shown", trace.shown},
          {"order", trace.teacher.order},
          {"trace", tokenizer.decode(trace.teacher.trace)},
          {"tokens", trace.teacher.trace}};
}

Trace from_json(const Json& json) {
  return {.slate = json.at("slate").get<std::string>(),
          .draw = json.at("draw").get<int>(),
          .accepted = json.at("accepted").get<bool>(),
          .tries = json.at("tries").get<int>(),
          .shown = json.at("shown").get<std::vector<int>>(),
          .teacher = {json.at("tokens").get<std::vector<TokenId>>(),
                      json.at("order").get<std::vector<int>>()}};
}

std::string flaw_of(const PromptContext& context, const Trace& trace) {
  const size_t k = trace.shown.size();
  if (k < kMinCandidates || k > kMaxCandidates || !is_permutation_of(trace.shown, k)) {
    return "\"shown\" is no permutation";
  }
  if (!is_permutation_of(trace.teacher.order, k)) return "\"order\" is no permutation";
  if (trace.draw < 0 || trace.tries < 1) return "\"draw\" or \"tries\" is out of range";
  for (const TokenId token : trace.teacher.trace) {
    const bool known = token >= 0 && token < context.tokenizer.vocab();
    if (!known || !allowed_in_trace(context.tokenizer, context.vocabulary, token)) {
      return fmt::format("token {} may not stand in a trace of this vocabulary", token);
    }
  }
  return "";
}

}  // namespace

bool Trace::operator==(const Trace& other) const {
  return slate == other.slate && draw == other.draw && accepted == other.accepted &&
         tries == other.tries && shown == other.shown && teacher.trace == other.teacher.trace &&
         teacher.order == other.teacher.order;
}

Slate as_shown(const Slate& slate, std::span<const int> shown) {
  PODIUM_CHECK(shown.size() == slate.candidates.size());
  Slate copy = slate;
  for (size_t i = 0; i < shown.size(); ++i) {
    copy.candidates[i] = slate.candidates[size_t(shown[i])];
  }
  return copy;
}

std::vector<Trace> draw_traces(const PromptContext& context, const std::vector<Slate>& slates,
                               const Teacher& teacher, const TeacherOptions& options, uint64_t seed,
                               int threads) {
  std::vector<const Slate*> taught;
  for (const Slate& slate : slates) {
    if (slate.can_be_ranked()) taught.push_back(&slate);
  }
  const auto draws = size_t(options.draws);
  std::vector<Trace> traces(taught.size() * draws);
  const Rng root = Rng(seed).fork("traces");
  Progress progress("traces", taught.size(), "slates");
  std::mutex reporting;
  parallel_for(threads, taught.size(), kChunk, [&](size_t begin, size_t end) {
    if (interrupted()) throw Error("interrupted", "run the same command to resume");
    for (size_t i = begin; i < end; ++i) {
      for (size_t d = 0; d < draws; ++d) {
        traces[i * draws + d] = draw(context, *taught[i], teacher, options, int(d),
                                     root.fork(taught[i]->id).fork(uint64_t(d)));
      }
    }
    const std::lock_guard lock(reporting);
    progress.add(end - begin);
  });
  return traces;
}

void write_traces(const fs::path& dir, const text::Tokenizer& tokenizer,
                  const std::vector<Trace>& traces) {
  std::string lines;
  for (const Trace& trace : traces) {
    lines += to_json(tokenizer, trace).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  write_file_atomic(dir / kFile, lines);
}

std::vector<Trace> read_traces(const fs::path& dir, const PromptContext& context) {
  const fs::path file = dir / kFile;
  std::ifstream in(file);
  if (!in) throw Error("there are no traces", "run the stage `traces` first", file.string());
  std::vector<Trace> traces;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string where = fmt::format("{}:{}", file.string(), ++number);
    std::string flaw;
    try {
      traces.push_back(from_json(parse_json(line, where)));
      flaw = flaw_of(context, traces.back());
    } catch (const Json::exception& e) {
      flaw = e.what();
    }
    if (!flaw.empty()) throw Error("not a trace: " + flaw, "draw the traces again", where);
  }
  return traces;
}

TraceSummary summary_of(const std::vector<Trace>& traces) {
  double samples = 0, accepted = 0;
  for (const Trace& trace : traces) {
    samples += trace.tries;
    accepted += trace.accepted ? 1 : 0;
  }
  if (traces.empty()) return {};
  return {accepted / samples, accepted / double(traces.size())};
}

}  // namespace podium::rerank
