#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "crossgrid/data/cifar_dataset.hpp"
#include "crossgrid/data/npy_file.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/network/onnx_network.hpp"

namespace crossgrid::test {

inline std::string shared_data(const std::string& name) {
  const char* folder = std::getenv("CROSSGRID_SHARED");
  return std::string(folder ? folder : CROSSGRID_TEST_SHARED_DIR) + "/data/" + name;
}

/// Published networks in floating point on CIFAR-10 images (as many as `images` says, by depth) beside PyTorch's
/// logits: to 1e-4, top-1 to the image.
inline void expect_published_logits(const std::map<std::string, std::uint32_t>& images) {
  if (!std::filesystem::exists(shared_data("cifar10_test_2000.bin"))) {
    if (std::getenv("CI") != nullptr) FAIL() << shared_data("") << " is missing";
    GTEST_SKIP() << shared_data("") << " is missing (CROSSGRID_SHARED)";
  }
  const auto data = open_cifar_dataset(shared_data("cifar10_test_2000.bin"), 10, "test");
  ASSERT_EQ(data->size(), 2000u);
  for (const auto& [depth, count] : images) {
    Network network = read_onnx(shared_data("resnet" + depth + "_cifar10.onnx"));
    network.preprocess = {1 / 255.0, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
    InferenceEngine engine(network, data, {}, 2);
    const Matrix found = engine.reference_logits(0, count);
    const NpyArray stored = read_npy(shared_data("resnet" + depth + "_logits_2000.npy"));
    const Eigen::Map<const MatrixD> all(stored.values.data(), 2000, 10);
    const MatrixD expected = all.topRows(count);
    EXPECT_LT((found.cast<double>() - expected).cwiseAbs().maxCoeff(), 1e-4) << depth;
    for (Eigen::Index k = 0; k < count; ++k) {
      Eigen::Index ours = 0, theirs = 0;
      found.row(k).maxCoeff(&ours), expected.row(k).maxCoeff(&theirs);
      EXPECT_EQ(ours, theirs) << "ResNet-" << depth << ", image " << k;
    }
  }
}

}  // namespace crossgrid::test
