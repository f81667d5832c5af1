// Conditions as TOML writes them: { field = "stock", at_least = 1 }, or a list of such tables.
#pragma once

#include <string_view>

#include "podium/policy/toml_table.h"

namespace podium::policy {

// Of the key, which must be there. Throws Error as TomlTable does, and where a test asks for
// nothing or for what cannot be.
Condition read_condition(const TomlTable& table, std::string_view key);

}  // namespace podium::policy
