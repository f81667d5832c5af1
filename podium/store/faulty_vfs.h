// A disk that fails, under SQLite, for tests: what was not synced may be lost by a power cut, and
// writing may be refused.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "podium/base/mutex.h"
#include "podium/base/rng.h"

namespace podium::store {

// While it lives, it is what new connections use. Files are where they are; beside them it knows
// what of them a disk is sure to hold.
class FaultyVfs {
 public:
  FaultyVfs() : real_(sqlite3_vfs_find(nullptr)), own_(*real_) {
    own_.szOsFile = int(sizeof(File)) + real_->szOsFile;
    own_.zName = "podium-faulty";
    own_.pAppData = this;
    own_.xOpen = open;
    own_.xDelete = remove;
    sqlite3_vfs_register(&own_, 1);
  }
  ~FaultyVfs() {
    sqlite3_vfs_unregister(&own_);
    sqlite3_vfs_register(real_, 1);
  }
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // Called before each write, truncation, sync and removal of a file, on the thread that makes it.
  std::function<void()> before = [] {};
  // Not SQLITE_OK: what each of these answers, instead of doing it.
  std::atomic<int> refusal{SQLITE_OK};

  using Image = std::map<std::string, std::string>;  // names of files and what is in them

  // What the disk holds when the power fails now: all that was synced; of the rest any sectors, and
  // the one that was being written by half.
  Image cut(Rng& rng) const {
    const MutexLock lock(mutex_);
    Image image;
    const double kept = rng.uniform() < .2 ? 0 : rng.uniform();
    for (const auto& [name, disk] : files_) {
      std::string bytes = disk.synced;
      bool there = disk.sure;
      for (const Write& write : disk.pending) {
        if (write.removes) {
          if (rng.uniform() < kept) there = false;
        } else if (write.truncates) {
          if (rng.uniform() < kept) bytes.resize(std::min(bytes.size(), write.at)), there = true;
        } else {
          there = apply_some(write, kept, rng, bytes) || there;
        }
      }
      if (there) image[name] = std::move(bytes);
    }
    return image;
  }

 private:
  static constexpr size_t kSector = 512;

  struct Write {
    size_t at = 0;
    std::string bytes = {};
    bool truncates = false, removes = false;
  };
  struct Disk {
    std::string synced = {};
    bool sure = false;  // that there is such a file
    std::vector<Write> pending = {};

    void sync() {
      for (Write& write : pending) {
        if (write.truncates) {
          synced.resize(write.at);
        } else if (!write.removes) {
          synced.resize(std::max(synced.size(), write.at + write.bytes.size()));
          std::copy(write.bytes.begin(), write.bytes.end(), synced.begin() + long(write.at));
        }
      }
      pending.clear();
      sure = true;
    }
  };
  struct File {
    sqlite3_file base;
    FaultyVfs* vfs;
    Disk* disk;  // none: of a temporary file
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* in(sqlite3_file* file) { return of(file).real(); }
  static const sqlite3_io_methods& io(sqlite3_file* file) { return *in(file)->pMethods; }

  static bool apply_some(const Write& write, double kept, Rng& rng, std::string& bytes) {
    bool any = false;
    for (size_t from = 0; from < write.bytes.size();) {
      const size_t end = std::min(write.bytes.size(), from + kSector - (write.at + from) % kSector);
      if (rng.uniform() < kept) {
        const size_t size = rng.below(20) == 0 ? rng.below(end - from + 1) : end - from;
        bytes.resize(std::max(bytes.size(), write.at + from + size));
        std::copy_n(write.bytes.begin() + long(from), size, bytes.begin() + long(write.at + from));
        any = true;
      }
      from = end;
    }
    return any;
  }

