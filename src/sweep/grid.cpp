#include "crossgrid/sweep/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>

#include "axis_effect.hpp"
#include "crossgrid/base/id_set.hpp"
#include "crossgrid/sweep/effective_hardware.hpp"
#include "crossgrid/sweep/model_ranges.hpp"
#include "group_table.hpp"
#include "kept_points.hpp"
#include "point_context.hpp"

namespace crossgrid {

namespace {

constexpr std::uint64_t max_product = 1'000'000'000;

std::vector<GroupTable> make_tables(const SweepFile& sweep, const HardwareResolver& resolver) {
  std::vector<GroupTable> tables;
  for (int group = 1; group < parameter_group_count; ++group) {
    tables.emplace_back(static_cast<ParameterGroup>(group), sweep, resolver);
  }
  return tables;
}

std::uint64_t product_of(const SweepFile& sweep) {
  std::uint64_t product = 1;
  for (const Axis& axis : sweep.axes) {
    product *= axis.values.size();
    if (product > max_product) {
      throw input_error(sweep.path + ": /grid",
                        fmt::format("more than {} combinations of the axes' values", max_product));
    }
  }
  return product;
}

}  // namespace

struct Grid::Impl {
  SweepFile sweep;
  std::shared_ptr<const RangeFile> ranges;
  PointContext context;
  HardwareResolver resolver;
  std::uint64_t product;
  std::vector<GroupTable> tables;
  std::vector<const GroupTable*> varying;  ///< tables that axes reach
  GroupShare fixed;                        ///< of all others together
  std::optional<KeptPoints> kept;
  mutable std::once_flag repeats_known;
  mutable std::vector<bool> repeats;  ///< by point; empty where no two are equal

  Impl(const SweepFile& file, const GridContext& facts)
      : sweep(file),
        ranges(facts.ranges),
        context(sweep, facts),
        resolver(sweep, facts.layers),
        product(product_of(sweep)),
        tables(make_tables(sweep, resolver)) {
    for (const GroupTable& table : tables) {
      if (table.axes().empty()) {
        fixed += table.share(Digits(sweep.axes.size()));
      } else {
        varying.push_back(&table);
      }
    }
    apply_exclusions();
    ProblemList problems;
    if (ranges) {
      problems.attempt([&] { check_layers(*ranges, facts.layers); });
    }
    if (calibrates()) {
      problems.attempt([&] { context.check_calibration(sweep); });
    }
    find_impossible_points(problems);
    for (const ExpectedValue& expected : sweep.expected) {
      problems.attempt([&] { refuse_excluded(expected); });
    }
    for (std::size_t axis = 0; axis < sweep.axes.size(); ++axis) {
      problems.attempt([&] { refuse_without_effect(axis); });
    }
    problems.throw_if_any();
  }

  std::uint64_t size() const { return kept ? kept->size() : product; }

  std::uint64_t place_in_product(std::uint64_t index) const {
    if (index >= size()) {
      throw Error(ExitCode::internal, fmt::format("point {} of a grid of {}", index, size()));
    }
    return kept ? (*kept)[index] : index;
  }

  Digits digits(std::uint64_t index) const { return digits_of_product(place_in_product(index)); }

  Digits digits_of_product(std::uint64_t index) const {
    Digits digits(sweep.axes.size());
    write_digits(index, digits);
    return digits;
  }

  void write_digits(std::uint64_t index, std::span<std::uint32_t> digits) const {
    for (std::size_t axis = digits.size(); axis-- > 0;) {
      const std::uint64_t count = sweep.axes[axis].values.size();
      digits[axis] = static_cast<std::uint32_t>(index % count);
      index /= count;
    }
  }

  GroupShare share(std::span<const std::uint32_t> digits) const {
    GroupShare all = fixed;
    for (const GroupTable* table : varying) {
      all += table->share(digits);
    }
    return all;
  }

  Id128 id(const GroupShare& share) const { return share.id + context.id(share.draws, share.calibrates); }
  std::uint32_t trials(bool draws) const { return draws ? sweep.trials : 1; }

  PointIdentity identity(std::uint64_t index) const {
    constexpr std::size_t usual_axes = 12;
    boost::container::small_vector<std::uint32_t, usual_axes> digits(sweep.axes.size());  // asked for millions of times
    write_digits(place_in_product(index), {digits.data(), digits.size()});
    const GroupShare found = share({digits.data(), digits.size()});
    return {id(found), trials(found.draws)};
  }

