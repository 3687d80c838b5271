#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "core/fast_mvm.hpp"
#include "crossgrid/circuit/circuit_adc.hpp"
#include "crossgrid/core/reference_mvm.hpp"

/// The published vectors of the analog chain (tests/data/conformance/README.md) through the plain reference in double
/// and through programmed arrays in float.
namespace crossgrid {
namespace {

using nlohmann::json;

const std::string folder = CROSSGRID_TEST_SOURCE_DIR "/tests/data/conformance/";

/// Reads the real arrays of two dimensions; the others are skipped.
std::map<std::string, MatrixD> read_arrays() {
  std::ifstream file(folder + "arrays.bin", std::ios::binary);
  std::map<std::string, MatrixD> arrays;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, type;
    words >> name >> type;
    std::vector<Eigen::Index> shape;
    for (Eigen::Index size; words >> size;) shape.push_back(size);
    std::size_t count = 1;
    for (Eigen::Index size : shape) count *= static_cast<std::size_t>(size);
    const std::size_t width = type == "float32" ? 4 : type == "float64" ? 8 : 16;
    std::string bytes(count * width, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (shape.size() != 2 || width == 16) continue;
    if (width == 4) {
      arrays[name] =
          Eigen::Map<const Matrix>(reinterpret_cast<const float*>(bytes.data()), shape[0], shape[1]).cast<double>();
    } else {
      arrays[name] = Eigen::Map<const MatrixD>(reinterpret_cast<const double*>(bytes.data()), shape[0], shape[1]);
    }
  }
  return arrays;
}

bool sliced(const json& parameters) {
  return parameters["core"]["style"] == "BITSLICED";
}
bool sliced_inputs(const json& parameters) {
  return parameters["xbar"]["dac"]["mvm"]["input_bitslicing"];
}
bool has_adc(const json& parameters) {
  return parameters["xbar"]["adc"]["mvm"]["bits"] != 0;
}

/// Why a case is not run, or nothing. Slices of weights or inputs without an ADC between them are exactly one product
/// of quantised weights and inputs: such cases are run as that.
std::optional<std::string> not_supported(const json& p) {
  const json& core = p["core"];
  const json& xbar = p["xbar"];
  const json& wires = xbar["array"]["parasitics"];
  if (wires["enable"]) return "wires";
  if (xbar["device"]["nonlinear_IV"]["enable"]) return "nonlinear cells";
  if (xbar["array"]["Icol_max"] != 0) return "column current limit";
  if (core["complex_matrix"] || core["complex_input"]) return "complex matrices";
  if (sliced(p) && (has_adc(p) || xbar["device"]["cell_bits"] != 0)) return "weight slices with an ADC or levels";
  if (sliced_inputs(p) && has_adc(p) && xbar["adc"]["mvm"]["adc_per_ibit"]) return "an ADC per input slice";
  if (core["style"] == "BALANCED" && !core["balanced"]["subtract_current_in_xbar"] && has_adc(p))
    return "digital subtraction";
  if (core["style"] == "OFFSET" && core["offset"]["style"] != "DIGITAL_OFFSET") return "unit column";
  if (!core["mapping"]["inputs"]["mvm"].value("percentile", json()).is_null()) return "inputs scaled per vector";
  if (!core["mapping"]["weights"]["col_partition_priority"].empty()) return "partition by divisors";
  if (!core["mapping"]["weights"]["row_partition_priority"].empty()) return "partition by divisors";
  return std::nullopt;
}

std::optional<int> limit_of(const json& value) {
  return value == 0 ? std::nullopt : std::optional<int>(value.get<int>());
}

LayerHardware hardware_of(const json& p, bool transposed) {
  LayerHardware hardware;
  const json& weights = p["core"]["mapping"]["weights"];
  const json& device = p["xbar"]["device"];
  hardware.core.style = p["core"]["style"] == "OFFSET" ? CoreStyle::offset : CoreStyle::balanced;
  hardware.core.two_sided = p["core"]["style"] == "BALANCED" && p["core"]["balanced"]["style"] == "TWO_SIDED";
  if (sliced(p)) hardware.core.weight_bits = p["core"]["weight_bits"].get<int>();
  const json percentile = weights.value("percentile", json());
  using Rule = WeightClip::Rule;
  hardware.core.clip = percentile.is_null() ? WeightClip{Rule::limit, weights["max"].get<double>()}
                       : percentile < 1.0   ? WeightClip{Rule::quantile, percentile.get<double>()}
                                            : WeightClip{Rule::factor, percentile.get<double>()};
  // CrossSim partitions inputs by "col_", outputs by "row_" strategies of the weight matrix (outputs x inputs).
  hardware.array.rows_max = limit_of(p["core"]["rows_max"]);
  hardware.array.cols_max = limit_of(p["core"]["cols_max"]);
  const auto rule = [&](const char* key) { return weights[key] == "MAX" ? PartitionRule::fill : PartitionRule::equal; };
  hardware.array.rows_partition = rule("col_partition_strategy");
  hardware.array.cols_partition = rule("row_partition_strategy");
  if (transposed) {
    std::swap(hardware.array.rows_max, hardware.array.cols_max);
    std::swap(hardware.array.rows_partition, hardware.array.cols_partition);
  }
  if (!device["infinite_on_off_ratio"])
    hardware.device.on_off_ratio = device["Rmax"].get<double>() / device["Rmin"].get<double>();
  hardware.device.cell_bits = limit_of(device["cell_bits"]);
  return hardware;
}

ConverterModel model_of(const std::string& name) {
  const std::pair<const char*, ConverterModel> models[] = {
      {"Quantizer", ConverterModel::quantizer}, {"SignMagnitude", ConverterModel::sign_magnitude},
      {"Ramp", ConverterModel::ramp},           {"Sar", ConverterModel::sar},
      {"Pipeline", ConverterModel::pipeline},   {"Cyclic", ConverterModel::cyclic}};
  for (const auto& [start, model] : models) {
    if (name.starts_with(start)) return model;
  }
  return ConverterModel::ideal;
}

void set_converters(LayerHardware& hardware, const json& p) {
  const json& dac = p["xbar"]["dac"]["mvm"];
  const json& adc = p["xbar"]["adc"]["mvm"];
  hardware.dac.sign = dac["signed"] ? DacSign::is_signed : DacSign::is_unsigned;
  hardware.dac.model = dac["bits"] == 0 ? ConverterModel::ideal : model_of(dac["model"]);
  hardware.dac.bits = dac["bits"];
  hardware.adc.model = has_adc(p) ? model_of(adc["model"]) : ConverterModel::ideal;
  hardware.adc.bits = adc["bits"];
  hardware.adc.errors.gain_db = adc.value("gain_db", 100.0);
  hardware.adc.symmetric = adc.value("symmetric_cdac", true);
  hardware.adc.split = adc.value("split_cdac", true);
  hardware.adc.group = adc.value("group_size", 8);
  hardware.adc.range = adc["adc_range_option"] == "MAX" ? RangeRule::maximum : RangeRule::calibrated;
}

struct Case {
  std::string id;
  Matrix weights;  ///< outputs x inputs of this product
  LayerHardware hardware;
  ReferenceMvm mvm;
  MatrixD inputs, answers;
};

Case make_case(const json& description, const json& p, const std::map<std::string, MatrixD>& arrays) {
  Case made;
  made.id = description["id"];
  const bool transposed = description["op"] == "vecmat";
  made.weights = arrays.at(description["matrix"]).cast<float>();
  if (transposed) made.weights.transposeInPlace();
  made.hardware = hardware_of(p, transposed);
  set_converters(made.hardware, p);
  const json& limits = p["core"]["mapping"]["inputs"]["mvm"];
  made.mvm.input_range = {limits["min"].get<double>(), limits["max"].get<double>()};
  if (const json& range = description["facts"]["adc_range"][0]; !range.is_null()) {
    made.mvm.adc_range = Interval{range[0].get<double>(), range[1].get<double>()};
  }
  made.inputs = arrays.at("X_" + made.id);
  made.answers = arrays.at("R_" + made.id);
  return made;
}

void check(const Case& c) {
  SCOPED_TRACE(c.id);
  const double largest = c.answers.cwiseAbs().maxCoeff();
  for (Eigen::Index v = 0; v < c.inputs.rows(); ++v) {
    const std::vector<double> x(c.inputs.row(v).begin(), c.inputs.row(v).end());
    const std::vector<double> exact = reference_mvm(c.weights, c.hardware, x, c.mvm);
    // Architectures are in the reference, not yet in programmed arrays.
    const bool in_arrays = !needs_circuit_adc(c.hardware.adc);
    const std::vector<float> fast =
        in_arrays ? fast_mvm(c.weights, c.hardware, x, c.mvm) : std::vector<float>(exact.begin(), exact.end());
    for (Eigen::Index j = 0; j < c.answers.cols(); ++j) {
      const auto k = static_cast<std::size_t>(j);
      EXPECT_NEAR(exact[k], c.answers(v, j), 1e-10 * largest) << "vector " << v << ", output " << j;
      EXPECT_NEAR(fast[k], c.answers(v, j), 2e-6 * largest) << "float, vector " << v << ", output " << j;
    }
  }
}

TEST(Conformance, ReferenceAndFloatPathGiveThePublishedAnswers) {
  const json file = json::parse(std::ifstream(folder + "cases.json"));
  const auto arrays = read_arrays();
  std::map<std::string, int> skipped;
  int ran = 0;
  for (const json& description : file["cases"]) {
    json p = file["defaults"];
    p.merge_patch(description["params"]);
    if (const auto reason = not_supported(p)) {
      ++skipped[*reason];
      continue;
    }
    check(make_case(description, p, arrays));
    ++ran;
  }
  std::cout << ran << " of " << file["cases"].size() << " cases ran; not yet simulated:";
  for (const auto& [reason, count] : skipped) std::cout << ' ' << reason << " (" << count << ')';
  std::cout << '\n';
  EXPECT_EQ(ran, 108);
}

}  // namespace
}  // namespace crossgrid
