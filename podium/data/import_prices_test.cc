// Prices, each by itself and as a column.
#include "podium/data/import_prices.h"

#include <gtest/gtest.h>

#include <cmath>

#include "podium/data/test_import.h"

namespace podium::data {
namespace {

TEST(Prices, ThatTellTheirDecimalSign) {
  const std::vector<std::pair<const char*, float>> prices = {
      {"12,50 €", 12.5F},
      {"10,99", 10.99F},
      {"$1.299,00", 1299},
      {"1 299,00", 1299},
      {"1'299.00", 1299},
      {"1\u2019299.00", 1299},
      {"$1,299.00", 1299},
      {"USD 12.50", 12.5F},
      {"1\u00A0299,00 €", 1299},
      {"1\u202F299,00 €", 1299},
      {"1\u2009299\u2009000", 1299000},
      {"1.299.000", 1299000},
      {"1,00,000.50", 100000.5F},
      {"1.299.00", 1299},
      {"1,299.995", 1299.995F},
      {"1 299.995", 1299.995F},
      {"12", 12},
      {"1299", 1299},
      {"1299.125", 1299.125F},
      {"0.125", 0.125F},
      {"12.989999771118164", 12.99F},
      {"1,5", 1.5F},
      {".99", 0.99F},
      {"Rs.500", 500},
      {"Rs. 1,29,900", 129900},
      {"12.-", 12},
      {"12,- €", 12},
      {"$12.99 - $15.99", 12.99F},
      {"12 - 15", 12},
      {"3 pcs", 3},
      {"1e-05", 1e-05F},
      {"60W $9.99", 9.99F},
      {"2 pcs: 9.99 EUR", 9.99F},
      {"10 for 3,50 \u20AC", 3.5F},
      {"5 $9.99", 9.99F},
      {"Sale - $15.99", 15.99F},
      {"99\u00A2", 0.99F},
      {"$1.299.000 kg", 1299000},
  };
  for (const auto& [text, value] : prices) {
    const Price price = read_price(text);
    EXPECT_FALSE(price.open()) << text;
    EXPECT_FLOAT_EQ(price.value, value) << text;
  }
  for (const char* text :
       {"free", "", ".", "€", "NaN", "$1k", "1.5K", "$2M", ".a { width: 50px }", "<b>5</b>",
        "1e300", "1e400", "1e+400", "99999999999999999999999999999999999999"}) {
    const Price price = read_price(text);
    EXPECT_TRUE(std::isnan(price.value)) << text;
    EXPECT_FALSE(price.open() || price.negative) << text;
  }
}

TEST(Prices, ThatAreNegativeAreUnknown) {
  for (const char* text : {"-1", "-1.0", "-1e3", "-$3.50", "$-3.50", "- $3.50", "\u22123,50 €",
                           "(12.50)", "($12.50)", "(12.50 €)", "USD -5", "-1.299"}) {
    const Price price = read_price(text);
    EXPECT_TRUE(price.negative) << text;
    EXPECT_TRUE(std::isnan(price.value) && !price.open()) << text;
  }
}

TEST(Prices, ThatAreOpen) {
  for (const char* text : {"1.299", "$1,299", "1,299 €"}) {
    const Price price = read_price(text);
    EXPECT_FLOAT_EQ(price.value, 1299) << text;
    EXPECT_FLOAT_EQ(price.as_decimal, 1.299F) << text;
  }
}

class ImportPrices : public ImportTest {
 protected:
  // Imports a catalogue of these prices, for items 0, 1, ...; its notes.
  Json notes_for(const std::vector<std::string>& prices) {
    std::string text = "item_id;price\n";
    for (size_t i = 0; i < prices.size(); ++i) {
      text += std::to_string(i % 4) + ";" + prices[i] + "\n";
    }
    request.files = {write({"e.csv", "user_id,item_id,timestamp\nann,0,1609459200\n"})};
    request.items = {write({"i.csv", text})};
    return run().at("source").at("files").at(1).value("notes", Json::array());
  }
  float price(const char* item) const {
    const Dataset d = dataset();
    return d.price(d.find_item(item).value());
  }
};

TEST_F(ImportPrices, TheColumnDecidesWhatIsOpen) {
  EXPECT_TRUE(notes_for({"1.299", "12.5", "1,299"}).empty());
  EXPECT_FLOAT_EQ(price("0"), 1.299F);
  EXPECT_FLOAT_EQ(price("2"), 1299);
  EXPECT_TRUE(notes_for({"1.299", "12,50 €", "1,299"}).empty());
  EXPECT_FLOAT_EQ(price("0"), 1299);
  EXPECT_FLOAT_EQ(price("2"), 1.299F);
}

TEST_F(ImportPrices, WithoutThatThousandsAreReadAndItIsSaid) {
  const Json notes = notes_for({"1.299", "5"});
  EXPECT_NE(notes.at(0).get<std::string>().find("1 prices such as 1.299"), std::string::npos);
  EXPECT_FLOAT_EQ(price("0"), 1299);
  notes_for({"1.299", "12,50", "12.50"});
  EXPECT_FLOAT_EQ(price("0"), 1299);
}

TEST_F(ImportPrices, TheLastPriceOfAnItemStaysOpenOrNot) {
  notes_for({"1.299", "7", "8", "9", "5"});
  EXPECT_FLOAT_EQ(price("0"), 5);
  notes_for({"5", "7", "8", "9", "1.299"});
  EXPECT_FLOAT_EQ(price("0"), 1299);
}

TEST_F(ImportPrices, NegativeOnesAreCounted) {
  const Json notes = notes_for({"-1", "5", "-$3.50"});
  EXPECT_EQ(notes, Json{"2 prices are negative, such as -1, and were read as unknown"});
  EXPECT_TRUE(std::isnan(price("0")));
  EXPECT_FLOAT_EQ(price("1"), 5);
}

TEST_F(ImportPrices, NumbersOfJsonHaveAPoint) {
  events({"e.csv", "user_id,item_id,timestamp\nann,0,1609459200\n"});
  items({"i.jsonl",
         "{\"item_id\":\"0\",\"price\":1.299}\n{\"item_id\":\"1\",\"price\":\"1.299\"}\n"});
  run();
  EXPECT_FLOAT_EQ(price("0"), 1.299F);
  EXPECT_FLOAT_EQ(price("1"), 1.299F);
}

}  // namespace
}  // namespace podium::data
