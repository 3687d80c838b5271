#include "crossgrid/circuit/input_slices.hpp"

#include "crossgrid/backend/launch.hpp"

namespace crossgrid {
namespace {

CROSSGRID_MULTIVERSION
void run(std::size_t count, const SliceInput& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const DigitOfInput& element) {
  for_each_index(count, element);
}

CROSSGRID_MULTIVERSION
void run(std::size_t count, const SquareSlices& element) {
  for_each_index(count, element);
}

}  // namespace

InputSlices input_slices(const DacConfig& dac) {
  InputSlices slices;
  const bool whole = dac.model == ConverterModel::ideal || dac.model == ConverterModel::pulse_width;
  if (whole || !dac.slice_bits) return slices;
  const int magnitude_bits = dac.bits - (dac.model == ConverterModel::sign_magnitude ? 1 : 0);
  slices.slice_bits = *dac.slice_bits;
  slices.count = (magnitude_bits + slices.slice_bits - 1) / slices.slice_bits;
  slices.magnitude_steps = std::ldexp(1.0, magnitude_bits) - 1;
  return slices;
}

InputDigit input_digit(const InputSlices& slices, int k) {
  return {static_cast<float>(slices.magnitude_steps), slices.slice_bits * k, (1 << slices.slice_bits) - 1,
          static_cast<float>(1 / slices.largest_digit())};
}

void slice_inputs(const float* from, float* to, std::size_t count, const InputDigit& digit) {
  run(count, SliceInput{from, to, digit});
}

void input_digits(const float* from, std::uint8_t* to, std::size_t count, const InputDigit& digit, float sign) {
  run(count, DigitOfInput{from, to, digit, sign});
}

void square_slices(const float* from, float* to, std::size_t count, const InputSlices& slices) {
  run(count, SquareSlices{from, to, static_cast<float>(slices.magnitude_steps), slices.slice_bits, slices.count});
}

}  // namespace crossgrid
