#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "podium/base/parallel.h"
#include "podium/capi/podium.h"
#include "podium/serving/serving.h"

struct podium_bundle {
  std::unique_ptr<podium::serving::Serving> serving;
};

namespace podium::capi {
namespace {

thread_local std::string g_error;

// A fault of the caller's arguments, apart from the engine's own errors.
struct BadRequest {
  std::string message;
};

podium_status fail(podium_status status, std::string message) {
  g_error = std::move(message);
  return status;
}

// The one place where exceptions end.
template <class Body>
podium_status guarded(const Body& body) {
  try {
    body();
    return PODIUM_OK;
  } catch (const BadRequest& bad) {
    return fail(PODIUM_BAD_REQUEST, bad.message);
  } catch (const std::exception& error) {  // podium's own Error too, whose text has the cure
    return fail(PODIUM_FAILED, error.what());
  }
}

void need(bool condition, const char* message) {
  if (!condition) throw BadRequest{message};
}

data::ItemIndex item_of(const serving::Serving& serving, const char* id) {
  need(id != nullptr, "an item id is null");
  const auto item = serving.dataset().find_item(id);
  if (!item) throw BadRequest{fmt::format("the catalogue has no item \"{}\"", id)};
  return *item;
}

rerank::Slate to_slate(const serving::Serving& serving, const podium_slate& from) {
  need(from.history != nullptr || from.history_size == 0, "history is null");
  need(from.candidates != nullptr, "candidates is null");
  rerank::Slate slate;
  slate.id = "request";
  for (size_t i = 0; i < from.history_size; ++i) {
    slate.history.push_back(item_of(serving, from.history[i]));
  }
  for (size_t i = 0; i < from.candidates_size; ++i) {
    slate.candidates.push_back({.item = item_of(serving, from.candidates[i]),
                                .upstream_score = float(from.candidates_size - i)});
  }
  const std::string flaw = rerank::slate_flaw(slate);
  if (!flaw.empty()) throw BadRequest{flaw};
  return slate;
}

char* copy_of(std::string_view text) {
  auto* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (!copy) throw std::bad_alloc();
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

void fill(const serving::Serving& serving, const serving::Served& served, podium_items& items) {
  const size_t size = served.items.size();
  items.ids = static_cast<char**>(std::calloc(size + 1, sizeof(char*)));
  if (!items.ids) throw std::bad_alloc();
  for (const serving::ServedItem& item : served.items) {
    items.ids[items.size] = copy_of(serving.dataset().item_id(item.item));
    ++items.size;
  }
}

}  // namespace
}  // namespace podium::capi

using namespace podium;

extern "C" {

int podium_api_version(void) { return PODIUM_API_VERSION; }

const char* podium_error(void) { return capi::g_error.c_str(); }

podium_status podium_open(const char* path, int threads, podium_bundle** bundle) {
  return capi::guarded([&] {
    capi::need(path != nullptr && bundle != nullptr, "path or bundle is null");
    capi::need(threads >= 0, "threads is negative");
    *bundle = nullptr;
    *bundle =
        new podium_bundle{serving::Serving::open(path, threads > 0 ? threads : default_threads())};
  });
}

void podium_close(podium_bundle* bundle) { delete bundle; }

podium_status podium_rerank(const podium_bundle* bundle, const podium_slate* slate, size_t* order) {
  return capi::guarded([&] {
    capi::need(bundle && slate && order, "bundle, slate or order is null");
    const serving::Serving& serving = *bundle->serving;
    const serving::Served served = serving.rerank({capi::to_slate(serving, *slate)}, false)[0];
    for (size_t r = 0; r < served.items.size(); ++r) {
      order[r] = size_t(served.items[r].upstream_rank);
    }
  });
}

podium_status podium_recommend(const podium_bundle* bundle, const char* user, size_t k,
                               podium_items* items) {
  if (items) *items = {nullptr, 0};
  const podium_status status = capi::guarded([&] {
    capi::need(bundle && user && items, "bundle, user or items is null");
    capi::need(k >= 1 && k <= 1000, "k is not within 1 .. 1000");
    const serving::Serving& serving = *bundle->serving;
    const auto known = serving.dataset().find_user(user);
    if (!known) throw capi::BadRequest{fmt::format("the data set has no user \"{}\"", user)};
    capi::fill(serving, serving.recommend(serving.query_of(*known), k, false), *items);
  });
  if (status != PODIUM_OK) podium_items_free(items);
  return status;
}

void podium_items_free(podium_items* items) {
  if (!items) return;
  for (size_t i = 0; i < items->size; ++i) std::free(items->ids[i]);
  std::free(static_cast<void*>(items->ids));
  *items = {nullptr, 0};
}

}  // extern "C"