  void find_repeats() const {
    IdSet seen(size());
    for (std::uint64_t index = 0; index < size(); ++index) {
      if (seen.insert(identity(index).id)) {
        continue;
      }
      repeats.resize(size());
      repeats[index] = true;
    }
  }

  bool calibrates() const {
    return std::any_of(tables.begin(), tables.end(), [](const GroupTable& table) { return table.calibrates(); });
  }

  std::vector<LayerHardware> hardware(const Digits& digits) const {
    std::vector<LayerHardware> all;
    for (std::size_t layer = 0; layer < resolver.layers().size(); ++layer) {
      all.push_back(effective_hardware(resolver.hardware(layer, digits), resolver.layers()[layer]));
    }
    return all;
  }

  void apply_exclusions() {
    if (sweep.exclude.empty()) {
      return;
    }
    kept.emplace(product, [&](std::uint64_t index) {
      const Digits at = digits_of_product(index);
      return std::none_of(sweep.exclude.begin(), sweep.exclude.end(),
                          [&](const PointRule& rule) { return rule.matches(at); });
    });
    if (kept->size() == 0) {
      throw input_error(sweep.path + ": /exclude", fmt::format("leaves no point of {}", product));
    }
  }

  /// A combination that can't be built must be excluded. Only the axes that decide about it are walked through first;
  /// the whole grid only where one of their combinations is bad. Each reason is told once, at its first point.
  void find_impossible_points(ProblemList& problems) const {
    std::set<std::string> reasons;
    any_combination(sweep, possibility_axes(), [&](const Digits& at) {
      over_problems(at, [&](std::size_t, const Impossible& found) { reasons.insert(found.reason); });
      return false;
    });
    for (std::uint64_t index = 0; index < size() && !reasons.empty(); ++index) {
      const Digits at = digits(index);
      over_problems(at, [&](std::size_t layer, const Impossible& found) {
        if (reasons.erase(found.reason) > 0) {
          problems.add(impossible_point(index, at, layer, found));
        }
      });
    }
  }

  std::vector<std::uint64_t> matches(const PointRule& rule, std::uint64_t most) const {
    std::vector<std::uint64_t> found;
    for (std::uint64_t index = 0; index < size() && found.size() < most; ++index) {
      if (rule.matches(digits(index))) {
        found.push_back(index);
      }
    }
    return found;
  }

  std::vector<std::vector<std::uint64_t>> lines(std::size_t axis) const {
    std::vector<std::vector<std::uint64_t>> lines;
    std::map<Digits, std::size_t> places;  // of the lines, by the other axes' values
    for (std::uint64_t index = 0; index < size(); ++index) {
      Digits others = digits(index);
      others[axis] = 0;
      const auto [place, added] = places.try_emplace(std::move(others), lines.size());
      if (added) lines.emplace_back();
      lines[place->second].push_back(index);
    }
    return lines;
  }

  void refuse_excluded(const ExpectedValue& expected) const {
    if (kept && matches(expected.where, 1).empty()) {
      throw expected.where.place.error("'exclude' drops all points that it speaks of");
    }
  }

  std::vector<std::size_t> possibility_axes() const {
    std::set<std::size_t> axes;
    const std::set<ParameterGroup> deciding = deciding_groups(sweep);
    for (const GroupTable& table : tables) {
      if (deciding.contains(table.group())) {
        axes.insert(table.axes().begin(), table.axes().end());
      }
    }
    return {axes.begin(), axes.end()};
  }

  /// body(layer, Impossible) for all that can't be built at a point.
  template <class Body>
  void over_problems(const Digits& at, const Body& body) const {
    for (std::size_t layer = 0; layer < resolver.layers().size(); ++layer) {
      const LayerHardware hardware = effective_hardware(resolver.hardware(layer, at), resolver.layers()[layer]);
      for (const Impossible& found : impossible_hardware(hardware, resolver.layers()[layer])) {
        body(layer, found);
      }
      for (const Impossible& found : model_range_problems(hardware, resolver.layers()[layer], resolver.layers())) {
        body(layer, found);
      }
      if (!ranges) {
        continue;
      }
      for (const Impossible& found : range_problems(*ranges, hardware, resolver.layers()[layer])) {
        body(layer, found);
      }
    }
  }

