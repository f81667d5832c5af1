#include "podium/rerank/traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "podium/base/error.h"
#include "podium/base/progress.h"
#include "podium/rerank/reward.h"

namespace podium::rerank {
namespace {

constexpr const char* kFile = "traces.jsonl";
constexpr size_t kAtOnce = 256;  // slates whose draws are asked for together

// A draw that is not finished.
struct Draw {
  Trace trace;
  Slate shown;
  Rng rng;
};

Draw first_draw(const Slate& slate, const TeacherOptions& options, int number, Rng rng) {
  Trace trace{.slate = slate.id, .draw = number, .shown = {}, .teacher = {}};
  trace.shown.resize(slate.candidates.size());
  std::iota(trace.shown.begin(), trace.shown.end(), 0);
  trace.teacher.order = trace.shown;
  if (rng.uniform() < options.shuffle_share) rng.shuffle(std::span(trace.shown));
  Slate shown = as_shown(slate, trace.shown);
  return {std::move(trace), std::move(shown), rng};
}

void take(TeacherTrace&& sample, Draw& draw) {
  Trace& trace = draw.trace;
  ++trace.tries;
  if (sample.order.empty()) {
    ++trace.invalid;
    return;
  }
  trace.teacher = std::move(sample);
  trace.accepted = draw.shown.candidates[size_t(trace.teacher.order.front())].gain > 0;
}

// Asks for every draw until it is accepted, or has had its tries.
void finish(const PromptContext& context, const Teacher& teacher, const TeacherOptions& options,
            int threads, std::vector<Draw>& draws) {
  std::vector<Draw*> open;
  for (Draw& draw : draws) open.push_back(&draw);
  while (!open.empty()) {
    stop_if_interrupted("run the same command to resume");
    std::vector<TeacherQuestion> questions;
    for (Draw* draw : open) {
      questions.push_back({&draw->shown, draw->trace.draw, draw->trace.tries, &draw->rng});
    }
    std::vector<TeacherTrace> samples = teacher.answer(context, questions, threads);
    for (size_t i = 0; i < open.size(); ++i) take(std::move(samples[i]), *open[i]);
    std::erase_if(open, [&](const Draw* draw) {
      return draw->trace.accepted || draw->trace.tries >= options.tries;
    });
  }
}

Json to_json(const text::Tokenizer& tokenizer, const Trace& trace) {
  return {{"slate", trace.slate},         {"draw", trace.draw},
          {"accepted", trace.accepted},   {"tries", trace.tries},
          {"invalid", trace.invalid},     {"shown", trace.shown},
          {"order", trace.teacher.order}, {"trace", tokenizer.decode(trace.teacher.trace)},
          {"tokens", trace.teacher.trace}};
}

Trace from_json(const Json& json) {
  return {.slate = json.at("slate").get<std::string>(),
          .draw = json.at("draw").get<int>(),
          .accepted = json.at("accepted").get<bool>(),
          .tries = json.at("tries").get<int>(),
          .invalid = json.at("invalid").get<int>(),
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
  if (trace.draw < 0 || trace.tries < 1 || trace.invalid < 0) {
    return "\"draw\", \"tries\" or \"invalid\" is out of range";
  }
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
         tries == other.tries && invalid == other.invalid && shown == other.shown &&
         teacher.trace == other.teacher.trace && teacher.order == other.teacher.order;
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
  std::vector<Trace> traces;
  const Rng root = Rng(seed).fork("traces");
  Progress progress("traces", taught.size(), "slates");
  for (size_t begin = 0; begin < taught.size(); begin += kAtOnce) {
    const size_t end = std::min(taught.size(), begin + kAtOnce);
    std::vector<Draw> draws;
    for (size_t i = begin; i < end; ++i) {
      for (int d = 0; d < options.draws; ++d) {
        draws.push_back(
            first_draw(*taught[i], options, d, root.fork(taught[i]->id).fork(uint64_t(d))));
      }
    }
    finish(context, teacher, options, threads, draws);
    for (Draw& draw : draws) traces.push_back(std::move(draw.trace));
    progress.add(end - begin);
  }
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
  double samples = 0, accepted = 0, invalid = 0;
  for (const Trace& trace : traces) {
    samples += trace.tries;
    invalid += trace.invalid;
    accepted += trace.accepted ? 1 : 0;
  }
  if (traces.empty()) return {};
  return {accepted / samples, accepted / double(traces.size()), invalid / samples};
}

}  // namespace podium::rerank
