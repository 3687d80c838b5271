// The logits of a network in floating point, for tests that hold them to another program's:
//   network_logits NETWORK IMAGES      IMAGES: a folder of test_images.npy (N x C x H x W or of lower rank) and
//                                      test_labels.npy, taken as they are; prints a line of numbers per image
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <span>

#include "crossgrid/base/error.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/network.hpp"

int main(int argc, char** argv) {
  using namespace crossgrid;
  if (argc != 3) {
    std::fprintf(stderr, "usage: network_logits NETWORK IMAGES\n");
    return 2;
  }
  try {
    Network network = read_network(argv[1]);
    network.preprocess.scale = 1;
    const auto images = open_dataset(argv[2], "npy", "test", {Layout::nchw, {}});
    const auto count = static_cast<std::uint32_t>(images->size());
    InferenceEngine engine(std::move(network), images, {}, 2);
    const Matrix logits = engine.reference_logits(0, count);
    for (Eigen::Index image = 0; image < logits.rows(); ++image) {
      const std::span row(logits.row(image).data(), static_cast<std::size_t>(logits.cols()));
      fmt::print("{:.9g}\n", fmt::join(row, " "));
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
