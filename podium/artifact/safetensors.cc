#include "podium/artifact/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "podium/base/error.h"
#include "podium/base/json.h"

namespace podium::artifact {
namespace {

constexpr size_t kAlign = 64;
constexpr uint64_t kMaxHeader = 100 << 20;

struct DtypeName {
  Dtype dtype;
  const char* name;
  size_t size;  // 0: of other than whole bytes, or unknown
};
constexpr DtypeName kDtypes[] = {{Dtype::kF32, "F32", 4},   {Dtype::kF16, "F16", 2},
                                 {Dtype::kBF16, "BF16", 2}, {Dtype::kI64, "I64", 8},
                                 {Dtype::kI32, "I32", 4},   {Dtype::kI16, "I16", 2},
                                 {Dtype::kU8, "U8", 1},     {Dtype::kI8, "I8", 1},
                                 {Dtype::kBool, "BOOL", 1}, {Dtype::kForeign, "", 0}};
constexpr DtypeName kForeign[] = {{Dtype::kForeign, "F64", 8},     {Dtype::kForeign, "U64", 8},
                                  {Dtype::kForeign, "U32", 4},     {Dtype::kForeign, "U16", 2},
                                  {Dtype::kForeign, "C64", 8},     {Dtype::kForeign, "F8_E4M3", 1},
                                  {Dtype::kForeign, "F8_E5M2", 1}, {Dtype::kForeign, "F8_E8M0", 1}};

const DtypeName& describe(Dtype dtype) { return kDtypes[static_cast<size_t>(dtype)]; }

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::kF32;
  if constexpr (std::is_same_v<T, int64_t>) return Dtype::kI64;
  if constexpr (std::is_same_v<T, int32_t> || std::is_same_v<T, uint32_t>) return Dtype::kI32;
  if constexpr (std::is_same_v<T, int16_t> || std::is_same_v<T, uint16_t>) return Dtype::kI16;
  if constexpr (std::is_same_v<T, int8_t>) return Dtype::kI8;
  return Dtype::kU8;
}

[[noreturn]] void damaged(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kCorrupt, "damaged safetensors file: " + what,
              "write it again from its source", where);
}

DtypeName named(std::string_view name) {
  for (const DtypeName& known : kDtypes) {
    if (name == known.name) return known;
  }
  for (const DtypeName& foreign : kForeign) {
    if (name == foreign.name) return foreign;
  }
  return {Dtype::kForeign, "", 0};
}

// Reads the header's entries.
class EntryReader {
 public:
  EntryReader(const std::string& where, std::span<const std::byte> data)
      : where_(where), data_(data) {}

  TensorView read(const std::string& name, const Json& entry) const {
    TensorView view{};
    view.type = entry.at("dtype").get<std::string>();
    const DtypeName dtype = named(view.type);
    view.dtype = dtype.dtype;
    uint64_t size = dtype.size;
    for (const Json& extent : entry.at("shape")) {
      const uint64_t n = natural(name, extent);
      if (n > uint64_t(std::numeric_limits<int64_t>::max()) ||
          __builtin_mul_overflow(size, n, &size)) {
        damaged(where_, fmt::format("tensor '{}' has an impossible shape", name));
      }
      view.shape.push_back(int64_t(n));
    }
    const Json& offsets = entry.at("data_offsets");
    if (!entry.at("shape").is_array() || !offsets.is_array() || offsets.size() != 2) {
      damaged(where_, fmt::format("tensor '{}' has no shape or no pair of offsets", name));
    }
    const uint64_t begin = natural(name, offsets[0]), end = natural(name, offsets[1]);
    const bool sized = dtype.size > 0;  // else the size cannot be checked
    if (begin > end || end > data_.size() || (sized && end - begin != size)) {
      damaged(where_, fmt::format("tensor '{}' lies outside the file or has the wrong size", name));
    }
    view.bytes = data_.subspan(begin, end - begin);
    return view;
  }

 private:
  uint64_t natural(const std::string& name, const Json& number) const {
    if (!number.is_number_unsigned()) {
      damaged(where_, fmt::format("tensor '{}': a shape or an offset is no whole number", name));
    }
    return number.get<uint64_t>();
  }

  const std::string& where_;
  std::span<const std::byte> data_;
};

void check_filled(const std::string& where, std::span<const std::byte> data,
                  const std::map<std::string, TensorView, std::less<>>& tensors) {
  std::vector<std::pair<const std::string*, std::span<const std::byte>>> order;
  for (const auto& [name, view] : tensors) order.emplace_back(&name, view.bytes);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.data(), a.second.size()) <
           std::pair(b.second.data(), b.second.size());
  });
  const std::byte* end = data.data();
  for (const auto& [name, bytes] : order) {
    if (bytes.data() != end) {
      damaged(where, fmt::format("tensor '{}' {}", *name,
                                 bytes.data() < end ? "overlaps another" : "follows a hole"));
    }
    end = bytes.data() + bytes.size();
  }
  if (end != data.data() + data.size()) damaged(where, "bytes follow the last tensor");
}

}  // namespace

size_t dtype_size(Dtype dtype) { return describe(dtype).size; }

