#pragma once

#include "operator_checks.hpp"

/// Integers that stand for reals: (integer - zero point) scale.
namespace crossgrid {

/// A scale or a zero point for each value of `dims`: one for all, or one for each place along `axis`.
std::vector<double> spread(const OnnxNode& node, const OnnxTensor& numbers, const Extents& dims, std::size_t axis);

/// The integers less their zero points (null: 0).
std::vector<double> less_zero_point(const OnnxNode& node, const OnnxTensor& integers, const OnnxTensor* zero_point,
                                    std::size_t axis);

/// To the nearest integers, ties to even, plus the zero points, limited to the type's range.
OnnxTensor quantized(const OnnxNode& node, ElementType type, Extents dims, std::vector<double> quotients,
                     const std::vector<double>& zero_points);

}  // namespace crossgrid
