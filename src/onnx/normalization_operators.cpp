#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "broadcasting.hpp"
#include "index_sources.hpp"
#include "operator_checks.hpp"

/// softmax_operators.cpp has those that make probabilities.
namespace crossgrid {
namespace {

std::size_t place(std::int64_t k) {
  return static_cast<std::size_t>(k);
}

/// Values in groups: those whose coordinates along some axes, the kept ones, are the same.
struct Groups {
  Sources of;  ///< by value
  std::int64_t count = 1;
};

template <class Kept>
Groups groups_of(const OnnxNode& node, const Extents& dims, const Kept& kept) {
  checked_size(node, dims);
  Groups groups;
  Extents steps(dims.size(), 0);
  for (std::size_t axis = dims.size(); axis-- > 0;) {
    if (!kept(axis)) continue;
    steps[axis] = groups.count;
    groups.count *= dims[axis];
  }
  groups.of = strided_sources(dims, steps);
  return groups;
}

/// Mean and variance by group; those of groups without values are not numbers.
struct Moments {
  std::vector<double> mean, variance;
};

Moments moments_of(const std::vector<double>& values, const Groups& groups) {
  const std::size_t count = place(groups.count);
  Moments moments{std::vector<double>(count, 0.0), std::vector<double>(count, 0.0)};
  std::vector<double> sizes(count, 0.0);
  for (std::size_t k = 0; k < values.size(); ++k) {
    moments.mean[place(groups.of[k])] += values[k];
    sizes[place(groups.of[k])] += 1;
  }
  for (std::size_t k = 0; k < count; ++k) moments.mean[k] /= sizes[k];
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double off = values[k] - moments.mean[place(groups.of[k])];
    moments.variance[place(groups.of[k])] += off * off;
  }
  for (std::size_t k = 0; k < count; ++k) moments.variance[k] /= sizes[k];
  return moments;
}

/// Less the mean, over the deviation, which `epsilon` is added to the square of.
void normalize(std::vector<double>& values, const Groups& groups, const Moments& moments, double epsilon) {
  std::vector<double> factors;
  for (const double variance : moments.variance) factors.push_back(1 / std::sqrt(variance + epsilon));
  for (std::size_t k = 0; k < values.size(); ++k) {
    const std::size_t group = place(groups.of[k]);
    values[k] = (values[k] - moments.mean[group]) * factors[group];
  }
}

void scale_and_shift(std::vector<double>& values, const std::vector<double>& scale, const std::vector<double>* shift,
                     const Sources& of) {
  for (std::size_t k = 0; k < values.size(); ++k) {
    values[k] = values[k] * scale[place(of[k])] + (shift ? (*shift)[place(of[k])] : 0);
  }
}

/// One number for each channel.
std::vector<double> channel_numbers(const OnnxNode& node, OnnxInputs inputs, std::size_t k) {
  const OnnxTensor& numbers = real_input(node, inputs, k);
  check_dims(node, numbers, {inputs[0]->dims()[1]}, fmt::format("input {}", k).c_str());
  return numbers.as_reals();
}

const OnnxTensor& input_with_channels(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  if (input.rank() < 2) {
    throw node.error(fmt::format("input 0 is {}, expected batch x channels and more", extents_text(input.dims())));
  }
  return input;
}

std::vector<OnnxTensor> batch_normalization(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = input_with_channels(node, inputs);
  if (node.integer("spatial", 1) != 1) throw node.error("has spatial 0, expected one mean per channel (spatial 1)");
  const bool trains = node.integer("training_mode", 0) != 0;
  if (node.opset < 14 && node.outputs.size() > 1) {
    throw node.error(
        fmt::format("has {} outputs, which only training has: export the model for inference", node.outputs.size()));
  }
  const Groups channels = groups_of(node, input.dims(), [](std::size_t axis) { return axis == 1; });
  const std::vector<double> scale = channel_numbers(node, inputs, 1), shift = channel_numbers(node, inputs, 2);
  const Moments running{channel_numbers(node, inputs, 3), channel_numbers(node, inputs, 4)};
  std::vector<double> values = input.as_reals();
  const Moments moments = trains ? moments_of(values, channels) : running;
  normalize(values, channels, moments, node.number("epsilon", 1e-5F));
  scale_and_shift(values, scale, &shift, channels.of);
  const ElementType type = common_type({&input, inputs[1], inputs[2], inputs[3], inputs[4]});
  std::vector<OnnxTensor> outputs{OnnxTensor::of_reals(type, input.dims(), std::move(values))};
  if (!trains) return outputs;
  const double momentum = node.number("momentum", 0.9F);
  const auto add_running = [&](std::size_t k, const std::vector<double>& before, const std::vector<double>& now) {
    std::vector<double> mixed = before;
    for (std::size_t c = 0; c < mixed.size(); ++c) mixed[c] = momentum * before[c] + (1 - momentum) * now[c];
    outputs.push_back(OnnxTensor::of_reals(inputs[k]->type(), inputs[k]->dims(), std::move(mixed)));
  };
  add_running(3, running.mean, moments.mean);
  add_running(4, running.variance, moments.variance);
  return outputs;
}

std::vector<OnnxTensor> instance_normalization(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = input_with_channels(node, inputs);
  const Groups planes = groups_of(node, input.dims(), [](std::size_t axis) { return axis < 2; });
  const Groups channels = groups_of(node, input.dims(), [](std::size_t axis) { return axis == 1; });
  const std::vector<double> scale = channel_numbers(node, inputs, 1), shift = channel_numbers(node, inputs, 2);
  std::vector<double> values = input.as_reals();
  normalize(values, planes, moments_of(values, planes), node.number("epsilon", 1e-5F));
  scale_and_shift(values, scale, &shift, channels.of);
  return {OnnxTensor::of_reals(common_type({&input, inputs[1], inputs[2]}), input.dims(), std::move(values))};
}

/// Mean and variance over groups of channels and their planes. Before opset 21 scale and shift were by group.
std::vector<OnnxTensor> group_normalization(const OnnxNode& node, OnnxInputs inputs) {
  if (node.opset < 21) throw node.error("is of an opset before 21, where it meant something else: export it with 21");
  const OnnxTensor& input = input_with_channels(node, inputs);
  const std::int64_t count = node.integer("num_groups", 0), all = input.dims()[1];
  if (count < 1 || all % count != 0) {
    throw node.error(fmt::format("has {} groups (num_groups) of {} channels, expected equal ones", count, all));
  }
  Extents cut = input.dims();
  cut[1] = all / count;
  cut.insert(cut.begin() + 1, count);
  const Groups groups = groups_of(node, cut, [](std::size_t axis) { return axis < 2; });
  const Groups channels = groups_of(node, input.dims(), [](std::size_t axis) { return axis == 1; });
  const std::vector<double> scale = channel_numbers(node, inputs, 1), shift = channel_numbers(node, inputs, 2);
  std::vector<double> values = input.as_reals();
  normalize(values, groups, moments_of(values, groups), node.number("epsilon", 1e-5F));
  scale_and_shift(values, scale, &shift, channels.of);
  return {OnnxTensor::of_reals(input.type(), input.dims(), std::move(values))};
}

/// Of an input that is repeated to the extents of the first.
Sources repeated(const OnnxNode& node, OnnxInputs inputs, std::size_t k) {
  const Extents &from = real_input(node, inputs, k).dims(), &to = inputs[0]->dims();
  if (broadcast_dims(node, from, to) != to) {
    throw node.error(fmt::format("input {} is {}, larger than input 0: {}", k, extents_text(from), extents_text(to)));
  }
  return broadcast_sources(from, to);
}

std::vector<OnnxTensor> layer_normalization(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  const std::size_t first = checked_axis(node, node.integer("axis", -1), input.dims().size());
  const Groups rows = groups_of(node, input.dims(), [&](std::size_t axis) { return axis < first; });
  const double epsilon = node.number("epsilon", 1e-5F);
  std::vector<double> values = input.as_reals();
  const Moments moments = moments_of(values, rows);
  normalize(values, rows, moments, epsilon);
  scale_and_shift(values, real_input(node, inputs, 1).as_reals(), nullptr, repeated(node, inputs, 1));
  const OnnxTensor* const shift = optional_input(inputs, 2);
  if (shift) {
    const Sources of = repeated(node, inputs, 2);
    const std::vector<double> numbers = shift->as_reals();
    for (std::size_t k = 0; k < values.size(); ++k) values[k] += numbers[place(of[k])];
  }
  const ElementType type = common_type({&input, inputs[1], shift});
  // The moments' type is that of the sums inside (stash_type), which are wider here.
  const ElementType moments_type = type == ElementType::float64 ? type : ElementType::float32;
  Extents dims = input.dims();
  std::fill(dims.begin() + static_cast<std::ptrdiff_t>(first), dims.end(), 1);
  std::vector<double> inverse;
  for (const double variance : moments.variance) inverse.push_back(1 / std::sqrt(variance + epsilon));
  return {OnnxTensor::of_reals(type, input.dims(), std::move(values)),
          OnnxTensor::of_reals(moments_type, dims, moments.mean),
          OnnxTensor::of_reals(moments_type, dims, std::move(inverse))};
}

std::vector<OnnxTensor> mean_variance_normalization(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  std::vector<bool> merged(input.dims().size(), false);
  for (const std::int64_t axis : node.integers("axes", {0, 2, 3}))
    merged[checked_axis(node, axis, merged.size())] = true;
  const Groups groups = groups_of(node, input.dims(), [&](std::size_t axis) { return !merged[axis]; });
  std::vector<double> values = input.as_reals();
  Moments moments = moments_of(values, groups);
  // To the deviation, not to its square as elsewhere.
  for (double& variance : moments.variance) variance = std::pow(std::sqrt(variance) + 1e-9, 2);
  normalize(values, groups, moments, 0);
  return {OnnxTensor::of_reals(input.type(), input.dims(), std::move(values))};
}

std::vector<OnnxTensor> lp_normalization(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = real_input(node, inputs, 0);
  const std::int64_t power = node.integer("p", 2);
  if (power != 1 && power != 2) throw node.error(fmt::format("has p {}, expected 1 or 2", power));
  const std::size_t along = checked_axis(node, node.integer("axis", -1), input.dims().size());
  const Groups rows = groups_of(node, input.dims(), [&](std::size_t axis) { return axis != along; });
  std::vector<double> values = input.as_reals(), norms(place(rows.count), 0.0);
  for (std::size_t k = 0; k < values.size(); ++k) {
    norms[place(rows.of[k])] += power == 1 ? std::abs(values[k]) : values[k] * values[k];
  }
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double norm = norms[place(rows.of[k])];
    if (norm != 0) values[k] /= power == 1 ? norm : std::sqrt(norm);
  }
  return {OnnxTensor::of_reals(input.type(), input.dims(), std::move(values))};
}

