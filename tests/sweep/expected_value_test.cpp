#include "crossgrid/sweep/expected_value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "crossgrid/sweep/parameter.hpp"
#include "crossgrid/sweep/parameter_unit.hpp"
#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A sweep of adc.bits 4, 6, 8 and two styles with one expected value.
Json members_with(const char* where) {
  Json members = parse_json(R"({"hardware": {"adc.model": "quantizer"},
      "grid": {"adc.bits": [4, 6, 8], "core.style": ["balanced", "offset"]}})",
                            "test");
  members["expected"] = Json::array({{{"where", parse_json(where, "test")},
                                      {"metric", "top1.mean"},
                                      {"value", 0.9},
                                      {"tolerance", 0.01},
                                      {"source", "paper"}}});
  return members;
}

TEST(ExpectedValue, SpeaksOfThePointsThatItsConditionsLeave) {
  const auto points = [](const char* where) {
    const SweepFile sweep = sample_sweep(members_with(where));
    return Grid(sweep, sample_context()).matches(sweep.expected.at(0).where);
  };
  EXPECT_THAT(points("{}"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(points(R"({"adc.bits": 6})"), ElementsAre(2, 3));
  EXPECT_THAT(points(R"({"adc.bits": {"above": 4}, "core.style": "offset"})"), ElementsAre(3, 5));
}

TEST(ExpectedValue, ItsPointsAreCountedAsExcludeLeavesThem) {
  Json members = members_with(R"({"core.style": "offset"})");
  members["exclude"] =
      parse_json(R"([{"adc.bits": 4, "core.style": "balanced"}, {"adc.bits": 6, "core.style": "offset"}])", "test");
  const SweepFile sweep = sample_sweep(members);
  EXPECT_THAT(Grid(sweep, sample_context()).matches(sweep.expected.at(0).where), ElementsAre(0, 3));
  members["exclude"] = parse_json(R"([{"core.style": "offset"}])", "test");
  EXPECT_THAT(message_of([&] { Grid(sample_sweep(members), sample_context()); }),
              HasSubstr("/expected/0/where: 'exclude' drops all points that it speaks of"));
}

TEST(ExpectedValue, GoesAwayWithItsPointsWhereTheCommandLineTakesThemAway) {
  SweepOverrides overrides;
  overrides.grid = {"adc.bits=5,7"};
  const SweepFile sweep = sample_sweep(members_with(R"({"adc.bits": 6})"), overrides);
  EXPECT_THAT(sweep.expected, IsEmpty());
  EXPECT_EQ(parse_sweep(sweep.resolved, "x.json").resolved, sweep.resolved);
  EXPECT_EQ(sample_sweep(members_with(R"({"core.style": "offset"})"), overrides).expected.size(), 1u);
}

TEST(ExpectedValue, DoesNotChangeWhatPointsAre) {
  Json without = members_with("{}");
  without.erase("expected");
  EXPECT_EQ(Grid(sample_sweep(members_with("{}")), sample_context()).id(3),
            Grid(sample_sweep(without), sample_context()).id(3));
}

/// The table of units and that of docs/sweep-file.md say the same.
TEST(ParameterUnit, IsTheDocumentations) {
  std::ifstream file(CROSSGRID_TEST_SOURCE_DIR "/docs/sweep-file.md");
  std::size_t checked = 0;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## Parameters of `hardware`";
    if (!inside || !line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 1, end; (end = line.find('|', at)) != std::string::npos; at = end + 1) {
      const std::string cell = line.substr(at + 1, end - at - 1);
      cells.push_back(cell.substr(0, cell.find_last_not_of(' ') + 1));
    }
    ASSERT_EQ(cells.size(), 4u) << line;
    std::string first;
    for (std::size_t at = cells[0].find('`'); at != std::string::npos; at = cells[0].find('`', at + 1)) {
      const std::size_t end = cells[0].find('`', at + 1);
      std::string name = cells[0].substr(at + 1, end - at - 1);
      at = end;
      if (name.starts_with(".")) name = first.substr(0, first.rfind('.')) + name;
      if (first.empty()) first = name;
      ASSERT_NE(find_parameter(name), nullptr) << name;
      const bool whole_number_beside = name == "core.bias";  // the unit is of core.bias_rows
      EXPECT_EQ(parameter_unit(name), whole_number_beside ? "" : cells[2]) << name;
      ++checked;
    }
  }
  EXPECT_GT(checked, 60u);
}

}  // namespace
}  // namespace crossgrid
