// GPT-2's printable stand-ins of bytes, in which tokenizer.json and GGUF files spell tokens.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace podium::text {

// By byte: the letter in UTF-8.
const std::array<std::string, 256>& byte_letters();

std::string to_letters(std::string_view bytes);
std::optional<std::string> from_letters(std::string_view letters);  // nullopt: one is no stand-in

}  // namespace podium::text
