#include "podium/artifact/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "podium/base/error.h"

namespace podium::artifact {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint32_t kOldestGguf = 2, kNewestGguf = 3;
constexpr uint64_t kDefaultAlignment = 32;
constexpr int kMaxNesting = 4;
constexpr uint32_t kMaxExtents = 4;
constexpr uint32_t kGgufArray = 9;
// The fewest bytes an item can take in the file: bounds what a count may ask to be allocated.
constexpr size_t kSmallestPair = 8 + 4 + 1, kSmallestTensor = 8 + 4 + 4 + 8;

// A name from the file as it may stand in a message.
std::string shown(std::string_view name) {
  std::string text(name.substr(0, 64));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

// Reads forward; every step is checked against what is left.
class GgufCursor {
 public:
  GgufCursor(std::span<const std::byte> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  const std::string& where() const { return where_; }
  std::span<const std::byte> rest() const { return bytes_.subspan(position_); }

  [[noreturn]] void bad(const std::string& what) const {
    throw Error(fmt::format("damaged GGUF file: {}, before byte {}", what, position_),
                "download or convert the model again", where_);
  }

  std::span<const std::byte> take(uint64_t count) {
    if (count > rest().size()) bad(fmt::format("it ends where {} bytes should follow", count));
    const std::span<const std::byte> taken = rest().first(count);
    position_ += count;
    return taken;
  }

  template <class T>
  T scalar() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view string() {
    const std::span<const std::byte> bytes = take(scalar<uint64_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  bool boolean() {
    const auto value = scalar<uint8_t>();
    if (value > 1) bad(fmt::format("a truth value is {}", value));
    return value == 1;
  }

  // A number of items of at least `smallest` bytes each.
  uint64_t checked_count(uint64_t count, size_t smallest, const char* what) const {
    if (count > rest().size() / smallest) {
      bad(fmt::format("it claims {} {}, more than it can hold", count, what));
    }
    return count;
  }

  // Skips to the next multiple; false when that lies beyond the end.
  bool align(uint64_t alignment) {
    const uint64_t padding = (alignment - position_ % alignment) % alignment;
    if (padding > rest().size()) return false;
    position_ += padding;
    return true;
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& where_;
  size_t position_ = 0;
};

GgufArray read_array(GgufCursor& in, int nesting);

// use(read, smallest), where read() gives one value of the type with this number in the file.
template <class Use>
auto with_reader(GgufCursor& in, uint32_t type, int nesting, Use use) {
  switch (type) {
    case 0:
      return use([&] { return uint64_t{in.scalar<uint8_t>()}; }, 1);
    case 1:
      return use([&] { return int64_t{in.scalar<int8_t>()}; }, 1);
    case 2:
      return use([&] { return uint64_t{in.scalar<uint16_t>()}; }, 2);
    case 3:
      return use([&] { return int64_t{in.scalar<int16_t>()}; }, 2);
    case 4:
      return use([&] { return uint64_t{in.scalar<uint32_t>()}; }, 4);
    case 5:
      return use([&] { return int64_t{in.scalar<int32_t>()}; }, 4);
    case 6:
      return use([&] { return double{in.scalar<float>()}; }, 4);
    case 7:
      return use([&] { return in.boolean(); }, 1);
    case 8:
      return use([&] { return in.string(); }, 8);
    case kGgufArray:
      return use([&] { return read_array(in, nesting + 1); }, 12);
    case 10:
      return use([&] { return in.scalar<uint64_t>(); }, 8);
    case 11:
      return use([&] { return in.scalar<int64_t>(); }, 8);
    case 12:
      return use([&] { return in.scalar<double>(); }, 8);
    default:
      in.bad(fmt::format("metadata of unknown type {}", type));
  }
}

GgufArray read_array(GgufCursor& in, int nesting) {
  if (nesting > kMaxNesting) in.bad(fmt::format("arrays are nested over {} deep", kMaxNesting));
  const auto type = in.scalar<uint32_t>();
  const auto claimed = in.scalar<uint64_t>();
  return with_reader(in, type, nesting, [&](auto read, size_t smallest) {
    const uint64_t count = in.checked_count(claimed, smallest, "array items");
    std::vector<decltype(read())> items;
    if (type != kGgufArray) items.reserve(count);  // nested claims share the same bytes: no trust
    for (uint64_t i = 0; i < count; ++i) items.push_back(read());
    return GgufArray{std::move(items)};
  });
}

void check_version(GgufCursor& in) {
  const std::span<const std::byte> magic = in.take(std::min<size_t>(4, in.rest().size()));
  if (magic.size() < 4 || std::memcmp(magic.data(), "GGUF", 4) != 0) {
    throw Error("not a GGUF file", "check the path; other formats must be converted first",
                in.where());
  }
  const auto version = in.scalar<uint32_t>();
  if (version >= kOldestGguf && version <= kNewestGguf) return;
  if (version != 0 && version % 65536 == 0) {  // versions are small, so the bytes are swapped
    throw Error("the GGUF file is big endian", "convert the model for a little-endian machine",
                in.where());
  }
  throw Error(fmt::format("GGUF file of version {}, this program reads {} to {}", version,
                          kOldestGguf, kNewestGguf),
              version < kOldestGguf ? "convert the model again with a current llama.cpp"
                                    : "use a newer podium, or convert the model again",
              in.where());
}

using GgufMetadata = std::map<std::string, GgufValue, std::less<>>;

GgufMetadata read_metadata(GgufCursor& in, uint64_t claimed) {
  GgufMetadata metadata;
  const uint64_t count = in.checked_count(claimed, kSmallestPair, "metadata pairs");
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view key = in.string();
    const auto type = in.scalar<uint32_t>();
    GgufValue value =
        with_reader(in, type, /*nesting=*/0, [](auto read, size_t) { return GgufValue(read()); });
    if (!metadata.emplace(key, std::move(value)).second) {
      in.bad(fmt::format("metadata '{}' is there twice", shown(key)));
    }
  }
  return metadata;
}

uint64_t alignment_of(const GgufCursor& in, const GgufMetadata& metadata) {
  const auto found = metadata.find("general.alignment");
  if (found == metadata.end()) return kDefaultAlignment;
  const auto* alignment = std::get_if<uint64_t>(&found->second);
  if (alignment == nullptr || !std::has_single_bit(*alignment)) {
    in.bad("general.alignment is not a power of two");
  }
  return *alignment;
}

// A tensor whose bytes are not known to lie in the file yet.
struct PlannedTensor {
  std::string_view name;
  GgufTensor tensor;
  uint64_t offset, size;  // in the data
};

uint64_t size_in_bytes(const GgufCursor& in, const PlannedTensor& plan) {
  if (!ggml_supported(plan.tensor.type)) {
    throw Error(fmt::format("tensor '{}' is of the unsupported type {}", shown(plan.name),
                            ggml_type_name(plan.tensor.type)),
                "use a file of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K, such as Q8_0 or "
                "Q4_K_M",
                in.where());
  }
  const GgmlBlock block = ggml_block(plan.tensor.type);
  const std::vector<int64_t>& shape = plan.tensor.shape;
  uint64_t count = 1;
  bool sound = shape.empty() ? block.elements == 1 : uint64_t(shape.back()) % block.elements == 0;
  for (const int64_t extent : shape) {
    sound = sound && extent > 0 && !__builtin_mul_overflow(count, uint64_t(extent), &count);
  }
  uint64_t size = 0;
  if (!sound || __builtin_mul_overflow(count / block.elements, block.bytes, &size)) {
    in.bad(fmt::format("tensor '{}' has an impossible shape", shown(plan.name)));
  }
  return size;
}

PlannedTensor read_plan(GgufCursor& in) {
  PlannedTensor plan{};
  plan.name = in.string();
  const auto extents = in.scalar<uint32_t>();
  if (extents > kMaxExtents) {
    in.bad(fmt::format("tensor '{}' has {} extents", shown(plan.name), extents));
  }
  for (uint32_t i = 0; i < extents; ++i) plan.tensor.shape.push_back(in.scalar<int64_t>());
  std::reverse(plan.tensor.shape.begin(), plan.tensor.shape.end());  // the file's first is the row
  plan.tensor.type = static_cast<GgmlType>(in.scalar<uint32_t>());
  plan.offset = in.scalar<uint64_t>();
  plan.size = size_in_bytes(in, plan);
  return plan;
}

std::vector<PlannedTensor> read_plans(GgufCursor& in, uint64_t claimed) {
  std::vector<PlannedTensor> plans;
  const uint64_t count = in.checked_count(claimed, kSmallestTensor, "tensors");
  plans.reserve(count);
  for (uint64_t i = 0; i < count; ++i) plans.push_back(read_plan(in));
  return plans;
}

// Gives every tensor its bytes; in order of offset, so that an overlap is between neighbours.
void place_tensors(const GgufCursor& in, uint64_t alignment, std::vector<PlannedTensor>& plans) {
  const std::span<const std::byte> data = in.rest();
  std::sort(plans.begin(), plans.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
  uint64_t end = 0;
  for (PlannedTensor& plan : plans) {
    const char* fault = nullptr;
    if (plan.offset % alignment != 0) fault = "is not aligned";
    if (plan.offset < end) fault = "overlaps another";
    if (plan.offset > data.size() || plan.size > data.size() - plan.offset) {
      fault = "lies outside the file";
    }
    if (fault != nullptr) in.bad(fmt::format("tensor '{}' {}", shown(plan.name), fault));
    plan.tensor.bytes = data.subspan(plan.offset, plan.size);
    end = plan.offset + plan.size;
  }
}

template <class To, class From>
std::optional<To> convert(const From& value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, bool> || std::is_same_v<To, bool> ||
                       !std::is_arithmetic_v<From> || !std::is_arithmetic_v<To>) {
    return std::nullopt;
  } else if constexpr (std::is_same_v<To, double>) {
    return double(value);
  } else if constexpr (std::is_integral_v<From>) {
    if (std::in_range<To>(value)) return To(value);
  }
  return std::nullopt;
}

}  // namespace

GgufFile::GgufFile(const fs::path& path) : file_(path), where_(path.string()) {
  read(file_.bytes());
}

GgufFile GgufFile::parse(std::span<const std::byte> bytes, std::string where) {
  GgufFile file;
  file.where_ = std::move(where);
  file.read(bytes);
  return file;
}

void GgufFile::read(std::span<const std::byte> bytes) {
  GgufCursor in(bytes, where_);
  check_version(in);
  const auto tensors = in.scalar<uint64_t>(), pairs = in.scalar<uint64_t>();
  metadata_ = read_metadata(in, pairs);
  const uint64_t alignment = alignment_of(in, metadata_);
  std::vector<PlannedTensor> plans = read_plans(in, tensors);
  if (!in.align(alignment) && !plans.empty()) in.bad("it ends before its data");
  place_tensors(in, alignment, plans);
  for (PlannedTensor& plan : plans) {
    if (!tensors_.emplace(plan.name, std::move(plan.tensor)).second) {
      in.bad(fmt::format("tensor '{}' is there twice", shown(plan.name)));
    }
  }
}

void GgufFile::missing(std::string_view key, const char* why) const {
  throw Error(fmt::format("GGUF metadata '{}' {}", shown(key), why),
              "use a model file as llama.cpp writes it", where_);
}

template <class T>
std::optional<T> GgufFile::find(std::string_view key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return std::nullopt;
  const std::optional<T> value =
      std::visit([](const auto& held) { return convert<T>(held); }, found->second);
  if (!value) missing(key, "is of another kind or out of range");
  return value;
}

template <class T>
T GgufFile::get(std::string_view key) const {
  const std::optional<T> value = find<T>(key);
  if (!value) missing(key, "is missing");
  return *value;
}

template <class T>
const std::vector<T>& GgufFile::array(std::string_view key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) missing(key, "is missing");
  const auto* array = std::get_if<GgufArray>(&found->second);
  const auto* items = array == nullptr ? nullptr : std::get_if<std::vector<T>>(&array->items);
  if (items == nullptr) missing(key, "is no array of this kind");
  return *items;
}

const GgufTensor& GgufFile::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw Error(fmt::format("no tensor '{}'", shown(name)),
                "use a model file of a supported architecture", where_);
  }
  return found->second;
}

#define PODIUM_GGUF_TYPE(T)                                            \
  template std::optional<T> GgufFile::find<T>(std::string_view) const; \
  template T GgufFile::get<T>(std::string_view) const;                 \
  template const std::vector<T>& GgufFile::array<T>(std::string_view) const
PODIUM_GGUF_TYPE(uint64_t);
PODIUM_GGUF_TYPE(int64_t);
PODIUM_GGUF_TYPE(double);
PODIUM_GGUF_TYPE(bool);
PODIUM_GGUF_TYPE(std::string_view);
#undef PODIUM_GGUF_TYPE

}  // namespace podium::artifact
