#include "podium/data/unread_formats.h"

#include "podium/base/error.h"

namespace podium::data {
namespace {

using std::string_view_literals::operator""sv;

struct Unread {
  std::string_view start;
  const char* what;
  const char* cure;
};

constexpr const char* kSheet = "save its sheets as CSV in the program that opens it";
constexpr const char* kPickle =
    "write it as CSV first, in Python: pandas.read_pickle('FILE').to_csv('NEW.csv', index=False)";
constexpr const char* kFeather =
    "write it as CSV first, in Python: pandas.read_feather('FILE').to_csv('NEW.csv', index=False)";
constexpr const char* kPage = "fetch the file itself, not the page about it";

constexpr Unread kUnread[] = {
    {"\x1F\x8B"sv, "a gz file within another", "unpack it once: gunzip -c FILE > NEW"},
    {"PK\3\4"sv, "a zip file", "unpack it: unzip FILE; podium reads a zip only from a file"},
    {"BZh"sv, "a bzip2 file", "unpack it: bunzip2 FILE"},
    {"\xFD\x37zXZ\0"sv, "an xz file", "unpack it: unxz FILE"},
    {"\x28\xB5\x2F\xFD"sv, "a zstd file", "unpack it: unzstd FILE"},
    {"\x04\x22\x4D\x18"sv, "an lz4 file", "unpack it: unlz4 FILE"},
    {"\x1F\x9D"sv, "a file of compress", "unpack it: uncompress FILE"},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive", "unpack it: 7z x FILE"},
    {"Rar!\x1A\x07"sv, "a rar archive", "unpack it: unrar x FILE"},
    {"SQLite format 3\0"sv, "an SQLite database",
     "write its table as CSV first: sqlite3 -header -csv FILE 'select * from TABLE' > NEW.csv"},
    {"PAR1"sv, "a Parquet file",
     "write it as CSV first: duckdb -c \"copy 'FILE' to 'NEW.csv'\", or in Python: "
     "pandas.read_parquet('FILE').to_csv('NEW.csv', index=False)"},
    {"ARROW1"sv, "an Arrow file", kFeather},
    {"FEA1"sv, "a Feather file", kFeather},
    {"Obj\1"sv, "an Avro file", "write it as JSON lines first: avro-tools tojson FILE > NEW.jsonl"},
    {"\x89HDF\r\n\x1A\n"sv, "an HDF5 file",
     "write it as CSV first, in Python: pandas.read_hdf('FILE').to_csv('NEW.csv', index=False)"},
    {"\x93NUMPY"sv, "a NumPy file", "write it as CSV first, in Python: numpy.savetxt"},
    {"\x80\4\x95"sv, "a Python pickle", kPickle},
    {"\x80\5\x95"sv, "a Python pickle", kPickle},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an Excel workbook", kSheet},
    {"%PDF-"sv, "a PDF file", "import the data that it was made of"},
    {"<!DOCTYPE"sv, "a web page and no data", kPage},
    {"<!doctype"sv, "a web page and no data", kPage},
    {"<html"sv, "a web page and no data", kPage},
};

constexpr size_t kTarMark = 257;

}  // namespace

void refuse_unread(std::string_view start, const std::string& name) {
  for (const Unread& format : kUnread) {
    if (!start.starts_with(format.start)) continue;
    if (format.start == "BZh" && start.find("1AY&SY") != 4) continue;  // its first block
    throw Error(std::string("this is ") + format.what, format.cure, name);
  }
  if (start.size() > kTarMark && start.substr(kTarMark).starts_with("ustar")) {
    throw Error("this is a tar archive", "unpack it: tar -xf FILE; then name the files in it",
                name);
  }
}

void refuse_workbook(const std::string& name) {
  throw Error("this is a workbook of Excel or LibreOffice", kSheet, name);
}

}  // namespace podium::data
