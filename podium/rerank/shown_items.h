// What a prompt shows of the items of a slate, as text: what a chat model reads, and what a trace
// is checked against.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "podium/rerank/prompt.h"

namespace podium::rerank {

// The newest items of the history that prompts show, oldest first.
std::span<const ItemIndex> shown_history(const PromptContext& context, const Slate& slate);

// "12.50"; empty when it is unknown.
std::string price_text(const data::Dataset& dataset, ItemIndex item);

// All numbers in a text: "2 x 4.50" holds 2 and 4.5.
std::vector<double> numbers_in(std::string_view text);

// The text of all shown items, line by line, and every number that is true of them: those of the
// text, how many items there are, and how many share a category or a brand.
struct ShownItems {
  std::string text;
  std::set<double> numbers;
};
ShownItems shown_items(const PromptContext& context, const Slate& slate);

}  // namespace podium::rerank
