#include <gtest/gtest.h>

#include "crossgrid/network/inference.hpp"
#include "network_fixture.hpp"

namespace crossgrid {
namespace {

using test::MemoryDataset;

/// The same images as floats that hold their bytes' values.
class FloatImages final : public Dataset {
 public:
  explicit FloatImages(const MemoryDataset& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  int channels() const override { return bytes_.channels(); }
  int height() const override { return bytes_.height(); }
  int width() const override { return bytes_.width(); }
  int classes() const override { return bytes_.classes(); }
  bool floats() const override { return true; }
  ImageView image(std::uint64_t index, ImageBuffer& buffer) const override {
    const Pixels pixels = bytes_.pixels(index);
    buffer.floats.assign(pixels.begin(), pixels.end());
    return Floats(buffer.floats);
  }
  int label(std::uint64_t index) const override { return bytes_.label(index); }
  Id128 content() const override { return {}; }
  std::string description() const override { return "floats"; }

 private:
  const MemoryDataset& bytes_;
};

/// Preprocessing and the first DAC do to a value what the table of pixels does, on the fast path and in double.
TEST(FloatImages, GiveWhatTheSameBytesGive) {
  const Network network = test::everything_network();
  const auto bytes = std::make_shared<MemoryDataset>(network.input, network.classes, 20, 3);
  const auto floats = std::make_shared<FloatImages>(*bytes);
  LayerHardware chip;
  chip.dac = {ConverterModel::quantizer, 6, DacSign::automatic, RangeRule::calibrated, {}, {}};
  LayerHardware exact = chip;
  exact.precision = Precision::float64;
  InferenceEngine of_bytes(network, bytes, {bytes, 8, 8, RangeFit::maximum, 100, {}, {}}, 2);
  InferenceEngine of_floats(network, floats, {floats, 8, 8, RangeFit::maximum, 100, {}, {}}, 2);
  EXPECT_EQ(of_bytes.reference_logits(1, 7), of_floats.reference_logits(1, 7));
  for (const LayerHardware& hardware : {chip, exact}) {
    const std::vector<LayerHardware> layers(matrix_layers(network).size(), hardware);
    InferenceRequest request;
    request.count = 5;
    request.hardware = layers;
    EXPECT_EQ(of_bytes.logits(request), of_floats.logits(request));
  }
}

}  // namespace
}  // namespace crossgrid
