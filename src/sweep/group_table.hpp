#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crossgrid/base/id128.hpp"
#include "hardware_resolver.hpp"

namespace crossgrid {

/// What a group of parameters adds to a point's identity.
struct GroupShare {
  Id128 id;                 ///< sum over layers and parameters that differ from their defaults and have an effect
  bool draws = false;       ///< random numbers
  bool calibrates = false;  ///< needs calibration images
  bool operator==(const GroupShare&) const = default;
  GroupShare& operator+=(const GroupShare& other) {
    id += other.id;
    draws = draws || other.draws;
    calibrates = calibrates || other.calibrates;
    return *this;
  }
};

/// A group's shares for every combination of the axes that reach it, worked out once: parameters of different groups
/// do not see each other, so a point's identity is then a few additions.
class GroupTable {
 public:
  GroupTable(ParameterGroup group, const SweepFile& sweep, const HardwareResolver& resolver);

  ParameterGroup group() const { return group_; }
  GroupShare share(std::span<const std::uint32_t> digits) const {
    return shares_.empty() ? compute({digits.begin(), digits.end()}) : shares_[place(digits)];
  }
  const std::vector<std::size_t>& axes() const { return axes_; }
  /// Whether another value of the axis would make another chip here.
  bool sensitive(const Digits& digits, std::size_t axis) const;
  /// Whether that is so anywhere, exclusions not counted.
  bool sensitive(std::size_t axis) const;
  bool calibrates() const;

 private:
  std::uint64_t place(std::span<const std::uint32_t> digits) const {
    std::uint64_t at = 0;
    for (const std::size_t axis : axes_) {
      at = at * sizes_[axis] + digits[axis];
    }
    return at;
  }
  Digits digits(std::uint64_t place) const;
  GroupShare compute(const Digits& digits) const;

  ParameterGroup group_;
  const HardwareResolver* resolver_;
  std::vector<std::size_t> axes_;
  std::vector<std::uint32_t> sizes_;  ///< of all axes
  std::uint64_t product_ = 1;         ///< combinations of axes_
  std::vector<GroupShare> shares_;    ///< empty where there are too many combinations to keep
};

/// The contribution of one value: different for each (path, layer, value).
Id128 leaf_id(const std::string& path, std::size_t layer, const Json& value);

}  // namespace crossgrid
