#include "podium/data/import_rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "podium/data/import_values.h"

namespace podium::data {
namespace {

constexpr Role kTextRoles[] = {Role::kTitle, Role::kBrand, Role::kCategories, Role::kDescription,
                               Role::kPrice};

constexpr size_t kFieldsShown = 20;

constexpr const char* kUserList = "the user is a list or an object, and no id";
constexpr const char* kItemList = "the item is a list or an object, and no id";

// As parse_float, and with a decimal comma.
bool parse_rating(std::string_view text, float& rating) {
  text = unwrapped(text);
  if (parse_float(text, rating)) return true;
  const auto number = parse_decimal_comma(text);
  if (number) rating = static_cast<float>(*number);
  return number.has_value();
}

// Text may well be "None"; only what databases write for nothing is blank.
bool is_blank_text(const Cell& cell) {
  return cell.text.empty() || (cell.kind == Cell::Kind::kPlain && cell.text == "\\N");
}

template <class Use>
void each_part(std::string_view list, const Use& use) {
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(kListMark));
    list.remove_prefix(std::min(list.size(), part.size() + 1));
    use(part);
  }
}

}  // namespace

const Cell* RowReader::value(Role role, std::span<const Cell> cells) const {
  for (const size_t column : roles_.of(role)) {
    if (column < cells.size() && !no_value(cells[column])) return &cells[column];
  }
  return nullptr;
}

bool RowReader::present(Role role, std::span<const Cell> cells) const {
  return std::any_of(roles_.of(role).begin(), roles_.of(role).end(), [&](size_t column) {
    return column < cells.size() && cells[column].kind != Cell::Kind::kAbsent;
  });
}

bool RowReader::has(Cell::Kind kind, Role role, std::span<const Cell> cells) const {
  return std::any_of(roles_.of(role).begin(), roles_.of(role).end(), [&](size_t column) {
    return column < cells.size() && cells[column].kind == kind;
  });
}

// The user or the item; empty: reason says why there is none.
std::string_view RowReader::id(Role role, std::span<const Cell> cells, const char*& reason) {
  const Cell* cell = value(role, cells);
  const bool user = role == Role::kUser;
  reason = user ? "blank user" : "blank item";
  using Kind = Cell::Kind;
  if (cell == nullptr && !has(Kind::kList, role, cells) && !has(Kind::kObject, role, cells)) {
    return "";
  }
  std::string_view text = cell == nullptr ? "" : cell->text;
  const auto ends_blank = [&] { return text.front() <= ' ' || text.back() <= ' '; };
  if (!text.empty() && ends_blank()) text = trimmed(text);
  if (text.empty() || cell->kind == Cell::Kind::kList || list_or_object(text)) {
    reason = user ? kUserList : kItemList;
    return "";
  }
  notes_.took(size_t(cell - cells.data()));
  return text[0] == '=' ? trimmed(unwrapped(text)) : text;
}

std::string RowReader::text(Role role, std::span<const Cell> cells) const {
  for (const size_t column : roles_.of(role)) {
    if (column >= cells.size() || is_blank_text(cells[column])) continue;
    std::string text(unwrapped(cells[column].text));
    std::replace(text.begin(), text.end(), kListMark, ' ');
    return text;
  }
  return "";
}

std::string RowReader::joined(Role role, std::span<const Cell> cells) const {
  std::string text;
  for (const size_t column : roles_.of(role)) {
    if (column >= cells.size() || is_blank_text(cells[column])) continue;
    each_part(cells[column].text,
              [&](std::string_view part) { text.append(text.empty() ? "" : " ").append(part); });
  }
  return text;
}

std::vector<std::string> RowReader::categories(std::span<const Cell> cells) const {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  };
  for (const size_t column : roles_.of(Role::kCategories)) {
    if (column >= cells.size() || is_blank_text(cells[column])) continue;
    const Cell& cell = cells[column];
    if (cell.kind == Cell::Kind::kList) {
      each_part(cell.text, add);
    } else {
      for (const std::string& name : split_list(cell.text, rules_.list_separator)) add(name);
    }
  }
  return names;
}

// nullopt: there is none, or the reason says why it was not read.
std::optional<Moment> RowReader::time(const Place& at, std::span<const Cell> cells,
                                      std::string_view& reason) {
  const Cell* cell = value(Role::kTime, cells);
  if (cell == nullptr) {
    if (rules_.json && has(Cell::Kind::kObject, Role::kTime, cells)) reason = "time is an object";
    return std::nullopt;
  }
  const std::string_view text = unwrapped(cell->text);
  const auto time = times_.read(text, at.line);
  if (!time) reason = times_.why_not(text);
  return time;
}

