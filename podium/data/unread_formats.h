// Formats that podium does not read, told by their first bytes.
#pragma once

#include <string>
#include <string_view>

namespace podium::data {

// start: at least the first 512 bytes of a file, or the whole of it, after one layer of gz or zip
// was taken off. Throws Error that names the format and the command that unpacks or converts it:
// other packers (a second layer of gz or zip too), archives, databases, column files, workbooks,
// web pages.
void refuse_unread(std::string_view start, const std::string& name);

// Error for a workbook (.xlsx, .ods), which is a zip.
[[noreturn]] void refuse_workbook(const std::string& name);

}  // namespace podium::data
