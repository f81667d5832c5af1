// Who the server says that it is: a certificate and its key, from two files in PEM.
#pragma once

#include <memory>
#include <string>

#include "podium/base/files.h"
#include "podium/base/mutex.h"
#include "podium/base/shared_mutex.h"

namespace boost::asio::ssl {
class context;
}

namespace podium::serve {

// Thread-safe.
class TlsCertificate {
 public:
  using Context = boost::asio::ssl::context;

  // certificate: the server's own first, then those that vouch for it. Throws Error when a file
  // cannot be read, is no PEM or encrypted, or the key is another certificate's.
  TlsCertificate(fs::path certificate, fs::path key);

  // For connections that begin now: TLS 1.2 or 1.3, HTTP/1.1.
  std::shared_ptr<Context> now() const;
  // Takes the files over when they are others than were read, and says whether they were. Throws as
  // the constructor does, once for each such pair; the one before stays.
  bool reload();
  const fs::path& file() const { return certificate_; }

 private:
  const fs::path certificate_, key_;
  Mutex changing_;
  // sha256 of the files when last looked at, or why they could not be read.
  std::string seen_ PODIUM_GUARDED_BY(changing_);
  mutable SharedMutex now_mutex_;
  std::shared_ptr<Context> now_ PODIUM_GUARDED_BY(now_mutex_);
};

}  // namespace podium::serve
