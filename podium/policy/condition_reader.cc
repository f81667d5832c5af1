#include "podium/policy/condition_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace podium::policy {
namespace {

constexpr std::array<std::string_view, 11> kOfItem = {
    "field",   "equals",  "in",         "not_in",     "at_least",       "at_most",
    "missing", "present", "older_than", "newer_than", "matches_request"};
constexpr std::array<std::string_view, 6> kOfRequest = {"request", "equals",  "in",
                                                        "not_in",  "missing", "present"};

void read_presence(const TomlTable& table, FieldTest& test) {
  if (table.has("missing") && table.has("present")) {
    table.fail("missing", "missing and present are one too many", "drop one of them");
  }
  if (table.has("missing")) test.present = !table.boolean("missing");
  if (table.has("present")) test.present = table.boolean("present");
}

void read_bounds(const TomlTable& table, FieldTest& test) {
  if (table.has("at_least")) test.at_least = table.number("at_least", {});
  if (table.has("at_most")) test.at_most = table.number("at_most", {});
  if (test.at_least && test.at_most && *test.at_least > *test.at_most) {
    table.fail("at_least", "at_least is above at_most: nothing can be both");
  }
  if (table.has("older_than")) test.older_than = table.duration("older_than");
  if (table.has("newer_than")) test.newer_than = table.duration("newer_than");
  if (test.older_than && test.newer_than && *test.older_than >= *test.newer_than) {
    table.fail("older_than", "older_than must be below newer_than: nothing can be both");
  }
}

// The request's fields are texts.
void check_texts(const TomlTable& table, const FieldTest& test) {
  const auto text = [](const Scalar& value) { return std::holds_alternative<std::string>(value); };
  if (!std::all_of(test.in.begin(), test.in.end(), text) ||
      !std::all_of(test.not_in.begin(), test.not_in.end(), text)) {
    table.fail("request", "a request's fields are compared with texts", "write \"1\" for 1");
  }
}

FieldTest read_test(const TomlTable& table) {
  FieldTest test;
  test.of_request = table.has("request");
  test.field = table.text(test.of_request ? "request" : "field");
  if (table.has("equals") && table.has("in")) {
    table.fail("equals", "equals and in are one too many", "drop one of them");
  }
  if (table.has("equals")) test.in = {table.scalar("equals")};
  if (table.has("in")) test.in = table.scalars("in");
  if (table.has("not_in")) test.not_in = table.scalars("not_in");
  read_presence(table, test);
  if (test.of_request) {
    check_texts(table, test);
  } else {
    read_bounds(table, test);
    test.matches_request = table.text("matches_request", "");
  }
  return test;
}

}  // namespace

Condition read_condition(const TomlTable& table, std::string_view key) {
  Condition condition;
  for (const toml::table* entry : table.tables(key)) {
    const std::string what = fmt::format("the condition '{}' of {}", key, table.what());
    const bool of_request = entry->contains("request");
    const TomlTable reader(*entry, what, table.file(),
                           of_request ? std::span<const std::string_view>(kOfRequest) : kOfItem);
    condition.push_back(read_test(reader));
    if (entry->size() < 2) reader.fail("", what + " asks for nothing", "add equals, at_least, ...");
    if (condition.back().present == false && entry->size() > 2) {
      reader.fail("", what + " asks what is missing for more", "leave missing by itself");
    }
  }
  return condition;
}

}  // namespace podium::policy
