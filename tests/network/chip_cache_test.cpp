#include "crossgrid/network/chip_cache.hpp"

#include <gtest/gtest.h>

namespace crossgrid {
namespace {

std::shared_ptr<PreparedMatrix> chip(std::size_t bytes) {
  auto matrix = std::make_shared<PreparedMatrix>();
  matrix->bytes = bytes;
  return matrix;
}

TEST(ChipCache, KeepsTheLastUsedWithinItsCapacity) {
  ChipCache cache(100);
  LayerHardware hardware;
  hardware.device.programming_error = {ErrorModel::normal_proportional, 0.1};
  const auto key = [&](std::uint32_t trial) { return make_chip_key(0, hardware, false, false, 1, trial); };
  const auto first = chip(40), second = chip(40), third = chip(40);
  cache.insert(key(1), first);
  cache.insert(key(2), second);
  EXPECT_EQ(cache.find(key(1)), first);
  cache.insert(key(3), third);
  EXPECT_EQ(cache.find(key(2)), nullptr);
  EXPECT_EQ(cache.find(key(1)), first);
  EXPECT_EQ(cache.find(key(3)), third);
  EXPECT_EQ(cache.bytes(), 80u);
  cache.insert(key(4), chip(1000));  // one chip is always kept
  EXPECT_EQ(cache.bytes(), 1000u);
}

TEST(ChipCache, SharesChipsBetweenPointsThatDifferAfterTheArrays) {
  LayerHardware a;
  a.device.programming_error = {ErrorModel::normal_proportional, 0.1};
  a.adc.model = ConverterModel::quantizer;
  LayerHardware b = a;
  b.adc.bits = 4, b.dac.bits = 3;
  EXPECT_EQ(make_chip_key(0, a, false, false, 1, 1), make_chip_key(0, b, false, false, 1, 1));
  EXPECT_NE(make_chip_key(0, a, false, false, 1, 1), make_chip_key(0, a, false, false, 1, 2));
  EXPECT_NE(make_chip_key(0, a, false, false, 1, 1), make_chip_key(1, a, false, false, 1, 1));
  b.adc.model = ConverterModel::ideal;
  EXPECT_NE(make_chip_key(0, a, false, false, 1, 1), make_chip_key(0, b, false, false, 1, 1));
  a.device.programming_error = {};
  EXPECT_EQ(make_chip_key(0, a, false, false, 1, 1), make_chip_key(0, a, false, false, 7, 2));  // nothing random
  a.core.weight_bits = 8, a.core.slices = 4;
  a.adc.model = ConverterModel::quantizer, a.adc.per_input_slice = true;
  a.dac.model = ConverterModel::quantizer;
  b = a;
  b.dac.slice_bits = 1;  // then cells are held as integers
  EXPECT_NE(make_chip_key(0, a, false, false, 1, 1), make_chip_key(0, b, false, false, 1, 1));
}

}  // namespace
}  // namespace crossgrid
