#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <variant>
#include <vector>

#include "crossgrid/backend/buffer.hpp"
#include "crossgrid/backend/products.hpp"

namespace crossgrid {

using AnyProductShape = std::variant<ConvolutionShape, ProductShape>;

/// What one thread needs to take micro-batches through networks: products of the shapes it has met and buffers.
class Lane {
 public:
  enum Scratch {
    driven,
    padded,
    squares,
    block_input,
    input_slice,
    currents,
    partial_sums,
    minus_currents,
    cycle_currents,
    variance,
    input_power,
    power_currents,
    windows,
    step_inputs,    ///< of a recurrent layer
    step_products,  ///< of a recurrent layer
    all_products,   ///< of a recurrent layer
    tiled_outputs,
    scratch_count
  };
  enum DoubleScratch { sums, input_sums, pixel_sums, double_scratch_count };
  enum DigitScratch { plus_digits, minus_digits, block_digits, digit_scratch_count };
  enum IntegerScratch { plus_sums, minus_sums, integer_scratch_count };

  /// Made at first use and kept: shapes are as few as layers and array sizes.
  Product& product(const AnyProductShape& shape);
  IntegerProduct& integer_product(const AnyProductShape& shape);
  /// At least `floats` floats, contents undefined; valid until the next call for the same buffer.
  float* scratch(Scratch which, std::size_t floats);
  double* scratch(DoubleScratch which, std::size_t doubles);
  std::uint8_t* scratch(DigitScratch which, std::size_t digits);
  std::int32_t* scratch(IntegerScratch which, std::size_t integers);
  /// Activation buffers, one set per `role` (a lane may carry two networks side by side).
  float* slot(int role, int slot, std::size_t floats);

 private:
  static float* grown(Buffer& buffer, std::size_t floats);
  std::map<AnyProductShape, Product> products_;
  std::map<AnyProductShape, IntegerProduct> integer_products_;
  std::array<Buffer, scratch_count> scratch_;
  std::array<std::vector<double>, double_scratch_count> doubles_;
  std::array<std::vector<std::uint8_t>, digit_scratch_count> digits_;
  std::array<std::vector<std::int32_t>, integer_scratch_count> integers_;
  std::array<std::vector<Buffer>, 2> slots_;
};

}  // namespace crossgrid