void RowReader::event(const Place& at, std::span<const Cell> cells, std::string_view user,
                      std::string_view raw) {
  const char* no_item = nullptr;
  const std::string_view item = id(Role::kItem, cells, no_item);
  if (item.empty()) return sink_.reject(at, no_item, raw);
  std::string_view reason;
  const std::optional<Moment> when = time(at, cells, reason);
  if (!reason.empty()) return sink_.reject(at, reason, raw);
  float rating = 1;
  if (const Cell* cell = value(Role::kRating, cells)) {
    if (!parse_rating(cell->text, rating)) return sink_.reject(at, "rating is not a number", raw);
  } else if (rules_.json && has(Cell::Kind::kObject, Role::kRating, cells)) {
    return sink_.reject(at, "rating is an object", raw);
  }
  sink_.event(at, user, item, when, rating, raw);
}

void RowReader::item(const Place& at, std::span<const Cell> cells, std::string_view raw) {
  DatasetBuilder::Item item{"", "", "", "", {}, std::numeric_limits<float>::quiet_NaN()};
  const char* no_item = nullptr;
  item.id = id(Role::kItem, cells, no_item);
  if (item.id.empty()) return sink_.reject(at, no_item, raw);
  for (const Role role : kTextRoles) {
    if (rules_.json && has(Cell::Kind::kObject, role, cells)) notes_.left_out(role);
  }
  item.title = text(Role::kTitle, cells);
  item.brand = text(Role::kBrand, cells);
  item.description = joined(Role::kDescription, cells);
  item.categories = categories(cells);
  const Cell* cell = value(Role::kPrice, cells);
  Price price;
  if (cell != nullptr) {
    price = prices_.read(unwrapped(cell->text), rules_.json && cell->kind == Cell::Kind::kPlain);
    if (!price.open()) item.price = price.value;
  }
  if (sink_.item(at, item, raw) && cell != nullptr) prices_.keep(item.id, cell->text, price);
}

void RowReader::row(const Place& at, std::span<const Cell> cells, std::string_view raw) {
  if (looking()) notes_.look(roles_, cells);
  if (rules_.items) return item(at, cells, raw);
  if (present(Role::kUser, cells)) {
    const char* no_user = nullptr;
    const std::string_view user = id(Role::kUser, cells, no_user);
    return user.empty() ? sink_.reject(at, no_user, raw) : event(at, cells, user, raw);
  }
  const bool text = std::any_of(std::begin(kTextRoles), std::end(kTextRoles),
                                [&](Role role) { return value(role, cells) != nullptr; });
  const bool time =
      value(Role::kTime, cells) != nullptr || has(Cell::Kind::kObject, Role::kTime, cells);
  if (time || (value(Role::kRating, cells) != nullptr && !text)) {
    return sink_.reject(at, "no user (a catalogue is given with --items)", raw);
  }
  item(at, cells, raw);
}

void RowReader::finish() {
  DatasetBuilder& builder = sink_.builder();
  std::vector<std::string>& notes = sink_.file().notes;
  const auto set_price = [&](std::string_view item, float price) {
    builder.set_price(item, price);
  };
  const auto add = [&](std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(notes));
  };
  add(prices_.finish(set_price));
  add(times_.finish(builder.events_from(first_event_)));
  add(notes_.finish(roles_, rules_.items));
  report();
}

void RowReader::report() const {
  FileReport& file = sink_.file();
  std::string fields;
  for (size_t i = 0; i < std::min(roles_.size(), kFieldsShown); ++i) {
    fields += (i == 0 ? "" : ", ") + roles_.name(i);
  }
  if (!roles_.has(Role::kItem) && roles_.size() > 0) {
    file.notes.push_back(
        "no field is known as the item; map it with --map item=NAME; the fields are: " + fields);
  }
  const auto used = [&](Role role) {
    const bool event = role == Role::kUser || role == Role::kTime || role == Role::kRating;
    if (role == Role::kItem) return true;
    return event ? !rules_.items : rules_.items || file.items > 0;
  };
  for (size_t r = 1; r < kRoles; ++r) {
    const auto role = static_cast<Role>(r);
    if (!used(role) || !roles_.has(role)) continue;
    const bool join = role == Role::kCategories || role == Role::kDescription;
    std::string names;
    for (const size_t column : roles_.of(role)) {
      names += (names.empty() ? "" : join ? " and " : ", else ") + roles_.name(column);
    }
    const std::string key(role_name(role));
    if (rules_.map.contains(key)) names += rules_.items ? " (--map-items)" : " (--map)";
    file.columns[key] = names;
  }
}

}  // namespace podium::data