  // Notes a change of a file, or refuses it.
  int note(Disk* disk, Write write) {
    before();
    if (const int code = refusal; code != SQLITE_OK) return code;
    const MutexLock lock(mutex_);
    if (disk != nullptr) disk->pending.push_back(std::move(write));
    return SQLITE_OK;
  }
  int sync(Disk* disk) {
    before();
    if (const int code = refusal; code != SQLITE_OK) return code;
    const MutexLock lock(mutex_);
    if (disk != nullptr) disk->sync();
    return SQLITE_OK;
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
    auto* const self = static_cast<FaultyVfs*>(vfs->pAppData);
    File& own = of(file);
    own = {.base = {nullptr}, .vfs = self, .disk = nullptr};
    const int code = self->real_->xOpen(self->real_, path, own.real(), flags, out);
    if (own.real()->pMethods == nullptr) return code;
    own.base.pMethods = methods();
    if (path == nullptr) return code;
    const MutexLock lock(self->mutex_);
    own.disk = &self->files_[std::filesystem::path(path).filename().string()];
    return code;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    auto* const self = static_cast<FaultyVfs*>(vfs->pAppData);
    Disk* disk = nullptr;
    {
      const MutexLock lock(self->mutex_);
      disk = &self->files_[std::filesystem::path(path).filename().string()];
    }
    if (const int code = self->note(disk, {.removes = true}); code != SQLITE_OK) return code;
    const int code = self->real_->xDelete(self->real_, path, 0);
    const MutexLock lock(self->mutex_);
    if (code == SQLITE_OK && sync_folder != 0) *disk = {};
    return code;
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods kMethods = {
        .iVersion = 2,
        .xClose = [](sqlite3_file* f) { return io(f).xClose(in(f)); },
        .xRead = [](sqlite3_file* f, void* to, int size,
                    sqlite3_int64 at) { return io(f).xRead(in(f), to, size, at); },
        .xWrite =
            [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
              const std::string bytes(static_cast<const char*>(from), size_t(size));
              const int code = of(f).vfs->note(of(f).disk, {.at = size_t(at), .bytes = bytes});
              if (code != SQLITE_OK) return code;
              return io(f).xWrite(in(f), from, size, at);
            },
        .xTruncate =
            [](sqlite3_file* f, sqlite3_int64 size) {
              const int code = of(f).vfs->note(of(f).disk, {.at = size_t(size), .truncates = true});
              if (code != SQLITE_OK) return code;
              return io(f).xTruncate(in(f), size);
            },
        .xSync = [](sqlite3_file* f, int) { return of(f).vfs->sync(of(f).disk); },
        .xFileSize = [](sqlite3_file* f,
                        sqlite3_int64* size) { return io(f).xFileSize(in(f), size); },
        .xLock = [](sqlite3_file* f, int how) { return io(f).xLock(in(f), how); },
        .xUnlock = [](sqlite3_file* f, int how) { return io(f).xUnlock(in(f), how); },
        .xCheckReservedLock = [](sqlite3_file* f,
                                 int* held) { return io(f).xCheckReservedLock(in(f), held); },
        .xFileControl = [](sqlite3_file* f, int what,
                           void* with) { return io(f).xFileControl(in(f), what, with); },
        .xSectorSize = [](sqlite3_file* f) { return io(f).xSectorSize(in(f)); },
        .xDeviceCharacteristics =
            [](sqlite3_file* f) { return io(f).xDeviceCharacteristics(in(f)); },
        .xShmMap = [](sqlite3_file* f, int page, int size, int extend,
                      void volatile** to) { return io(f).xShmMap(in(f), page, size, extend, to); },
        .xShmLock = [](sqlite3_file* f, int at, int count,
                       int how) { return io(f).xShmLock(in(f), at, count, how); },
        .xShmBarrier = [](sqlite3_file* f) { io(f).xShmBarrier(in(f)); },
        .xShmUnmap = [](sqlite3_file* f, int removes) { return io(f).xShmUnmap(in(f), removes); },
        .xFetch = nullptr,
        .xUnfetch = nullptr};
    return &kMethods;
  }

  sqlite3_vfs* const real_;
  sqlite3_vfs own_;
  mutable Mutex mutex_;
  std::map<std::string, Disk> files_ PODIUM_GUARDED_BY(mutex_);
};

}  // namespace podium::store
