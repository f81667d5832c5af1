// Who may call what: keys with scopes and rates, from a file that holds only their hashes.
//
//   {"keys": [{"name": "shop", "sha256": "...", "scopes": ["read", "write"], "per_second": 100}]}
//
// read: recommendations and what is known; write: events, items, impressions, erasure of users;
// admin: all, bundles and rules too. A key may be sent as `Authorization: Bearer KEY` or as
// `X-API-Key: KEY`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "podium/base/files.h"
#include "podium/base/mutex.h"
#include "podium/serve/router.h"
#include "podium/serving/request.h"

namespace podium::serve {

struct Key {
  std::string name = {}, sha256 = {};
  std::vector<Scope> scopes = {};
  double per_second = 0;  // requests, in bursts of as many or of one; 0: any
};

// Throws Error when the file is not such a file.
std::vector<Key> read_keys(const fs::path& file);
void write_keys(const fs::path& file, const std::vector<Key>& keys);
Scope scope_of(const std::string& name);  // "read", "write", "admin"; throws Error on another
std::string new_key();                    // 256 random bits as text: hashed it cannot be guessed

// Thread-safe.
class Gate {
 public:
  explicit Gate(std::vector<Key> keys);
  // Other keys from now on; what one of before had left of its rate begins anew.
  void replace(std::vector<Key> keys);
  // Nothing when the request may pass; else 401, 403 or 429.
  std::optional<HttpReply> refusal(const HttpRequest& request, Scope scope,
                                   serving::Clock::time_point now);

 private:
  struct Holder {
    Key key;
    double left;  // requests that may come at once
    serving::Clock::time_point since{};
  };
  Mutex mutex_;
  std::vector<Holder> holders_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::serve
