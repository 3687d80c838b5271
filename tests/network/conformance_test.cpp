#include <gtest/gtest.h>

#include <complex>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "crossgrid/core/complex_blocks.hpp"
#include "crossgrid/core/reference_mvm.hpp"
#include "crossgrid/network/analog_matrix.hpp"

/// The published vectors of the analog chain (tests/data/conformance/README.md) through the plain reference in double
/// and through the arrays that networks run on, in float. CROSSGRID_CONFORMANCE_DIR names another folder of the format.
namespace crossgrid {
namespace {

using nlohmann::json;

const char* given_folder() {
  return std::getenv("CROSSGRID_CONFORMANCE_DIR");
}
std::string folder() {
  return given_folder() != nullptr ? std::string(given_folder()) + "/"
                                   : CROSSGRID_TEST_SOURCE_DIR "/tests/data/conformance/";
}

/// Reads the arrays of two dimensions; complex ones as two, NAME.re and NAME.im.
std::map<std::string, MatrixD> read_arrays() {
  std::ifstream file(folder() + "arrays.bin", std::ios::binary);
  std::map<std::string, MatrixD> arrays;
  EXPECT_TRUE(file) << folder() << "arrays.bin can't be read; published as arrays.npz? Then first run "
                    << CROSSGRID_TEST_SOURCE_DIR "/tests/data/conformance/convert.py " << folder() << "arrays.npz "
                    << folder() << "arrays.bin";
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
    if (shape.size() != 2) continue;
    if (width == 16) {
      using Complex = Eigen::Matrix<std::complex<double>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
      const Eigen::Map<const Complex> values(reinterpret_cast<const std::complex<double>*>(bytes.data()), shape[0],
                                             shape[1]);
      arrays[name + ".re"] = values.real();
      arrays[name + ".im"] = values.imag();
      continue;
    }
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
bool has_adc(const json& parameters) {
  return parameters["xbar"]["adc"]["mvm"]["bits"] != 0;
}

/// The current of Milo's cells as physics.md gives it.
std::shared_ptr<const MeasuredDevice> milo_cells() {
  const auto term = [](int power, std::vector<double> coefficients) {
    Curve curve;
    curve.parameters = std::move(coefficients);
    curve.argument_log10 = true;
    curve.value = Curve::Quantity::number;
    return MeasuredCurrent::Term{power, curve, 1e-9};
  };
  MeasuredDevice device;
  device.name = "milo";
  device.current = MeasuredCurrent{
      {term(2, {0.007063, 0.005711, 0.001541, 0.0001388}), term(3, {1.2968e-3, 6.7919e-4, 8.8710e-5})}, {}};
  return std::make_shared<const MeasuredDevice>(std::move(device));
}

/// Where each vector's limits follow from itself.
std::optional<double> input_quantile(const json& p) {
  const json percentile = p["core"]["mapping"]["inputs"]["mvm"].value("percentile", json());
  return percentile.is_null() ? std::nullopt : std::optional<double>(percentile.get<double>());
}

/// The larger magnitude of a vector's quantiles p and 1 - p, between its sorted values by linear interpolation.
Interval quantile_limits(std::vector<double> x, double p) {
  std::ranges::sort(x);
  const auto quantile = [&](double q) {
    const double place = q * static_cast<double>(x.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double above = x[std::min(below + 1, x.size() - 1)];
    return x[below] + (place - static_cast<double>(below)) * (above - x[below]);
  };
  const double limit = std::max(std::abs(quantile(p)), std::abs(quantile(1 - p)));
  return {-limit, limit};
}

std::optional<int> limit_of(const json& value) {
  return value == 0 ? std::nullopt : std::optional<int>(value.get<int>());
}

LayerHardware hardware_of(const json& p, bool transposed) {
  LayerHardware hardware;
  const json& weights = p["core"]["mapping"]["weights"];
  const json& device = p["xbar"]["device"];
  const json& core = p["core"];
  const json& style = sliced(p) ? core["bit_sliced"]["style"] : core["style"];
  hardware.core.style = style == "OFFSET" ? CoreStyle::offset : CoreStyle::balanced;
  hardware.core.two_sided = core["style"] == "BALANCED" && core["balanced"]["style"] == "TWO_SIDED";
  hardware.core.unit_column = core["offset"]["style"] != "DIGITAL_OFFSET";
  hardware.core.interleaved = core["balanced"]["interleaved_posneg"];
  hardware.core.subtract = core["balanced"]["subtract_current_in_xbar"] ? Subtraction::analog : Subtraction::digital;
  if (sliced(p)) {
    hardware.core.weight_bits = core["weight_bits"].get<int>();
    hardware.core.slices = core["bit_sliced"]["num_slices"];
  }
  if (const double most = p["xbar"]["array"]["Icol_max"]; most != 0) hardware.array.column_current_max = most;
  const json percentile = weights.value("percentile", json());
  using Rule = WeightClip::Rule;
  hardware.core.clip = percentile.is_null() ? WeightClip{Rule::limit, weights["max"].get<double>()}
                       : percentile < 1.0   ? WeightClip{Rule::quantile, percentile.get<double>()}
                                            : WeightClip{Rule::factor, percentile.get<double>()};
  // CrossSim partitions inputs by "col_", outputs by "row_" strategies of the weight matrix (outputs x inputs).
  hardware.array.rows_max = limit_of(p["core"]["rows_max"]);
  hardware.array.cols_max = limit_of(p["core"]["cols_max"]);
  const auto rule = [&](const std::string& lines) -> PartitionRule {
    using Kind = PartitionRule::Kind;
    const json& divisors = weights[lines + "_partition_priority"];
    if (!divisors.empty()) return {Kind::divisors, divisors.get<std::vector<int>>()};
    return {weights[lines + "_partition_strategy"] == "MAX" ? Kind::fill : Kind::equal, {}};
  };
  hardware.array.rows_partition = rule("col");
  hardware.array.cols_partition = rule("row");
  if (const json& wires = p["xbar"]["array"]["parasitics"]; wires["enable"]) {
    hardware.array.wires = {wires["Rp_row"], wires["Rp_col"], wires["Rp_row_terminal"], wires["Rp_col_terminal"]};
    hardware.device.r_min = device["Rmin"];
    if (!wires["current_from_input"]) hardware.array.wires.source = WireSource::separate;
    if (wires["selected_rows"] == "bottom") hardware.array.wires.used_rows = UsedRows::bottom;
  }
  if (transposed) {
    std::swap(hardware.array.rows_max, hardware.array.cols_max);
    std::swap(hardware.array.rows_partition, hardware.array.cols_partition);
    // Word lines, which are read now, keep their resistances, and their ends theirs.
    std::swap(hardware.array.wires.r_row, hardware.array.wires.r_col);
    std::swap(hardware.array.wires.r_row_end, hardware.array.wires.r_col_end);
  }
  if (!device["infinite_on_off_ratio"])
    hardware.device.on_off_ratio = device["Rmax"].get<double>() / device["Rmin"].get<double>();
  hardware.device.cell_bits = limit_of(device["cell_bits"]);
  if (const json& iv = device["nonlinear_IV"]; iv["enable"]) {
    hardware.device.r_min = device["Rmin"];
    hardware.device.read_voltage = device["Vread"];
    hardware.device.iv = iv["model"] == "CubicDevice" ? IvModel::cubic : IvModel::device;
    if (hardware.device.iv == IvModel::device) hardware.device.measured = milo_cells();
  }
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
  if (dac["input_bitslicing"]) hardware.dac.slice_bits = dac["slice_size"].get<int>();
  if (input_quantile(p) == 1.0) hardware.dac.range = RangeRule::per_vector;
  hardware.adc.per_input_slice = adc["adc_per_ibit"];
  hardware.adc.errors.gain_db = adc.value("gain_db", 100.0);
  hardware.adc.symmetric = adc.value("symmetric_cdac", true);
  hardware.adc.split = adc.value("split_cdac", true);
  hardware.adc.group = adc.value("group_size", 8);
  hardware.adc.model = has_adc(p) ? model_of(adc["model"]) : ConverterModel::ideal;
  hardware.adc.bits = adc["bits"];
  // The peer's rules for offset slices and granular ranges are not ours: such cases run with the ranges that they give.
  const bool own_rule = adc["adc_range_option"] == "MAX" && !(sliced(p) && hardware.core.style == CoreStyle::offset);
  hardware.adc.range = own_rule ? RangeRule::maximum : RangeRule::calibrated;
}

struct Case {
  std::string id;
  Matrix weights;  ///< outputs x inputs of this product
  LayerHardware hardware;
  ReferenceMvm mvm;
  std::optional<double> quantile;  ///< that limits each vector, in place of mvm.input_range
  MatrixD inputs, answers;
  std::vector<int> apart;  ///< rows of arrays that have to be run one by one; none: the whole matrix at once
};

/// The peer splits 150 rows over two arrays of at most 100 equally although its rule says MAX (split_147): then the
/// case is run as it was split. Of 9 rows its first array has 4 and ours 5, which wires can tell (wires_input_183):
/// there every array is run by itself.
void use_given_parts(Case& c, const json& given, double limit) {
  ArrayConfig& array = c.hardware.array;
  const auto sizes = [&] {
    std::vector<int> found;
    for (const Part& part : partition(static_cast<int>(c.weights.cols()), array.rows_max, array.rows_partition)) {
      found.push_back(part.count);
    }
    return found;
  };
  if (sizes() == given.get<std::vector<int>>()) return;
  if (c.hardware.array.wires.any()) {
    c.apart = given.get<std::vector<int>>();
    array.rows_max.reset();
    c.hardware.core.clip = {WeightClip::Rule::limit, limit};
    return;
  }
  EXPECT_EQ(c.id, "split_147") << "another split than the case's";
  array.rows_partition = {};
  EXPECT_EQ(sizes(), given.get<std::vector<int>>());
}

Case make_case(const json& description, const json& p, const std::map<std::string, MatrixD>& arrays) {
  Case made;
  made.id = description["id"];
  const bool transposed = description["op"] == "vecmat";
  const auto read = [&](const std::string& name, auto join) -> MatrixD {
    return p["core"]["complex_matrix"] ? join(arrays.at(name + ".re"), arrays.at(name + ".im")) : arrays.at(name);
  };
  const auto transposed_blocks = [](const MatrixD& re, const MatrixD& im) {
    return complex_blocks<MatrixD>(re.transpose(), im.transpose());
  };
  // A complex row vector times W is the block matrix of W's transpose, not the transpose of its block matrix.
  const bool complex = p["core"]["complex_matrix"];
  made.weights = (complex && transposed ? read(description["matrix"], transposed_blocks)
                                        : read(description["matrix"], complex_blocks<MatrixD>))
                     .cast<float>();
  if (transposed && !complex) made.weights.transposeInPlace();
  made.hardware = hardware_of(p, transposed);
  set_converters(made.hardware, p);
  use_given_parts(made, description["facts"][transposed ? "parts_out" : "parts_in"], description["facts"]["wmax"]);
  const json& limits = p["core"]["mapping"]["inputs"]["mvm"];
  if (!input_quantile(p)) {
    made.mvm.input_range = {limits["min"].get<double>(), limits["max"].get<double>()};
  } else if (made.hardware.dac.range == RangeRule::per_vector) {
    made.mvm.input_range = {-1, 1};
  } else {
    made.quantile = input_quantile(p);
  }
  for (const json& range : description["facts"]["adc_range"]) {
    if (!range.is_null()) made.mvm.adc_ranges.push_back({range[0].get<double>(), range[1].get<double>()});
  }
  made.inputs = read("X_" + made.id, complex_vectors<MatrixD>);
  made.answers = read("R_" + made.id, complex_vectors<MatrixD>);
  return made;
}

void check(const Case& c) {
  SCOPED_TRACE(c.id);
  const double largest = c.answers.cwiseAbs().maxCoeff();
  ReferenceMvm mvm = c.mvm;
  for (Eigen::Index v = 0; v < c.inputs.rows(); ++v) {
    const std::vector<double> x(c.inputs.row(v).begin(), c.inputs.row(v).end());
    if (c.quantile) mvm.input_range = quantile_limits(x, *c.quantile);
    std::vector<double> exact(static_cast<std::size_t>(c.answers.cols()), 0.0);
    Matrix fast = Matrix::Zero(1, c.answers.cols());
    std::size_t first = 0;
    for (const int rows : c.apart.empty() ? std::vector<int>{static_cast<int>(x.size())} : c.apart) {
      const auto count = static_cast<std::size_t>(rows);
      const Matrix weights = c.weights.middleCols(static_cast<Eigen::Index>(first), rows);
      const std::vector<double> part = reference_mvm(weights, c.hardware, std::span(x).subspan(first, count), mvm);
      for (std::size_t j = 0; j < exact.size(); ++j) exact[j] += part[j];
      AnalogMatrix arrays(weights, c.hardware, {mvm.input_range, mvm.adc_ranges, {}}, {});
      fast += arrays.multiply(c.inputs.row(v).segment(static_cast<Eigen::Index>(first), rows).cast<float>());
      first += count;
    }
    for (Eigen::Index j = 0; j < c.answers.cols(); ++j) {
      EXPECT_NEAR(exact[static_cast<std::size_t>(j)], c.answers(v, j), 1e-10 * largest)
          << "vector " << v << ", output " << j;
      EXPECT_NEAR(fast(0, j), c.answers(v, j), 2e-6 * largest) << "float, vector " << v << ", output " << j;
    }
  }
}

TEST(Conformance, ReferenceAndFloatPathGiveThePublishedAnswers) {
  std::ifstream cases(folder() + "cases.json");
  ASSERT_TRUE(cases) << folder() << "cases.json can't be read";
  const json file = json::parse(cases);
  const auto arrays = read_arrays();
  if (HasFailure()) return;
  int ran = 0;
  for (const json& description : file["cases"]) {
    json p = file["defaults"];
    p.merge_patch(description["params"]);
    check(make_case(description, p, arrays));
    ++ran;
  }
  std::cout << ran << " cases ran\n";
  // Of another folder: whatever it has.
  EXPECT_TRUE(given_folder() != nullptr ? ran > 0 : ran == 215) << ran;
}

}  // namespace
}  // namespace crossgrid
