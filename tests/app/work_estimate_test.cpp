#include "crossgrid/app/work_estimate.hpp"

#include <gtest/gtest.h>

#include <string>

#include "crossgrid/base/json.hpp"

namespace crossgrid {
namespace {

/// At magnitude 0 all error models are one: 30 of the 40 points differ.
TEST(EstimateWork, OfASearchThatChoosesFewerPointsThanDiffer) {
  const std::string source = CROSSGRID_TEST_SOURCE_DIR;
  const Json sweep = {{"name", "search"},
                      {"network", source + "/data/digits-cnn.json"},
                      {"dataset", {{"path", source + "/data/digits"}, {"images", {{"first", 0}, {"count", 16}}}}},
                      {"hardware", {{"adc.model", "quantizer"}}},
                      {"grid",
                       {{"device.programming_error.model", {"normal_independent", "normal_proportional"}},
                        {"device.programming_error.magnitude", {0.0, 0.1}},
                        {"adc.bits", {3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}}},
                      {"bisect", {{"axis", "adc.bits"}, {"metric", "top1"}, {"threshold", 0.9}}}};
  const SweepContext context = load_sweep_context(parse_sweep(sweep, source + "/search.json"));
  const WorkEstimate work = estimate_work(context);
  EXPECT_EQ(work.points, round_plan(context).bound().points);
  EXPECT_LT(work.points, 30u);
  EXPECT_EQ(work.duplicates, 0u);
  EXPECT_LT(work.disk_megabytes(work.chips), 1.0);
}

TEST(DurationText, UsesTwoUnitsAtMost) {
  EXPECT_EQ(duration_text(0.3), "under 1 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(60), "1 min 00 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 00 min");
  EXPECT_EQ(duration_text(26 * 3600), "1 d 2 h");
  EXPECT_EQ(duration_text(-5), "under 1 s");
}

TEST(AboutText, IsNotAboutUnderASecond) {
  EXPECT_EQ(about_text(0.3), "under 1 s");
  EXPECT_EQ(about_text(60), "about 1 min 00 s");
}

TEST(Counted, IsOneOfOne) {
  EXPECT_EQ(counted(1, "point"), "1 point");
  EXPECT_EQ(counted(0, "point"), "0 points");
  EXPECT_EQ(counted(1000, "test image"), "1,000 test images");
}

TEST(Grouped, SeparatesThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

}  // namespace
}  // namespace crossgrid
