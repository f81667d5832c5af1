/* Recommends items to a user, then re-ranks them in the order turned round.
 *
 *   podium_c_example BUNDLE USER [K] */
#include <stdio.h>
#include <stdlib.h>

#include <podium.h>

static int failed(const char* what) {
  fprintf(stderr, "%s: %s\n", what, podium_error());
  return 1;
}

static int rerank_reversed(const podium_bundle* bundle, const podium_items* items) {
  const char* candidates[100];
  size_t order[100];
  const size_t size = items->size < 100 ? items->size : 100;
  for (size_t i = 0; i < size; ++i) candidates[i] = items->ids[size - 1 - i];
  const podium_slate slate = {NULL, 0, candidates, size};
  if (podium_rerank(bundle, &slate, order) != PODIUM_OK) return failed("rerank");
  for (size_t r = 0; r < size; ++r) printf("rerank %s\n", candidates[order[r]]);
  return 0;
}

int main(int argc, char** argv) {
  podium_bundle* bundle = NULL;
  podium_items items;
  if (argc < 3) {
    fprintf(stderr, "usage: podium_c_example BUNDLE USER [K]\n");
    return 2;
  }
  if (podium_open(argv[1], 0, &bundle) != PODIUM_OK) return failed("open");
  int status = 0;
  if (podium_recommend(bundle, argv[2], argc > 3 ? (size_t)atoi(argv[3]) : 10, &items) !=
      PODIUM_OK) {
    status = failed("recommend");
  } else {
    for (size_t i = 0; i < items.size; ++i) printf("recommend %s\n", items.ids[i]);
    status = rerank_reversed(bundle, &items);
    podium_items_free(&items);
  }
  podium_close(bundle);
  return status;
}
