#include "group_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crossgrid/sweep/effective_hardware.hpp"

namespace crossgrid {

namespace {

constexpr std::uint64_t most_kept_shares = std::uint64_t{1} << 18;

bool reaches_group(const Axis& axis, ParameterGroup group) {
  return std::any_of(axis.values.begin(), axis.values.end(), [&](const AxisValue& value) {
    return std::any_of(value.settings.begin(), value.settings.end(), [&](const Setting& setting) {
      const Parameter& parameter = *setting.parameter;
      return parameter.group == group || std::ranges::find(parameter.decides, group) != parameter.decides.end() ||
             parameter.path == "analog";
    });
  });
}

}  // namespace

Id128 leaf_id(const std::string& path, std::size_t layer, const Json& value) {
  return hash_text(fmt::format("{}@{}={}", path, layer, canonical_text(value)));
}

GroupTable::GroupTable(ParameterGroup group, const SweepFile& sweep, const HardwareResolver& resolver)
    : group_(group), resolver_(&resolver) {
  for (std::size_t axis = 0; axis < sweep.axes.size(); ++axis) {
    sizes_.push_back(static_cast<std::uint32_t>(sweep.axes[axis].values.size()));
    if (reaches_group(sweep.axes[axis], group)) {
      axes_.push_back(axis);
      product_ *= sizes_.back();
    }
  }
  if (product_ <= most_kept_shares) {
    shares_.reserve(product_);
    for (std::uint64_t at = 0; at < product_; ++at) {
      shares_.push_back(compute(digits(at)));
    }
  }
}

Digits GroupTable::digits(std::uint64_t at) const {
  Digits digits(sizes_.size(), 0);
  for (auto axis = axes_.rbegin(); axis != axes_.rend(); ++axis) {
    digits[*axis] = static_cast<std::uint32_t>(at % sizes_[*axis]);
    at /= sizes_[*axis];
  }
  return digits;
}

GroupShare GroupTable::compute(const Digits& digits) const {
  GroupShare share;
  for (std::size_t layer = 0; layer < resolver_->layers().size(); ++layer) {
    const LayerHardware hardware =
        effective_hardware(resolver_->hardware(layer, digits), resolver_->layers()[layer], group_);
    if (!hardware.analog) {
      // Said once, by the first group; a digital layer has nothing else.
      share.id += group_ == ParameterGroup::conversion ? leaf_id("analog", layer, false) : Id128{};
      continue;
    }
    for (const Parameter& parameter : parameters()) {
      if (parameter.group != group_ || !parameter.get) {
        continue;
      }
      const Json value = parameter.get(hardware);
      if (value != parameter.fallback) {
        share.id += leaf_id(parameter.path, layer, value);
      }
    }
    share.draws = share.draws || draws_random_numbers(hardware, group_);
    share.calibrates = share.calibrates || (group_ == ParameterGroup::conversion && needs_calibration(hardware));
  }
  return share;
}

bool GroupTable::sensitive(const Digits& digits, std::size_t axis) const {
  if (std::find(axes_.begin(), axes_.end(), axis) == axes_.end()) {
    return false;
  }
  const GroupShare here = share(digits);
  Digits other = digits;
  for (other[axis] = 0; other[axis] < sizes_[axis]; ++other[axis]) {
    if (!(share(other) == here)) {
      return true;
    }
  }
  return false;
}

bool GroupTable::sensitive(std::size_t axis) const {
  if (std::find(axes_.begin(), axes_.end(), axis) == axes_.end()) {
    return false;
  }
  for (std::uint64_t at = 0; at < product_; ++at) {
    const Digits here = digits(at);
    if (here[axis] == 0 && sensitive(here, axis)) {
      return true;
    }
  }
  return false;
}

bool GroupTable::calibrates() const {
  for (std::uint64_t at = 0; at < product_; ++at) {
    if (share(digits(at)).calibrates) {
      return true;
    }
  }
  return false;
}

}  // namespace crossgrid
