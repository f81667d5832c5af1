/* Recommends items to a user, then re-ranks them in the order turned round.
 *
 *   podium_c_example BUNDLE USER [K] */
#include <stdio.h>
#include <stdlib.h>

#include <podium.h>

#define MOST 100

static int failed(const char* what) {
  fprintf(stderr, "%s: %s\n", what, podium_error());
  return 1;
}

/* Prints an answer's items, and keeps the ids of the first MOST. Returns how many. */
static size_t show(const char* kind, const podium_answer* answer, const char** ids) {
  podium_answer_info info = PODIUM_ANSWER_INFO_INIT;
  size_t rank;
  podium_answer_get_info(answer, &info);
  for (rank = 0; rank < info.size && rank < MOST; ++rank) {
    podium_item item = PODIUM_ITEM_INIT;
    podium_answer_get_item(answer, rank, &item);
    printf("%s %s\n", kind, item.id);
    ids[rank] = item.id;
  }
  return rank;
}

static int run(const podium_bundle* bundle, const char* user, size_t k) {
  podium_request request = PODIUM_REQUEST_INIT;
  podium_answer *answer = NULL, *reranked = NULL;
  const char *ids[MOST], *turned[MOST];
  size_t size, i;
  int status = 0;
  request.user = user;
  request.k = k;
  if (podium_recommend(bundle, &request, &answer) != PODIUM_OK) return failed("recommend");
  size = show("recommend", answer, ids);
  for (i = 0; i < size; ++i) turned[i] = ids[size - 1 - i];
  request.candidates = turned;
  request.candidates_size = size;
  request.deadline_ms = 1000;
  if (podium_rerank(bundle, &request, &reranked) != PODIUM_OK) {
    status = failed("rerank");
  } else {
    show("rerank", reranked, ids);
  }
  podium_answer_free(reranked);
  podium_answer_free(answer);
  return status;
}

int main(int argc, char** argv) {
  podium_bundle* bundle = NULL;
  int status;
  if (argc < 3) {
    fprintf(stderr, "usage: podium_c_example BUNDLE USER [K]\n");
    return 2;
  }
  if (podium_open(argv[1], NULL, &bundle) != PODIUM_OK) return failed("open");
  status = run(bundle, argv[2], argc > 3 ? (size_t)atoi(argv[3]) : 10);
  podium_close(bundle);
  return status;
}
