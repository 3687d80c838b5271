#include <fmt/format.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/backend/products.hpp"
#include "crossgrid/base/id128.hpp"

/// Prints the numeric class and hashes of the results of products of many shapes: what must be the same on every
/// processor of the class. --twin: with one weight of each product larger by 1e-4, of weights up to 1.
namespace crossgrid {
namespace {

struct Conv {
  int images, inputs, outputs, extent, kernel, stride, groups;
};

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(static_cast<int>(random() >> 8u) - (1 << 23)) / (1 << 23);
  return values;
}

template <class Shape>
std::string hash_of(const Shape& shape, std::size_t inputs, int rows, int columns, std::size_t outputs, bool twin) {
  const std::vector<float> source = random_values(inputs, 1);
  Matrix weights(rows, columns);
  const auto drawn = random_values(static_cast<std::size_t>(weights.size()), 2);
  std::copy(drawn.begin(), drawn.end(), weights.data());
  if (twin) weights(rows / 2, columns / 2) += 1e-4F;
  Product product(shape);
  std::vector<float> result(outputs);
  product.run(source.data(), product.pack(weights), result.data());
  return hash_bytes(result.data(), result.size() * sizeof(float)).hex() + " " + product.implementation();
}

void print_all(bool twin) {
  fmt::print("{}\n", host_numeric_class().text());
  for (const Conv& c : {Conv{1, 3, 16, 32, 3, 1, 1}, Conv{1, 16, 16, 32, 3, 1, 1}, Conv{4, 16, 16, 16, 3, 1, 1},
                        Conv{1, 64, 64, 14, 3, 1, 1}, Conv{1, 256, 32, 7, 3, 1, 1}, Conv{1, 512, 16, 7, 3, 1, 1},
                        Conv{1, 64, 256, 14, 1, 1, 1}, Conv{1, 512, 64, 14, 1, 1, 1}, Conv{1, 2048, 64, 7, 1, 1, 1},
                        Conv{1, 256, 64, 28, 1, 2, 1}, Conv{1, 32, 32, 28, 3, 1, 32}, Conv{1, 20, 50, 12, 5, 1, 1}}) {
    ConvolutionShape shape{c.images, c.inputs, c.extent, c.extent, c.outputs, c.groups, {}};
    shape.window = square_window(c.kernel, c.stride, (c.kernel - 1) / 2);
    const std::size_t images = static_cast<std::size_t>(c.images);
    const std::size_t inputs = images * static_cast<std::size_t>(c.inputs * c.extent * c.extent);
    fmt::print("convolution {} x {} x {} x {} to {}, kernel {}, stride {}, groups {}: {}\n", c.images, c.extent,
               c.extent, c.inputs, c.outputs, c.kernel, c.stride, c.groups,
               hash_of(shape, inputs, shape.rows(), c.outputs,
                       images * static_cast<std::size_t>(shape.windows() * c.outputs), twin));
  }
  for (const auto& [vectors, rows, columns] :
       {std::array{1, 512, 10}, std::array{1, 2048, 100}, std::array{16, 400, 120}, std::array{64, 576, 64},
        std::array{200, 1152, 8}}) {
    const ProductShape shape{vectors, rows, columns, rows, columns};
    fmt::print("product {} x {} x {}: {}\n", vectors, rows, columns,
               hash_of(shape, static_cast<std::size_t>(vectors * rows), rows, columns,
                       static_cast<std::size_t>(vectors * columns), twin));
  }
}

}  // namespace
}  // namespace crossgrid

int main(int argc, char** argv) {
  crossgrid::print_all(argc > 1 && std::strcmp(argv[1], "--twin") == 0);
  return 0;
}
