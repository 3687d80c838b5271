#include "crossgrid/app/error_budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "crossgrid/app/budget_report.hpp"
#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/base/json.hpp"

namespace crossgrid {
namespace {

using testing::HasSubstr;

const std::string source = CROSSGRID_TEST_SOURCE_DIR;
constexpr std::uint32_t images = 300;

SweepContext context(const Json& hardware) {
  const Json sweep = {{"name", "budget"},
                      {"network", source + "/data/digits-cnn.json"},
                      {"dataset", {{"path", source + "/data/digits"}, {"images", {{"first", 0}, {"count", images}}}}},
                      {"calibration", {{"images", {{"first", 0}, {"count", 64}}}}},
                      {"hardware", hardware},
                      {"trials", 2}};
  return load_sweep_context(parse_sweep(sweep, source + "/budget.json"));
}

ErrorBudget budget_of(const Json& hardware, int threads = 1, bool layers = false) {
  const SweepContext sweep = context(hardware);
  const Point point = sweep.grid.point(0);
  InferenceEngine engine(sweep.network, sweep.test, sweep.calibration_plan(), threads);
  std::vector<std::string> names;
  for (const MatrixLayer& layer : matrix_layers(sweep.network)) names.push_back(layer.name);
  std::size_t last = 0, all = 1;
  const ErrorBudget budget =
      error_budget(engine, names, {point.hardware, 3, point.trials, 0, images, layers}, [&](auto done, auto total) {
        EXPECT_EQ(done, last + 1);
        last = done, all = total;
      });
  EXPECT_EQ(last, all);
  return budget;
}

const Json harsh_adc = {{"adc.model", "quantizer"},
                        {"adc.bits", 3},
                        {"array.rows_max", 32},
                        {"device.programming_error", {{"model", "normal_independent"}, {"magnitude", 0.01}}}};

TEST(ErrorBudget, BlamesAHarshAdcBeforeAMildError) {
  const ErrorBudget budget = budget_of(harsh_adc);
  EXPECT_EQ(budget.trials, 2u);
  ASSERT_EQ(budget.rows.size(), 3u);
  EXPECT_EQ(budget.rows[0].name, "ADC");
  const auto error = std::ranges::find(budget.rows, "programming error", &BudgetRow::name);
  ASSERT_NE(error, budget.rows.end());
  const BudgetRow& adc = budget.rows[0];
  EXPECT_GT(adc.gain.mean, error->gain.mean);
  EXPECT_GT(adc.gain.mean, 2 * adc.gain.error);
  EXPECT_GT(adc.drop.mean, error->drop.mean);
  EXPECT_LT(adc.off.loss, error->off.loss);
  EXPECT_GT(adc.alone.loss, error->alone.loss);
  EXPECT_GT(adc.alone.layer_error, 3 * error->alone.layer_error);
  EXPECT_LT(adc.off.layer_error, error->off.layer_error);
  EXPECT_EQ(budget.ideal.top1, budget.floating.top1);
  EXPECT_LT(budget.ideal.layer_error, 1e-5);
  EXPECT_EQ(budget.floating.layer_error, 0);
  EXPECT_NEAR(budget.drop.mean, budget.floating.top1 - budget.point.top1, 1e-12);
  double sum = 0;
  for (const BudgetRow& row : budget.rows) {
    EXPECT_NEAR(row.gain.mean, row.off.top1 - budget.point.top1, 1e-12);
    EXPECT_NEAR(row.drop.mean, budget.floating.top1 - row.alone.top1, 1e-12);
    sum += row.drop.mean;
  }
  EXPECT_NEAR(budget.interaction.mean, budget.drop.mean - sum, 1e-12);
  EXPECT_THAT(budget_text(budget), HasSubstr("device.programming_error"));
}

TEST(ErrorBudget, IsTheSameWithTwoThreadsAndHasARowPerLayer) {
  const ErrorBudget one = budget_of(harsh_adc, 1, true), two = budget_of(harsh_adc, 2, true);
  EXPECT_EQ(budget_csv(one), budget_csv(two));
  EXPECT_EQ(one.layers.size(), matrix_layers(context(harsh_adc).network).size());
  for (const BudgetRow& layer : one.layers) {
    EXPECT_LT(layer.off.layer_error, one.point.layer_error) << layer.name;
    EXPECT_LT(layer.alone.layer_error, one.point.layer_error) << layer.name;
    EXPECT_GT(layer.alone.layer_error, one.ideal.layer_error) << layer.name;
  }
}

TEST(ErrorBudget, SaysWhereNothingIsActive) {
  const ErrorBudget budget = budget_of(Json::object());
  EXPECT_TRUE(budget.rows.empty());
  EXPECT_EQ(budget.point.top1, budget.floating.top1);
  EXPECT_THAT(budget_text(budget), HasSubstr("Nothing is active"));
}

TEST(PairedEstimate, CountsImagesAndChipsAsSamples) {
  MatrixD values(4, 1);
  values << 1, 0, 0, 1;
  EXPECT_DOUBLE_EQ(paired_estimate(values).mean, 0.5);
  EXPECT_DOUBLE_EQ(paired_estimate(values).error, std::sqrt(1.0 / 3 / 4));
  // More chips of the same images don't make the images more.
  const MatrixD same = values.replicate(1, 5);
  EXPECT_GE(paired_estimate(same).error, paired_estimate(values).error);
  // Chips that differ on every image alike.
  MatrixD chips(100, 2);
  chips.col(0).setConstant(0.2), chips.col(1).setConstant(0.4);
  EXPECT_NEAR(paired_estimate(chips).error, 0.1, 0.001);
  EXPECT_EQ(paired_estimate(MatrixD::Zero(5, 3)).error, 0);
}

/// Hardware on which everything in the table is active.
LayerHardware everything() {
  LayerHardware hardware;
  hardware.core.style = CoreStyle::offset;
  hardware.core.weight_bits = 8;
  hardware.core.clip = {WeightClip::Rule::quantile, 0.99};
  hardware.array.rows_max = 16;
  hardware.device.on_off_ratio = 10;
  hardware.device.cell_bits = 4;
  hardware.device.programming_error = {ErrorModel::normal_independent, 0.1};
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.1};
  hardware.device.faults.stuck_on = 0.1;
  hardware.array.column_current_max = 5;
  hardware.device.drift = DriftModel::device;
  hardware.device.time = 3600;
  hardware.device.iv = IvModel::cubic;
  hardware.dac.model = hardware.adc.model = ConverterModel::quantizer;
  return hardware;
}

TEST(NonIdealities, EachSwitchesItselfAndNothingElse) {
  const LayerHardware all = everything();
  for (const NonIdeality& row : non_idealities()) {
    ASSERT_TRUE(row.active(all)) << row.name;
    const LayerHardware off = without(row, all), on = alone(row, all);
    EXPECT_FALSE(row.active(off)) << row.name;
    for (const NonIdeality& other : non_idealities()) {
      if (std::string(other.name) == "array splitting") continue;  // is part of the ADC's effect, and needs it
      EXPECT_EQ(other.active(on), &other == &row) << other.name << " on the chip with " << row.name << " alone";
      EXPECT_EQ(other.active(off), &other != &row) << other.name << " without " << row.name;
    }
    EXPECT_EQ(on.core.style, CoreStyle::offset);
    LayerHardware digital;
    digital.analog = false;
    EXPECT_EQ(without(row, digital), digital);
    EXPECT_EQ(alone(row, digital), digital);
  }
}

TEST(NonIdealities, SwitchedOffTogetherLeaveAnIdealChip) {
  LayerHardware hardware = everything();
  for (const NonIdeality& row : non_idealities()) hardware = without(row, hardware);
  for (const NonIdeality& row : non_idealities()) EXPECT_FALSE(row.active(hardware)) << row.name;
}

}  // namespace
}  // namespace crossgrid
