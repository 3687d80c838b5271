#include "crossgrid/app/measure_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crossgrid {
namespace {

using testing::HasSubstr;
using testing::Not;

PointMeasures sample() {
  PointMeasures measures;
  measures.images = 20;
  measures.layers = {{0, "/conv", 9, 4, 16, true}, {1, "/fc", 64, 3, 1, false}, {2, "/last", 3, 3, 1, false}};
  LayerHardware quantised, ideal, digital;
  quantised.dac.model = quantised.adc.model = ConverterModel::quantizer;
  digital.analog = false;
  const LayerHardware hardware[] = {quantised, ideal, digital};
  for (std::size_t m = 0; m < 3; ++m) measures.events.push_back(count_events(measures.layers[m], hardware[m], {}));
  for (const double error : {0.1, 0.3}) {
    std::vector<LayerMeasures> trial(3);
    trial[0].mvm_error = error, trial[0].adc_clip_rate = 0.01;
    measures.trials.push_back(trial);
  }
  return measures;
}

TEST(MeasureReport, GivesMeansOverChipsAndEventsByBits) {
  const Json json = measures_json(sample());
  EXPECT_EQ(json.at("trials"), 2);
  const Json& first = json.at("layers").at(0);
  EXPECT_NEAR(first.at("measures").at("mvm_error").at("mean").get<double>(), 0.2, 1e-12);
  EXPECT_LT(first.at("measures").at("mvm_error").at("ci95.low"), 0.1);
  EXPECT_TRUE(first.at("measures").at("weight_error_sigma").at("mean").is_null());
  EXPECT_EQ(first.at("events_per_image").at("adc_conversions"), 64);
  EXPECT_EQ(json.at("layers").at(1).at("events_per_image").at("adc_bits"), "ideal");
  EXPECT_EQ(json.at("layers").at(2).at("analog"), false);
  const Json& totals = json.at("events_per_image");
  EXPECT_EQ(totals.at("adc_conversions"), (Json{{"8", 64}, {"ideal", 3}}));
  EXPECT_EQ(totals.at("dac_conversions"), (Json{{"8", 144}, {"ideal", 64}}));
  EXPECT_EQ(totals.at("digital_multiplications"), 9);
}

TEST(MeasureReport, LeavesOutWhatDoesNotApply) {
  const std::string text = measures_text(sample());
  EXPECT_THAT(text, HasSubstr("mvm_error"));
  EXPECT_THAT(text, HasSubstr("/last: 3 x 3, digital"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace crossgrid
