// A row of the catalogue on its way into a dataset.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace podium::data {

struct CatalogItem {
  std::string id = {}, title = {}, brand = {}, description = {};
  std::vector<std::string> categories = {};
  float price = std::numeric_limits<float>::quiet_NaN();  // NaN when unknown
};

}  // namespace podium::data
