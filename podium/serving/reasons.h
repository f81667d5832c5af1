// Why an item is in an answer, in words.
#pragma once

#include <string>
#include <vector>

#include "podium/serving/bundle.h"
#include "podium/serving/request.h"

namespace podium::serving {

// The strongest three kinds of evidence, strongest first.
std::vector<std::string> reasons(const rerank::Evidence& evidence);

// The sources that found it.
std::vector<std::string> sources(const AnswerItem& item, const Bundle& bundle);

}  // namespace podium::serving
