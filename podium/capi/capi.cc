#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <string>

#include "podium/base/error.h"
#include "podium/base/parallel.h"
#include "podium/capi/podium.h"
#include "podium/serving/reasons.h"
#include "podium/serving/recommender.h"

struct podium_bundle {
  podium::serving::Recommender recommender;
};

struct podium_answer {
  podium::serving::Answer answer;
  std::string degraded;
  std::vector<std::string> reasons, sources;  // [items]; empty without explain
};

namespace podium::capi {
namespace {

thread_local std::string g_error;

podium_status fail(podium_status status, const char* message) {
  g_error = message;
  return status;
}

podium_status status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kBadRequest:
      return PODIUM_BAD_REQUEST;
    case ErrorKind::kNotFound:
      return PODIUM_NOT_FOUND;
    case ErrorKind::kUnavailable:
    case ErrorKind::kInterrupted:
      return PODIUM_UNAVAILABLE;
    case ErrorKind::kCorrupt:
      return PODIUM_CORRUPT;
    case ErrorKind::kInternal:
      break;
  }
  return PODIUM_INTERNAL;
}

// The one place where exceptions end.
template <class Body>
podium_status guarded(const Body& body) {
  try {
    body();
    return PODIUM_OK;
  } catch (const Error& error) {  // its text has the cure
    return fail(status_of(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return fail(PODIUM_UNAVAILABLE, "out of memory");
  } catch (const std::exception& error) {
    return fail(PODIUM_INTERNAL, error.what());
  }
}

void need(bool condition, const char* message) {
  if (!condition) throw Error(message, "see podium.h");
}

// A caller's struct as far as it goes; the fields that it does not have are zero.
template <class Struct>
Struct read(const Struct* from, const char* name) {
  need(from != nullptr, name);
  const size_t size = from->struct_size;
  need(size >= sizeof(size_t) && size <= 65536, "struct_size is not set");
  const auto* const bytes = reinterpret_cast<const char*>(from);
  const bool newer = size > sizeof(Struct) &&
                     std::any_of(bytes + sizeof(Struct), bytes + size, [](char c) { return c; });
  need(!newer, "a field is set that this library, older than its caller, does not know");
  Struct copy{};
  std::memcpy(&copy, from, std::min(size, sizeof(Struct)));
  return copy;
}

// Fills a caller's struct as far as it goes.
template <class Struct>
void write(Struct value, Struct* to) {
  need(to != nullptr, "the struct to fill is null");
  need(to->struct_size >= sizeof(size_t), "struct_size is not set");
  value.struct_size = to->struct_size;
  std::memcpy(to, &value, std::min(to->struct_size, sizeof(Struct)));
}

std::vector<std::string> ids(const char* const* from, size_t size, const char* name) {
  need(from != nullptr || size == 0, name);
  std::vector<std::string> ids;
  for (size_t i = 0; i < size; ++i) {
    need(from[i] != nullptr, "an item id is null");
    ids.emplace_back(from[i]);
  }
  return ids;
}

serving::Request to_request(const podium_request& from, bool rerank) {
  need(rerank == (from.candidates_size > 0),
       rerank ? "podium_rerank needs candidates" : "podium_recommend takes no candidates");
  need(from.deadline_ms >= 0 && from.deadline_ms <= (int64_t{1} << 40),
       "deadline_ms is out of range");
  need(from.user == nullptr || *from.user != '\0', "user is empty");
  serving::Request request;
  if (from.user != nullptr) request.user = from.user;
  request.history = ids(from.history, from.history_size, "history is null");
  if (from.times != nullptr) request.times.assign(from.times, from.times + from.history_size);
  if (from.time != nullptr) request.time = *from.time;
  request.candidates = ids(from.candidates, from.candidates_size, "candidates is null");
  request.k = from.k > 0 ? from.k : 10;
  request.explain = from.explain != 0;
  if (from.deadline_ms > 0) {
    request.deadline = serving::Clock::now() + std::chrono::milliseconds(from.deadline_ms);
  }
  return request;
}

podium_status answer(const podium_bundle* bundle, const podium_request* request, bool rerank,
                     podium_answer** out) {
  if (out != nullptr) *out = nullptr;
  return guarded([&] {
    need(bundle != nullptr && out != nullptr, "bundle or answer is null");
    const serving::Request asked = to_request(read(request, "request is null"), rerank);
    const serving::Recommender& recommender = bundle->recommender;
    auto made = std::make_unique<podium_answer>();
    made->answer = recommender.answer(asked);
    made->degraded = fmt::format("{}", fmt::join(made->answer.degraded, ", "));
    if (asked.explain) {
      for (const serving::AnswerItem& item : made->answer.items) {
        made->reasons.push_back(
            fmt::format("{}", fmt::join(serving::reasons(item.evidence), ", ")));
        made->sources.push_back(
            fmt::format("{}", fmt::join(serving::sources(item, recommender.bundle()), ", ")));
      }
    }
    *out = made.release();
  });
}

}  // namespace
}  // namespace podium::capi

