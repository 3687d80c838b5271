#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crossgrid/network/inference.hpp"
#include "network_fixture.hpp"

namespace crossgrid {
namespace {

Network small_network() {
  test::NetworkBuilder b({8, 16, 16}, 4);
  b.linear(b.add(Flatten{}, {b.add(GlobalAvgPool{}, {b.relu(b.conv(-1, 20, 3, 1, 1))})}), 10);
  return b.network();
}

TEST(LayerPlan, CountsArraysAndCells) {
  LayerHardware hardware;
  hardware.array.rows_max = 30, hardware.array.cols_max = 8;
  hardware.adc.model = ConverterModel::quantizer;
  std::vector<LayerHardware> all(2, hardware);
  all[1].analog = false;
  const auto plans = plan_layers(small_network(), all);
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(plans[0].rows, 72);
  EXPECT_EQ(plans[0].cols, 20);
  EXPECT_EQ(plans[0].mvms_per_image, 256);
  EXPECT_EQ(plans[0].row_arrays, 3);
  EXPECT_EQ(plans[0].col_arrays, 3);
  EXPECT_EQ(plans[0].cells, 2 * 72 * 20);
  // 24 rows each lie in channels 0 to 2, 2 to 5 and 5 to 7: 10 channels are computed for 8.
  EXPECT_NEAR(plans[0].megaflops_per_image, 2e-6 * 72 * 20 * 256 * 10 / 8, 1e-9);
  EXPECT_EQ(plans[0].execution, "3 direct convolutions, one per row block, ADC fused");
  EXPECT_EQ(plans[1].execution, "digital, floating point");
}

TEST(LayerPlan, SaysHowReadNoiseIsDrawn) {
  LayerHardware hardware;
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.1};
  const auto few_rows = plan_layers(small_network(), std::vector<LayerHardware>(2, hardware));
  EXPECT_NE(few_rows[0].reason.find("drawn once per output"), std::string::npos) << few_rows[0].reason;
  EXPECT_NE(few_rows[0].reason.find("within 0.13 of its distribution function (Berry-Esseen, 72 rows"),
            std::string::npos)
      << few_rows[0].reason;
  EXPECT_NE(few_rows[1].reason.find("every cell"), std::string::npos);  // 20 rows, cells at 0 clip
}

TEST(LayerPlan, SaysWhatHoldsForTheCellsOfALayer) {
  LayerHardware hardware;
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.1};
  const auto reason = [&] {
    return plan_layers(small_network(), std::vector<LayerHardware>(2, hardware), CellsLookedAt::all)[0].reason;
  };
  // Cells at g = 0 read below it half of the time.
  EXPECT_NE(reason().find("cells meet a limit (the likeliest in 0.5 of its reads), so to within 0.13"),
            std::string::npos)
      << reason();
  hardware.device.read_noise = {ErrorModel::normal_proportional, 0.01};
  EXPECT_NE(reason().find("exact: it is normal, and no cell meets a limit"), std::string::npos) << reason();
  hardware.device.read_noise = {ErrorModel::uniform_proportional, 0.01};
  EXPECT_NE(reason().find("a cell's noise is not normal, so to within"), std::string::npos) << reason();
}

TEST(LayerPlan, BeginsNoTextWithAComma) {
  LayerHardware hardware;
  hardware.core.style = CoreStyle::offset, hardware.core.unit_column = true;
  hardware.adc.model = ConverterModel::quantizer;
  EXPECT_EQ(plan_layers(small_network(), std::vector<LayerHardware>(2, hardware))[1].execution,
            "product; unit columns among the outputs, ADC fused");
}

/// 0.56 * 1.985 / sqrt(rows), of the rows that are driven at once and not of the matrix.
TEST(LayerPlan, BoundsReadNoiseByTheRowsOfOneConversion) {
  LayerHardware hardware;
  hardware.device.read_noise = {ErrorModel::normal_independent, 0.1};
  hardware.device.read_noise_sampling = NoiseSampling::lumped;
  const auto reason = [&] { return plan_layers(small_network(), std::vector<LayerHardware>(2, hardware))[0].reason; };
  EXPECT_THAT(reason(), testing::HasSubstr("within 0.13 of its distribution function (Berry-Esseen, 72 rows"));
  hardware.array.rows_max = 36;
  EXPECT_THAT(reason(), testing::HasSubstr("within 0.19 of its distribution function (Berry-Esseen, 36 rows"));
  hardware.array.rows_active = 9;
  EXPECT_THAT(reason(), testing::HasSubstr("within 0.37 of its distribution function (Berry-Esseen, 9 rows"));
}

TEST(MicroBatch, FillsHalfOfTheNominalCache) {
  // 16 x 16 x (8 + 20) floats an image: 28 KiB, 16 of them in 512 KiB.
  EXPECT_EQ(micro_batch_size(small_network(), {}), 16);
  test::NetworkBuilder tiny({4, 1, 1}, 4);
  tiny.linear(-1, 3);
  EXPECT_EQ(micro_batch_size(tiny.network(), {}), 64);
  test::NetworkBuilder large({3, 224, 224}, 4);
  large.conv(-1, 64, 3, 1, 1);
  EXPECT_EQ(micro_batch_size(large.network(), {}), 1);
}

}  // namespace
}  // namespace crossgrid