SafetensorsFile::SafetensorsFile(const fs::path& path) : file_(path), where_(path.string()) {
  read(file_.bytes());
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, std::string where) {
  SafetensorsFile file;
  file.where_ = std::move(where);
  file.read(bytes);
  return file;
}

void SafetensorsFile::read(std::span<const std::byte> bytes) {
  uint64_t header = 0;
  if (bytes.size() < 8) damaged(where_, "shorter than its header");
  std::memcpy(&header, bytes.data(), 8);
  if (header > kMaxHeader || header > bytes.size() - 8) damaged(where_, "header length is wrong");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, header);
  const Json table = parse_json(text, where_);
  if (!table.is_object()) damaged(where_, "header is not an object");
  const std::span<const std::byte> data = bytes.subspan(8 + header);
  const EntryReader reader(where_, data);
  try {
    for (const auto& [name, entry] : table.items()) {
      if (name == "__metadata__") {
        metadata_ = entry.get<std::map<std::string, std::string>>();
      } else {
        tensors_.emplace(name, reader.read(name, entry));
      }
    }
  } catch (const Json::exception& e) {
    damaged(where_, e.what());
  }
  check_filled(where_, data, tensors_);
}

bool SafetensorsFile::has(std::string_view name) const { return tensors_.contains(name); }

const TensorView& SafetensorsFile::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw Error(fmt::format("no tensor '{}'", name), "write the file again with this version",
                where_);
  }
  return found->second;
}

template <class T>
std::span<const T> SafetensorsFile::get(std::string_view name) const {
  const TensorView& view = tensor(name);
  const bool half =
      std::is_same_v<T, uint16_t> && (view.dtype == Dtype::kBF16 || view.dtype == Dtype::kF16);
  if (view.dtype != dtype_of<T>() && !half) {
    throw Error(fmt::format("tensor '{}' is of type {}, {} is needed", name, view.type,
                            describe(dtype_of<T>()).name),
                "write the file again with this version", where_);
  }
  if (reinterpret_cast<uintptr_t>(view.bytes.data()) % alignof(T) != 0) {
    damaged(where_, fmt::format("tensor '{}' is not aligned", name));
  }
  return {reinterpret_cast<const T*>(view.bytes.data()), view.bytes.size() / sizeof(T)};
}

template <class T>
// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved
void SafetensorsWriter::add(std::string name, std::span<const T> data, std::vector<int64_t> shape) {
  if (shape.empty()) shape = {static_cast<int64_t>(data.size())};
  add_raw(std::move(name), dtype_of<T>(), std::move(shape), std::as_bytes(data));
}

void SafetensorsWriter::add_raw(std::string name, Dtype dtype, std::vector<int64_t> shape,
                                std::span<const std::byte> bytes) {
  uint64_t count = dtype_size(dtype);
  PODIUM_CHECK(count > 0);
  for (const int64_t n : shape) count *= uint64_t(n);
  PODIUM_CHECK(count == bytes.size());
  tensors_[std::move(name)] = {dtype, std::move(shape), bytes, describe(dtype).name};
}

void SafetensorsWriter::set_metadata(std::string key, std::string value) {
  metadata_[std::move(key)] = std::move(value);
}

void SafetensorsWriter::write(const fs::path& path) const {
  // Tensors lie back to back, as readers of other languages require; the widest elements first
  // keeps every tensor aligned to its own element size.
  std::vector<std::pair<std::string, const TensorView*>> order;
  for (const auto& [name, view] : tensors_) order.emplace_back(name, &view);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return dtype_size(a.second->dtype) > dtype_size(b.second->dtype);
  });
  Json header = Json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  uint64_t offset = 0;
  for (const auto& [name, view] : order) {
    header[name] = {{"dtype", describe(view->dtype).name},
                    {"shape", view->shape},
                    {"data_offsets", {offset, offset + view->bytes.size()}}};
    offset += view->bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 8 + kAlign - 1) / kAlign * kAlign - 8, ' ');
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&length), 8});
  file.write(text);
  for (const auto& [name, view] : order) {
    file.write({reinterpret_cast<const char*>(view->bytes.data()), view->bytes.size()});
  }
  file.commit();
}

#define PODIUM_SAFETENSORS_TYPE(T)                                             \
  template std::span<const T> SafetensorsFile::get<T>(std::string_view) const; \
  template void SafetensorsWriter::add<T>(std::string, std::span<const T>, std::vector<int64_t>)
PODIUM_SAFETENSORS_TYPE(float);
PODIUM_SAFETENSORS_TYPE(int64_t);
PODIUM_SAFETENSORS_TYPE(int32_t);
PODIUM_SAFETENSORS_TYPE(uint32_t);
PODIUM_SAFETENSORS_TYPE(int16_t);
PODIUM_SAFETENSORS_TYPE(uint16_t);
PODIUM_SAFETENSORS_TYPE(int8_t);
PODIUM_SAFETENSORS_TYPE(uint8_t);
PODIUM_SAFETENSORS_TYPE(char);
#undef PODIUM_SAFETENSORS_TYPE

}  // namespace podium::artifact
