#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "crossgrid/array/noisy_current.hpp"
#include "crossgrid/backend/launch.hpp"
#include "crossgrid/base/normal.hpp"
#include "crossgrid/base/uniform.hpp"
#include "crossgrid/circuit/converter.hpp"
#include "crossgrid/circuit/measured_adc.hpp"
#include "crossgrid/circuit/pipeline_adc.hpp"
#include "crossgrid/circuit/ramp_adc.hpp"
#include "crossgrid/circuit/sar_adc.hpp"
#include "crossgrid/circuit/stochastic_rounding.hpp"
#include "crossgrid/device/cell_current.hpp"
#include "crossgrid/device/cell_fault.hpp"
#include "crossgrid/device/conductance_error.hpp"
#include "crossgrid/device/conductance_levels.hpp"
#include "crossgrid/device/measured_cell.hpp"
#include "crossgrid/kernels/functor_check.hpp"
#include "launch.cuh"

namespace crossgrid {
namespace {

/// Device memory of one check.
template <class Value>
class DeviceValues {
 public:
  explicit DeviceValues(const std::vector<Value>& values) : size_(values.size() * sizeof(Value)) {
    check_cuda(cudaMalloc(&data_, size_), "cudaMalloc");
    check_cuda(cudaMemcpy(data_, values.data(), size_, cudaMemcpyHostToDevice), "copy to the device");
  }
  ~DeviceValues() { cudaFree(data_); }
  DeviceValues(const DeviceValues&) = delete;
  DeviceValues& operator=(const DeviceValues&) = delete;

  Value* data() const { return static_cast<Value*>(data_); }
  std::vector<Value> values() const {
    std::vector<Value> to(size_ / sizeof(Value));
    check_cuda(cudaMemcpy(to.data(), data_, size_, cudaMemcpyDeviceToHost), "copy from the device");
    return to;
  }

 private:
  std::size_t size_;
  void* data_ = nullptr;
};
using DeviceFloats = DeviceValues<float>;

/// Constants of a converter on both sides.
template <class Value>
struct Constants {
  std::vector<Value> host;
  DeviceValues<Value> device;

  explicit Constants(std::vector<Value> values) : host(std::move(values)), device(host) {}
  /// Those of the side that the buffer `out` is on.
  const Value* at(bool on_device) const { return on_device ? device.data() : host.data(); }
};

/// Element i of a plane to its level, as programming does.
struct QuantizeCell {
  float* cells;
  ConductanceLevels<float> levels;

  CROSSGRID_HD_INLINE void operator()(std::size_t i) const { cells[i] = levels(cells[i]); }
};

/// The functors of measured cells on one buffer: `cells` holds the results, inputs stand for what they read. The curves
/// have their numbers in managed memory, which both sides read.
class ManagedCurve {
 public:
  explicit ManagedCurve(const Curve& curve) : view_(curve.view(25e-6, 0.1)) {
    const std::size_t bytes = (curve.parameters.size() + curve.points.size()) * sizeof(double);
    check_cuda(cudaMallocManaged(&data_, bytes), "cudaMallocManaged");
    std::copy(curve.parameters.begin(), curve.parameters.end(), data_);
    std::copy(curve.points.begin(), curve.points.end(), data_ + curve.parameters.size());
    view_.parameters = data_;
    view_.points = data_ + curve.parameters.size();
  }
  ~ManagedCurve() { cudaFree(data_); }
  ManagedCurve(const ManagedCurve&) = delete;
  ManagedCurve& operator=(const ManagedCurve&) = delete;
  const CurveView& view() const { return view_; }

 private:
  CurveView view_;
  double* data_ = nullptr;
};

Curve curve_of(CurveLaw law, std::vector<double> parameters, std::vector<double> points = {}) {
  Curve curve;
  curve.law = law;
  curve.parameters = std::move(parameters);
  curve.points = std::move(points);
  curve.argument_unit = 25e-6;
  curve.value = Curve::Quantity::number;
  return curve;
}

std::size_t different_bits(const std::vector<float>& a, const std::vector<float>& b) {
  std::size_t different = 0;
  for (std::size_t k = 0; k < a.size(); ++k) different += std::memcmp(&a[k], &b[k], sizeof(float)) != 0;
  return different;
}

/// Inputs of a check: host and device copies of the same values.
struct Buffers {
  std::vector<float> host_inputs, host_normals;
  DeviceFloats device_inputs, device_normals;

