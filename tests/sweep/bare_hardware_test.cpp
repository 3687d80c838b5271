#include "crossgrid/sweep/bare_hardware.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

using ::testing::HasSubstr;

TEST(BareHardware, HoldsWhatWasSetAndDefaults) {
  LayerHardware expected;
  expected.adc.model = ConverterModel::sar;
  expected.adc.errors.sigma_capacitor = 0.02;
  EXPECT_EQ(bare_hardware({"adc.model=sar", "adc.sigma_capacitor=0.02"}), expected);
  EXPECT_EQ(bare_hardware({}), LayerHardware{});
}

TEST(BareHardware, RefusesWhatASweepRefuses) {
  EXPECT_THAT(message_of([] { bare_hardware({"adc.bitz=3"}); }), HasSubstr("did you mean 'adc.bits'?"));
  EXPECT_THAT(message_of([] { bare_hardware({"adc.bits=0"}); }), HasSubstr("adc.bits: found 0"));
  EXPECT_THAT(message_of([] { bare_hardware({"adc.bits"}); }), HasSubstr("expected NAME=VALUE"));
  EXPECT_THAT(message_of([] { bare_hardware({"trials=3"}); }), HasSubstr("is a field of a sweep"));
  EXPECT_THAT(message_of([] { bare_hardware({"adc.model=table"}); }), HasSubstr("needs adc.table"));
  EXPECT_THAT(message_of([] { bare_hardware({"dac.range=from_model"}); }), HasSubstr("it has them for no layer"));
}

}  // namespace
}  // namespace crossgrid
