// Times, each by itself and as a column.
#include "podium/data/import_times.h"

#include <gtest/gtest.h>

#include "podium/data/test_import.h"

namespace podium::data {
namespace {

std::optional<Moment> time_of(std::string_view text) {
  TimeForm form = TimeForm::kNone;
  return parse_time(text, form);
}

TEST(Times, OfAllClocks) {
  const Moment moment(1609459200, 123000000);
  for (const char* text :
       {"1609459200.123", "1609459200123", "1609459200123000", "1609459200123000000",
        "2021-01-01T00:00:00.123Z", "2021-01-01 00:00:00.123", "2021-01-01T01:00:00.123+01:00",
        "2020-12-31 18:30:00.123 -0530", "2021-01-01 00:00:00,123 UTC"}) {
    const auto time = time_of(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(time->seconds, moment.seconds) << text;
    EXPECT_NEAR(time->nanos, moment.nanos, 1000) << text;
  }
  EXPECT_EQ(time_of("2021-01-01"), Moment(1609459200));
  EXPECT_EQ(time_of("2021/01/01 00:01"), Moment(1609459260));
  for (const char* text :
       {"20210101T000100", "20210101T0001Z", "2021-01-01T000100", "20210101 00:01"}) {
    EXPECT_EQ(time_of(text), Moment(1609459260)) << text;
  }
  EXPECT_EQ(time_of("2021-01"), Moment(1609459200));
  EXPECT_EQ(time_of("1609459200,5"), Moment(1609459200, 500000000));
  EXPECT_EQ(time_of("-1"), Moment(-1));
  EXPECT_EQ(time_of("-0.25"), Moment(-1, 750000000));
  EXPECT_EQ(time_of("0"), Moment(0));
}

TEST(Times, WithTheNameOfAMonth) {
  for (const char* text : {"Tue Apr 03 18:00:09 +0000 2012", "Tue Apr 03 20:00:09 +0200 2012",
                           "Tue, 03 Apr 2012 18:00:09 +0000", "Tue, 3 Apr 2012 18:00:09 GMT",
                           "3 Apr 2012 18:00:09 +0000 (UTC)", "Tue Apr  3 18:00:09 2012",
                           "Tue Apr 03 18:00:09 UTC 2012", "Tuesday, 03-Apr-2012 18:00:09 GMT",
                           "April 3, 2012 18:00:09", "2012-04-03 18:00:09 +0000 UTC",
                           "2012-04-03 20:00:09 +0200 CEST"}) {
    EXPECT_EQ(time_of(text), Moment(1333476009)) << text;
  }
  for (const char* text : {"Apr 3, 2012", "3 Apr 2012", "03-Apr-2012"}) {
    EXPECT_EQ(time_of(text), Moment(1333411200)) << text;
  }
}

TEST(Times, WhatIsNone) {
  for (const char* text : {"yesterday",
                           "2021-13-01",
                           "2021-02-29",
                           "0000-00-00 00:00:00",
                           "2021-01-01 25:00",
                           "2021-01-01T",
                           "2021-01-01 00:00:00 CET",
                           "1e300",
                           "nan",
                           "99999999999999999999",
                           "12:30",
                           "1 2",
                           "2021-1-1",
                           "2021-13",
                           "20211301T00",
                           "01/02/2019",
                           "Apr 31, 2012",
                           "Apx 3, 2012",
                           "Tue Apr 03 18:00:09 CEST 2012",
                           "Apr 2012",
                           "3 Apr",
                           "Tue 2012-04-03",
                           "03 04 2012",
                           "637134336000000000",
                           "132223104000000000",
                           "1,580,515,200"}) {
    EXPECT_FALSE(time_of(text).has_value()) << text;
  }
}

TEST(Times, DigitsOfDates) {
  EXPECT_EQ(time_of_digits(20210101), 1609459200);
  EXPECT_EQ(time_of_digits(202101010001), 1609459260);
  EXPECT_EQ(time_of_digits(20210101000101), 1609459261);
  for (const int64_t number : {20210229L, 20211301L, 1609459200L, 18990101L, 99991231L, 2021L,
                               202101012400L, 20210101000061L, 1609459200000L}) {
    EXPECT_FALSE(time_of_digits(number).has_value()) << number;
  }
}

class ImportTimes : public ImportTest {
 protected:
  // Imports events of these times; the first file's notes, each followed by ";".
  std::string notes_for(const std::vector<std::string>& times) {
    std::string text = "user_id,item_id,timestamp\n";
    for (size_t i = 0; i < times.size(); ++i) {
      text += "ann,i" + std::to_string(i) + "," + times[i] + "\n";
    }
    request.files = {write({"e.csv", text})};
    const Json content = run();
    std::string notes;
    for (const Json& note : content.at("source").at("files").at(0).value("notes", Json::array())) {
      notes += note.get<std::string>() + ";";
    }
    return notes;
  }
  static bool holds(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(ImportTimes, AColumnOfCompactDatesIsOneOfDates) {
  EXPECT_TRUE(
      holds(notes_for({"20210102", "20210101"}), "times such as 20210102 were read as dates"));
  EXPECT_EQ(rows(), Rows{"ann: i1@1609459200 i0@1609545600"});
  notes_for({"20210101000100", "20210101000059"});
  EXPECT_EQ(rows(), Rows{"ann: i1@1609459259 i0@1609459260"});
  notes_for({"202101010001", "202101010000"});
  EXPECT_EQ(rows(), Rows{"ann: i1@1609459200 i0@1609459260"});
}

TEST_F(ImportTimes, OneThatIsNoDateLeavesTheNumbersAndIsNamed) {
  const std::string notes = notes_for({"20210101", "20210102", "20211301"});
  EXPECT_TRUE(holds(notes, "2 of 3 times spell dates")) << notes;
  EXPECT_TRUE(holds(notes, "20211301")) << notes;
  EXPECT_EQ(rows(), Rows{"ann: i0@20210101 i1@20210102 i2@20211301"});
}

TEST_F(ImportTimes, TimesThatAllLieIn1970AreTold) {
  for (const char* first : {"17897", "2019", "43466", "0"}) {
    EXPECT_TRUE(holds(notes_for({first, "18000"}), "all times lie in 1970")) << first;
  }
  EXPECT_EQ(notes_for({"1609459200", "1609459201"}), "");
  EXPECT_TRUE(holds(notes_for({"-1", "-1"}), "all times lie in 1970"));
  EXPECT_EQ(notes_for({"1970-02-03", "1970-02-04"}), "");  // so they were written
}

TEST_F(ImportTimes, SomeTimesIn1970BesideLaterOnesAreTold) {
  for (const char* odd : {"0", "-1", "17897"}) {
    EXPECT_EQ(notes_for({"1609459200", odd, odd}),
              "2 of 3 times lie in 1970, the first in line 3, beside later ones: 0 or -1 for "
              "\"unknown\"? Leave such times blank;");
  }
  EXPECT_TRUE(holds(notes_for({"2021-01-01", "1970-01-01 00:00:00"}), "1 of 2 times lie in 1970"));
  EXPECT_TRUE(holds(notes_for({"1609459200000", "0"}), "1 of 2 times lie in 1970"));
  EXPECT_EQ(notes_for({"2021-01-01", "1970-02-03"}), "");
  EXPECT_EQ(notes_for({"1609459200", "-315619200"}), "");  // 1960
}

TEST_F(ImportTimes, SeveralFormsInOneFileAreTold) {
  const std::string notes = notes_for({"1609459200", "253402300799", "2021-01-01"});
  for (const char* part :
       {"1 as seconds (first: 1609459200)", "1 as milliseconds (first: 253402300799)",
        "1 as ISO 8601 (first: 2021-01-01)"}) {
    EXPECT_TRUE(holds(notes, part)) << notes;
  }
}

TEST_F(ImportTimes, WhatIsOutOfRangeIsNamedWithItsUnitAndTheCure) {
  events({"e.csv",
          "user_id,item_id,timestamp\nann,a,1\nann,b,9999-12-31\nann,c,9999-12-30\n"
          "ann,d,1e20\nann,e,01/02/2019\nann,f,soon\nann,g,12/1/2010 8:26\n"
          "ann,h,637134336000000000\n"});
  const Json reasons = run().at("source").at("import").at("reasons");
  const std::map<std::string, int> expected = {
      {"time not between the years 1900 and 5138 (first: 9999-12-31, read as ISO 8601); where it "
       "stands for no time, leave it blank",
       2},
      {"time not between the years 1900 and 5138 (first: 1e20, read as nanoseconds); where it "
       "stands for no time, leave it blank",
       1},
      {"the day and the month of this time cannot be told apart; write ISO 8601, such as "
       "2019-01-31 08:26",
       2},
      {"time not understood; write Unix seconds, ISO 8601 such as 2019-01-31 08:26, or 31 Jan 2019 "
       "08:26:00 +0000",
       1},
      {"time is in ticks of 100 ns, of .NET or Windows (first: 637134336000000000); write Unix "
       "seconds or ISO 8601",
       1}};
  EXPECT_EQ(reasons, Json(expected));
}

}  // namespace
}  // namespace podium::data
