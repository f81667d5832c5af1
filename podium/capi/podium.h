/* podium's C interface: open a bundle, re-rank candidates, recommend items.
 *
 * Every function may be called from any thread; calls on one bundle may run at the same time, but
 * none while or after it is closed. No exception crosses this line: a function that can fail
 * returns a status, and podium_error() tells what went wrong and what to do about it. Texts are
 * UTF-8 and end with a zero byte; what is passed in is copied, what is given out belongs to the
 * caller. */
#ifndef PODIUM_H
#define PODIUM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows by one when something here changes its meaning; compare with podium_api_version(). */
#define PODIUM_API_VERSION 1

typedef enum {
  PODIUM_OK = 0,
  PODIUM_BAD_REQUEST = 1, /* an argument is null or out of range, or names something unknown */
  PODIUM_FAILED = 2       /* anything else: no bundle, damaged files, no memory */
} podium_status;

typedef struct podium_bundle podium_bundle;

/* Candidates to re-rank for a history, both as the catalogue's item ids. */
typedef struct {
  const char* const* history; /* oldest first; may be null when history_size is 0 */
  size_t history_size;
  const char* const* candidates; /* 2 .. 100, distinct, best first as far as the caller knows */
  size_t candidates_size;
} podium_slate;

/* Items, best first; free with podium_items_free. */
typedef struct {
  char** ids;
  size_t size;
} podium_items;

int podium_api_version(void);

/* What went wrong in this thread's last call that failed, with its cure; "" before any did. Valid
 * until the thread's next call that fails. */
const char* podium_error(void);

/* path: the bundle directory of a finished run. threads: how many a single call may use; 0: every
 * core. On success *bundle is to be closed once. */
podium_status podium_open(const char* path, int threads, podium_bundle** bundle);
void podium_close(podium_bundle* bundle); /* null: nothing happens */

/* order[r] = the index among the candidates of the one at rank r; order has candidates_size
 * elements. An item that the catalogue does not have is a bad request. */
podium_status podium_rerank(const podium_bundle* bundle, const podium_slate* slate, size_t* order);

/* The k best items (1 .. 1000) for a user of the bundle's data set, none of them seen before. */
podium_status podium_recommend(const podium_bundle* bundle, const char* user, size_t k,
                               podium_items* items);
void podium_items_free(podium_items* items); /* null or freed before: nothing happens */

#ifdef __cplusplus
}
#endif

#endif
