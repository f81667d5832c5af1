// Small imports for unit tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "podium/base/error.h"
#include "podium/base/scratch.h"
#include "podium/data/dataset.h"
#include "podium/data/import.h"

namespace podium::data {

// A table of two events.
inline constexpr const char* kEvents = "user_id,item_id,timestamp\nann,lamp,100\nbob,bed,200\n";

class ImportTest : public testing::Test {
 protected:
  struct Given {
    std::string name, text;
  };

  fs::path path(const std::string& name) const { return folder_ / name; }

  // Files to import, written to the test's folder.
  void events(const Given& file) { request.files.push_back(write(file)); }
  void items(const Given& file) { request.items.push_back(write(file)); }
  fs::path write(const Given& file) const {
    write_file_atomic(path(file.name), file.text);
    return path(file.name);
  }

  // Imports what was given; the manifest's content.
  Json run() {
    request.out = path("d");
    return import_files(request);
  }
  // The error of an import that must fail.
  Error failure() {
    try {
      run();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "the import did not fail";
    return Error("");
  }
  Dataset dataset() const { return Dataset::open(path("d")); }

  // "user: item@time item@time" a user, sorted by user id.
  std::vector<std::string> rows() const {
    const Dataset d = dataset();
    std::vector<std::string> rows;
    for (UserIndex u = 0; u < d.users(); ++u) {
      std::string row = std::string(d.user_id(u)) + ":";
      for (size_t i = 0; i < d.items_of(u).size(); ++i) {
        row +=
            " " + std::string(d.item_id(d.items_of(u)[i])) + "@" + std::to_string(d.times_of(u)[i]);
      }
      rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  std::string title(std::string_view item) const {
    const Dataset d = dataset();
    const auto index = d.find_item(item);
    return index ? std::string(d.title(*index)) : "no such item";
  }

  ImportRequest request;

 private:
  fs::path folder_ = scratch_dir(std::string("import-") +
                                 testing::UnitTest::GetInstance()->current_test_info()->name());
};

using Rows = std::vector<std::string>;

}  // namespace podium::data
