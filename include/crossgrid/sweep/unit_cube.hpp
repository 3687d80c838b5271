#pragma once

#include <cstdint>
#include <optional>
#include <vector>

/// Sets of points that fill the unit cube evenly.
namespace crossgrid {

/// Coordinates in [0, 1), one per dimension.
using UnitPoint = std::vector<double>;

/// The first points of the Sobol sequence, the origin included, with the direction numbers of Joe and Kuo (SIAM J. Sci.
/// Comput. 30, 2635, 2008; new-joe-kuo-6.21201). More points begin with the same ones. The first 2^m points are a
/// (t, m, s)-net in base 2. A seed shifts them digitally: each dimension's bits are inverted where a random word's are,
/// which keeps the net and moves the origin away from the corner.
std::vector<UnitPoint> sobol_points(std::uint64_t count, std::size_t dimensions, std::optional<std::uint64_t> seed);

/// A Latin hypercube (McKay, Beckman and Conover, Technometrics 21, 239, 1979): along each dimension every one of
/// `count` equal strata holds one point, at a uniformly random place in it; strata are paired at random.
std::vector<UnitPoint> latin_hypercube(std::uint64_t count, std::size_t dimensions, std::uint64_t seed);

}  // namespace crossgrid