/// By the squares of the channels next to each.
std::vector<OnnxTensor> local_response_normalization(const OnnxNode& node, OnnxInputs inputs) {
  const OnnxTensor& input = input_with_channels(node, inputs);
  const std::int64_t size = node.integer("size", 0);
  if (size < 1) throw node.error(fmt::format("has size {}, expected 1 or more channels", size));
  const auto view = view_at(input.dims(), 1);
  check_work(node, checked_size(node, input.dims()), std::min(size, view.extent));
  const double alpha = node.number("alpha", 1e-4F) / static_cast<double>(size);
  const double beta = node.number("beta", 0.75F), bias = node.number("bias", 1);
  const std::int64_t before = std::min((size - 1) / 2, view.extent),
                     behind = std::min(size - 1 - (size - 1) / 2, view.extent);
  const std::vector<double> values = input.as_reals();
  std::vector<double> results(values.size());
  for (std::size_t k = 0; k < values.size(); ++k) {
    const auto at = static_cast<std::int64_t>(k);
    const std::int64_t channel = at / view.inner % view.extent;
    const std::int64_t last = std::min(view.extent - 1, channel + behind);
    double sum = 0;
    for (std::int64_t c = std::max<std::int64_t>(0, channel - before); c <= last; ++c) {
      const double value = values[place(at + (c - channel) * view.inner)];
      sum += value * value;
    }
    results[k] = values[k] / std::pow(bias + alpha * sum, beta);
  }
  return {OnnxTensor::of_reals(input.type(), input.dims(), std::move(results))};
}

}  // namespace

void add_normalization_operators(OnnxOperators& operators) {
  operators["BatchNormalization"] = batch_normalization;
  operators["GroupNormalization"] = group_normalization;
  operators["InstanceNormalization"] = instance_normalization;
  operators["LRN"] = local_response_normalization;
  operators["LayerNormalization"] = layer_normalization;
  operators["LpNormalization"] = lp_normalization;
  operators["MeanVarianceNormalization"] = mean_variance_normalization;
}

}  // namespace crossgrid