using namespace podium;

extern "C" {

int podium_api_version(void) { return PODIUM_API_VERSION; }

const char* podium_error(void) { return capi::g_error.c_str(); }

podium_status podium_open(const char* path, const podium_open_options* options,
                          podium_bundle** bundle) {
  if (bundle != nullptr) *bundle = nullptr;
  return capi::guarded([&] {
    capi::need(path != nullptr && bundle != nullptr, "path or bundle is null");
    const podium_open_options given =
        options ? capi::read(options, "options") : podium_open_options{};
    capi::need(given.threads >= 0, "threads is negative");
    *bundle = new podium_bundle{
        serving::Recommender(serving::Bundle::open(path, {.verify = given.verify != 0}),
                             std::make_shared<serving::MemoryState>(),
                             {.threads = given.threads > 0 ? given.threads : default_threads()})};
  });
}

void podium_close(podium_bundle* bundle) { delete bundle; }

podium_status podium_recommend(const podium_bundle* bundle, const podium_request* request,
                               podium_answer** answer) {
  return capi::answer(bundle, request, false, answer);
}

podium_status podium_rerank(const podium_bundle* bundle, const podium_request* request,
                            podium_answer** answer) {
  return capi::answer(bundle, request, true, answer);
}

podium_status podium_answer_get_info(const podium_answer* answer, podium_answer_info* info) {
  return capi::guarded([&] {
    capi::need(answer != nullptr, "answer is null");
    const serving::Answer& a = answer->answer;
    capi::write({.struct_size = 0,
                 .size = a.items.size(),
                 .explanation = a.explanation.c_str(),
                 .degraded = answer->degraded.c_str(),
                 .history = a.history,
                 .history_shown = a.history_shown,
                 .unknown_history = a.unknown_history,
                 .unknown_candidates = a.unknown_candidates,
                 .retrieval_ms = a.took.retrieval,
                 .ranking_ms = a.took.ranking,
                 .policy_ms = a.took.policy},
                info);
  });
}

podium_status podium_answer_get_item(const podium_answer* answer, size_t rank, podium_item* item) {
  return capi::guarded([&] {
    capi::need(answer != nullptr, "answer is null");
    capi::need(rank < answer->answer.items.size(), "rank is not below the answer's size");
    const serving::AnswerItem& from = answer->answer.items[rank];
    const bool explained = !answer->reasons.empty();
    capi::write({.struct_size = 0,
                 .id = from.id.c_str(),
                 .title = from.title.c_str(),
                 .upstream_rank = size_t(from.upstream_rank),
                 .known = from.known ? 1 : 0,
                 .reasons = explained ? answer->reasons[rank].c_str() : "",
                 .sources = explained ? answer->sources[rank].c_str() : ""},
                item);
  });
}

void podium_answer_free(podium_answer* answer) { delete answer; }

podium_status podium_add_event(podium_bundle* bundle, const char* user, const char* item,
                               int64_t time) {
  return capi::guarded([&] {
    capi::need(bundle != nullptr && user != nullptr && item != nullptr,
               "bundle, user or item is null");
    bundle->recommender.add_event(user, {item, time});
  });
}

podium_status podium_erase_user(podium_bundle* bundle, const char* user) {
  return capi::guarded([&] {
    capi::need(bundle != nullptr && user != nullptr, "bundle or user is null");
    bundle->recommender.state().erase_user(user);
  });
}

}  // extern "C"