  Buffers(std::vector<float> inputs, std::vector<float> normals)
      : host_inputs(std::move(inputs)),
        host_normals(std::move(normals)),
        device_inputs(host_inputs),
        device_normals(host_normals) {}
};

/// Converters in place: make(out, normals, on_device); `out` starts as a copy of the inputs.
template <class Make>
FunctorCheck check_in_place(const char* name, const Buffers& buffers, const Make& make) {
  std::vector<float> host = buffers.host_inputs;
  const DeviceFloats device(buffers.host_inputs);
  for_each_index(host.size(), make(host.data(), buffers.host_normals.data(), false));
  launch(host.size(), make(device.data(), static_cast<const float*>(buffers.device_normals.data()), true));
  check_cuda(cudaDeviceSynchronize(), name);
  return {name, host.size(), different_bits(host, device.values())};
}

/// make(out, inputs, normals) gives the element on either side's buffers; `out` starts as a copy of the inputs.
template <class Make>
FunctorCheck check(const char* name, const Buffers& buffers, std::size_t indices, const Make& make) {
  std::vector<float> host = buffers.host_inputs;
  const DeviceFloats device(buffers.host_inputs);
  for_each_index(indices, make(host.data(), buffers.host_inputs.data(), buffers.host_normals.data()));
  launch(indices, make(device.data(), buffers.device_inputs.data(), buffers.device_normals.data()));
  check_cuda(cudaDeviceSynchronize(), name);
  return {name, host.size(), different_bits(host, device.values())};
}

/// Of every kind of converter, with some mismatch.
std::vector<FunctorCheck> compare_converters(const Buffers& buffers) {
  const MidRise scale{-0.25, 1.25, 1 / 1.25, 1.25 / 8, 1.25 / 16 - 1.25};  // 4 bits
  const Constants<double> weights({0.13, 0.24, 0.52, 1.0}),
      offsets(std::vector<double>(buffers.host_inputs.size(), 0.01));
  const Constants<PipelineStage> stages({{1.99, 0.99, 0.26, -0.24}, {2.01, 1.01, 0.25, -0.25}, {2, 1, 0.25, -0.25}});
  const Constants<double> thresholds({-0.5, 0.0, 0.3}), value({-1.0, 0.1, 0.9}), mean({0.1, 0.0, -0.1}),
      sigma({0.01, 0.0, 0.1});
  const Constants<float> outputs({-0.7f, -0.2f, 0.1f, 0.6f});
  const UniformConverter<double> quantizer{0, 1, 255, 0, 1.0 / 255, 0};
  return {
      check_in_place("ConvertSar", buffers,
                     [&](float* out, const float*, bool device) {
                       return ConvertSar{out, scale, {weights.at(device), 4, 1.001, 0.0005, 0.0625, 0.003}};
                     }),
      check_in_place("ConvertPipeline", buffers,
                     [&](float* out, const float*, bool device) {
                       return ConvertPipeline{out, scale, {stages.at(device), 1, 4, 0.002}};
                     }),
      check_in_place("ConvertPipeline, cyclic", buffers,
                     [&](float* out, const float*, bool device) {
                       return ConvertPipeline{out, scale, {stages.at(device), 0, 4, 0.002}};
                     }),
      check_in_place(
          "ConvertRamp", buffers,
          [&](float* out, const float*, bool device) {
            return ConvertRamp{out, offsets.at(device), scale, {thresholds.at(device), outputs.at(device), 2}};
          }),
      check_in_place(
          "SearchRamp", buffers,
          [&](float* out, const float*, bool device) {
            return SearchRamp{out, offsets.at(device), scale, {weights.at(device), 4, true, 1.001, 0.0005, 0.0625}, 3};
          }),
      check_in_place("ConvertSteps", buffers,
                     [&](float* out, const float*, bool device) {
                       return ConvertSteps{out, {thresholds.at(device), outputs.at(device), 2}};
                     }),
      check_in_place(
          "ConvertMeasured", buffers,
          [&](float* out, const float* normals, bool device) {
            return ConvertMeasured{out, normals, {value.at(device), mean.at(device), sigma.at(device), 3, quantizer}};
          }),
      check_in_place("RoundAtRandom", buffers,
                     [&](float* out, const float* normals, bool) {
                       return RoundAtRandom{out, normals, {quantizer}};
                     }),
  };
}

}  // namespace

int cuda_device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

std::vector<FunctorCheck> compare_functors(std::size_t count) {
  const std::size_t size = (count + draw_group - 1) / draw_group * draw_group;
  std::vector<float> inputs(size), normals(size);
  const std::size_t counters = size / draw_group * 16;
  for_each_index(counters, FillNormals{normals.data(), {{{1, 2}}, 3, 4}, 5});
  for (std::size_t k = 0; k < size; ++k) inputs[k] = static_cast<float>(k) / static_cast<float>(size) * 1.5f - 0.25f;
  const Buffers buffers(inputs, normals);

  const UniformConverter<float> quantizer{0, 1, 255, 0, 1.0f / 255, 0};
  const UniformConverter<float> sign_magnitude{-1, 1, 127, 0, 1.0f / 127, 0};
  const NoisyConductance<float> independent{{0.05f, 0, 0}, {0, 1}}, proportional{{0, 0.1f, 0}, {0.1f, 1}},
      inverse{{0, 0, 0.01f}, {0, 1}};
  const ManagedCurve polynomial(curve_of(CurveLaw::polynomial, {0.01, 0.08, -0.03}));
  const ManagedCurve table(curve_of(CurveLaw::table, {0.01, 0.08, 0.03}, {0.1, 0.4, 0.9}));
  const ManagedCurve levels(curve_of(CurveLaw::levels, {0.01, 0.08, 0.03}, {0.1, 0.4, 0.9}));
  const ManagedCurve saturating(curve_of(CurveLaw::saturating_exponential, {0.02, 0.1}));
  const ManagedCurve logarithmic(curve_of(CurveLaw::logarithmic, {-0.0155, 0.0244}));
  const ManagedCurve power(curve_of(CurveLaw::power, {0.0088, -0.65}));
  const CurrentTerm quadratic{2, polynomial.view(), 0.4, 0.05, false};
  using Out = float*;
  using In = const float*;
  std::vector<FunctorCheck> checks{
      check("FillNormals", buffers, counters,
            [](Out out, In, In) {
              return FillNormals{out, {{{1, 2}}, 3, 4}, (std::uint64_t{1} << 28) - 1};
            }),
      check("FillUniforms", buffers, counters,
            [](Out out, In, In) {
              return FillUniforms{out, {{{1, 2}}, 3, 4}, (std::uint64_t{1} << 28) - 1};
            }),
      check("QuantizeCell", buffers, size,
            [](Out out, In, In) {
              return QuantizeCell{out, {0.1f, 15}};
            }),
      check("PerturbCell, independent", buffers, size,
            [&](Out out, In, In z) {
              return PerturbCell{out, z, independent};
            }),
      check("PerturbCell, proportional", buffers, size,
            [&](Out out, In, In z) {
              return PerturbCell{out, z, proportional};
            }),
      check("PerturbCell, inverse", buffers, size,
            [&](Out out, In, In z) {
              return PerturbCell{out, z, inverse};
            }),
      check("StickCell", buffers, size,
            [](Out out, In, In z) {
              return StickCell{out, z, {-0.5f, 1.5f, 0.1f}};
            }),
      check("SpreadOfCell, polynomial", buffers, size,
            [&](Out out, In in, In) {
              return SpreadOfCell{in, out, polynomial.view()};
            }),
      check("SpreadOfCell, table", buffers, size,
            [&](Out out, In in, In) {
              return SpreadOfCell{in, out, table.view()};
            }),
      check("SpreadOfCell, levels", buffers, size,
            [&](Out out, In in, In) {
              return SpreadOfCell{in, out, levels.view()};
            }),
      check("SpreadOfCell, saturating_exponential", buffers, size,
            [&](Out out, In in, In) {
              return SpreadOfCell{in, out, saturating.view()};
            }),
      check("SpreadOfCell, logarithmic", buffers, size,
            [&](Out out, In in, In) {
              return SpreadOfCell{in, out, logarithmic.view()};
            }),
      check("FlickerOfCell", buffers, size,
            [&](Out out, In in, In) {
              return FlickerOfCell{in, in, out, power.view(), 4.2};
            }),
      check("ShiftCell", buffers, size,
            [&](Out out, In, In) {
              return ShiftCell{out, polynomial.view()};
            }),
      check("ScatterCell", buffers, size,
            [](Out out, In in, In z) {
              return ScatterCell{out, in, z, {0, 1}};
            }),
      check("DriftCell", buffers, size,
            [](Out out, In in, In z) {
              return DriftCell{out, in, in, z, 8.4, {0, 1}};
            }),
      check("KillCell", buffers, size, [](Out out, In, In z) { return KillCell{out, z, z, 64, -0.5f, -1.0f}; }),
      check("CoefficientOfCell", buffers, size,
            [&](Out out, In in, In) {
              return CoefficientOfCell{in, out, quadratic};
            }),
      check("AddScatteredCell", buffers, size,
            [](Out out, In in, In z) {
              return AddScatteredCell{out, 0.7f, in, in, z, {{0, 1}}};
            }),
      check("ConvertLevels, quantizer", buffers, size,
            [&](Out out, In in, In) {
              return ConvertLevels{in, out, quantizer};
            }),
      check("ConvertLevels, sign_magnitude", buffers, size,
            [&](Out out, In, In z) {
              return ConvertLevels{z, out, sign_magnitude};
            }),
      check("ConvertScale", buffers, size,
            [](Out out, In in, In) {
              return ConvertScale{in, out, 0.3f};
            }),
      check("AddNoisyCell", buffers, size,
            [&](Out out, In in, In z) {
              return AddNoisyCell{out, 0.7f, in, z, independent};
            }),
      check("AddLumpedNoise", buffers, size / 2,
            [&](Out out, In in, In z) {
              return AddLumpedNoise{out, in + size / 2, z};
            }),
  };
  const std::vector<FunctorCheck> converters = compare_converters(buffers);
  checks.insert(checks.end(), converters.begin(), converters.end());
  return checks;
}

}  // namespace crossgrid
