/* podium's C interface: open a bundle, recommend items, re-rank candidates, tell it what happened.
 *
 * Every function may be called from any thread; calls on one bundle may run at the same time, but
 * none while or after it is closed. No exception crosses this line: a function that can fail
 * returns a status, and podium_error() tells what went wrong and what to do about it. Texts are
 * UTF-8 and end with a zero byte. What is passed in is copied; what an answer gives out lives until
 * the answer is freed.
 *
 * Structs begin with their size, so that fields can be added after the last: set it with the
 * struct's ..._INIT. All other fields may be zero. A field that is set but newer than the library
 * is a bad request. */
#ifndef PODIUM_H
#define PODIUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows by one when something here changes its meaning; compare with podium_api_version(). */
#define PODIUM_API_VERSION 2

typedef enum {
  PODIUM_OK = 0,
  PODIUM_BAD_REQUEST = 1, /* an argument is null or out of range */
  PODIUM_NOT_FOUND = 2,   /* a file or a user that is not there */
  PODIUM_UNAVAILABLE = 3, /* the machine refused: memory, permission */
  PODIUM_CORRUPT = 4,     /* damaged files */
  PODIUM_INTERNAL = 5     /* a fault of podium */
} podium_status;

typedef struct podium_bundle podium_bundle;
typedef struct podium_answer podium_answer;

typedef struct {
  size_t struct_size;
  int threads; /* that answer; 0: every core */
  int verify;  /* 1: compare every file with its hash */
} podium_open_options;
#define PODIUM_OPEN_OPTIONS_INIT \
  { sizeof(podium_open_options), 0, 0 }

/* Whose history: a user's, or one that is given as the catalogue's item ids. Neither: somebody
 * new. */
typedef struct {
  size_t struct_size;
  const char* user;           /* null: none */
  const char* const* history; /* oldest first; may be null when history_size is 0 */
  size_t history_size;
  const int64_t* times;          /* of history, unix seconds; null: unknown */
  const int64_t* time;           /* the moment asked for, unix seconds; null: now */
  const char* const* candidates; /* podium_rerank: 2 .. 100, distinct, best first as far as known */
  size_t candidates_size;
  size_t k;            /* podium_recommend: 1 .. 1000 items; 0: 10 */
  int explain;         /* 1: the reasoning policy answers, and tells its trace (slower) */
  int64_t deadline_ms; /* after so many milliseconds the best order so far; 0: never */
} podium_request;
#define PODIUM_REQUEST_INIT \
  { sizeof(podium_request), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

typedef struct {
  size_t struct_size;
  const char* id;
  const char* title;    /* "" when there is none */
  size_t upstream_rank; /* from 0, before the policy; podium_rerank: the candidate's index */
  int known;            /* 0: a candidate that podium knows nothing of, left in its place */
  const char* reasons;  /* with explain: "fits history, popular"; else "" */
  const char* sources;  /* with explain, podium_recommend: who found it; else "" */
} podium_item;
#define PODIUM_ITEM_INIT \
  { sizeof(podium_item), 0, 0, 0, 0, 0, 0 }

typedef struct {
  size_t struct_size;
  size_t size;             /* items */
  const char* explanation; /* the policy's trace; "" without explain */
  const char* degraded;    /* "" or what the answer went without: "policy late", ... */
  size_t history;          /* events that were used */
  size_t history_shown;    /* of them the newest that the policy was shown */
  size_t unknown_history;  /* events of unknown items, left out */
  size_t unknown_candidates;
  double retrieval_ms, ranking_ms, policy_ms; /* what the stages took */
} podium_answer_info;
#define PODIUM_ANSWER_INFO_INIT \
  { sizeof(podium_answer_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

int podium_api_version(void);

/* What went wrong in this thread's last call that failed, with its cure; "" before any did. Valid
 * until the thread's next call that fails. */
const char* podium_error(void);

/* path: the bundle directory of a finished run. options: may be null. On success *bundle is to be
 * closed once. */
podium_status podium_open(const char* path, const podium_open_options* options,
                          podium_bundle** bundle);
void podium_close(podium_bundle* bundle); /* null: nothing happens */

/* The k best items, none of the history. On success *answer is to be freed once. */
podium_status podium_recommend(const podium_bundle* bundle, const podium_request* request,
                               podium_answer** answer);
/* Every candidate, in its new order. */
podium_status podium_rerank(const podium_bundle* bundle, const podium_request* request,
                            podium_answer** answer);

podium_status podium_answer_get_info(const podium_answer* answer, podium_answer_info* info);
/* The item at a rank, from 0: the best. */
podium_status podium_answer_get_item(const podium_answer* answer, size_t rank, podium_item* item);
void podium_answer_free(podium_answer* answer); /* null: nothing happens */

/* What happened after the bundle was trained; kept in memory until it is closed. */
podium_status podium_add_event(podium_bundle* bundle, const char* user, const char* item,
                               int64_t time);
/* Forgets a user: live events, and the history that came with the bundle. */
podium_status podium_erase_user(podium_bundle* bundle, const char* user);

#ifdef __cplusplus
}
#endif

#endif