  std::string impossible_point(std::uint64_t index, const Digits& at, std::size_t layer,
                               const Impossible& found) const {
    std::vector<std::string> places;
    for (const std::string& path : found.parameters) {
      if (const Place* place = resolver.place(layer, at, *find_parameter(path))) {
        places.push_back(place->file == sweep.path ? place->pointer : place->text());
      }
    }
    const std::string where = places.empty() ? "" : fmt::format(" ({})", fmt::join(places, ", "));
    return fmt::format("{}: point {} ({}) can't be built: layer '{}': {}{}", sweep.path, index,
                       describe_point(sweep, at), resolver.layers()[layer].name, found.reason, where);
  }

  /// The parameters of a sample move together, but one that matters nowhere is as silent as an axis without effect.
  void refuse_silent_parameters(std::size_t axis) const {
    const Axis& sample = sweep.axes[axis];
    for (std::size_t column = 0; column < sample.columns.size(); ++column) {
      const auto matters = [&](const Digits& at) {
        return setting_matters(sample.values[at[axis]].settings[column], resolver, at);
      };
      std::uint64_t index = 0;
      while (index < size() && !matters(digits(index))) ++index;
      if (index < size()) continue;
      const Setting& silent = sample.values[digits(0)[axis]].settings[column];
      throw silent.place.error(fmt::format("has no effect: {}", reason_without_effect(silent, resolver, digits(0))));
    }
  }

  void refuse_without_effect(std::size_t axis) const {
    const Axis& found = sweep.axes[axis];
    if (found.sampled) {
      refuse_silent_parameters(axis);
      return;
    }
    const bool alone = found.values.size() == 1;
    const auto effect = [&](const Digits& at) {
      return alone ? any_setting_matters(found.values.front(), resolver, at)
                   : std::any_of(tables.begin(), tables.end(),
                                 [&](const GroupTable& table) { return table.sensitive(at, axis); });
    };
    bool matters = alone || std::any_of(tables.begin(), tables.end(),
                                        [&](const GroupTable& table) { return table.sensitive(axis); });
    if (matters && (kept || alone)) {
      matters = false;
      for (std::uint64_t index = 0; index < size() && !matters; ++index) {
        matters = effect(digits(index));
      }
    }
    if (!matters) {
      throw found.place.error(
          fmt::format("has no effect: {}", reason_without_effect(found, axis, resolver, digits(0))));
    }
  }
};

Grid::Grid(const SweepFile& sweep, const GridContext& context) : impl_(std::make_shared<const Impl>(sweep, context)) {}

std::uint64_t Grid::size() const {
  return impl_->size();
}

std::vector<std::string> Grid::columns() const {
  std::vector<std::string> columns;
  for (const Axis& axis : impl_->sweep.axes) {
    columns.insert(columns.end(), axis.columns.begin(), axis.columns.end());
  }
  return columns;
}

Point Grid::point(std::uint64_t index) const {
  Point point = outline(index);
  point.hardware = impl_->hardware(impl_->digits(index));
  return point;
}

Point Grid::outline(std::uint64_t index) const {
  const Digits digits = impl_->digits(index);
  const GroupShare share = impl_->share(digits);
  Point point;
  point.index = index;
  point.id = impl_->id(share);
  point.deterministic = !share.draws;
  point.trials = impl_->trials(share.draws);
  for (std::size_t axis = 0; axis < digits.size(); ++axis) {
    const Axis& found = impl_->sweep.axes[axis];
    for (std::size_t column = 0; column < found.columns.size(); ++column) {
      point.axes.emplace_back(found.columns[column], found.values[digits[axis]].columns[column]);
    }
  }
  return point;
}

PointIdentity Grid::identity(std::uint64_t index) const {
  return impl_->identity(index);
}

bool Grid::repeats(std::uint64_t index) const {
  std::call_once(impl_->repeats_known, [&] { impl_->find_repeats(); });
  return !impl_->repeats.empty() && impl_->repeats[index];
}

std::vector<std::uint64_t> Grid::matches(const PointRule& rule) const {
  return impl_->matches(rule, size());
}

std::vector<std::vector<std::uint64_t>> Grid::lines(std::size_t axis) const {
  return impl_->lines(axis);
}

bool Grid::calibrates() const {
  return impl_->calibrates();
}

Json Grid::resolved(std::uint64_t index) const {
  const Digits digits = impl_->digits(index);
  const GroupShare share = impl_->share(digits);
  Json flat = impl_->context.leaves(share.draws, share.calibrates);
  add_hardware_leaves(flat, impl_->resolver.layers(), impl_->hardware(digits));
  return flat;
}

}  // namespace crossgrid
