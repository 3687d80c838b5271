#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crossgrid/base/file.hpp"
#include "crossgrid/base/json.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/network/inference.hpp"
#include "crossgrid/sweep/bare_hardware.hpp"

/// What every model does to one image, as it was when physics_version was last raised. Records of one version are taken
/// for equal physics: who changes outputs must raise it.
namespace crossgrid {
namespace {

const std::string source = CROSSGRID_TEST_SOURCE_DIR;
const std::string recorded = source + "/tests/sweep/golden_outputs.json";

struct Case {
  const char* name;
  std::vector<std::string> settings;
};

std::string device(const char* name) {
  return "device.model=" + source + "/data/devices/" + name + ".json";
}

/// One per model and place of draws.
std::vector<Case> cases() {
  const std::string dac = "dac.model=sign_magnitude", adc = "adc.model=quantizer", one_bit = "dac.slice_bits=1";
  const std::string wires = "array.wires.r_row=4", more = "array.wires.r_col=7", gates = "array.wires.source=separate";
  const std::string noise = "device.read_noise.model=normal_proportional", size = "device.read_noise.magnitude=0.1";
  const auto error = [](const char* model, const char* magnitude) {
    return std::vector<std::string>{std::string("device.programming_error.model=") + model,
                                    std::string("device.programming_error.magnitude=") + magnitude};
  };
  const auto with = [](std::vector<std::string> settings, const std::vector<std::string>& others) {
    settings.insert(settings.end(), others.begin(), others.end());
    return settings;
  };
  return {
      {"ideal", {}},
      {"normal_independent", error("normal_independent", "0.1")},
      {"normal_proportional", error("normal_proportional", "0.2")},
      {"normal_inverse", with(error("normal_inverse", "0.02"), {"device.on_off_ratio=20", "device.clip=true"})},
      {"uniform_independent", error("uniform_independent", "0.4")},
      {"uniform_proportional", error("uniform_proportional", "0.5")},
      {"levels", {"device.cell_bits=3", "core.weight_bits=4", "device.on_off_ratio=10"}},
      {"slices", with(error("normal_independent", "0.1"), {"core.weight_bits=8", "core.slices=4"})},
      {"offset", with(error("normal_independent", "0.05"), {"core.style=offset"})},
      {"unit_column", with(error("normal_independent", "0.05"), {"core.style=offset", "core.unit_column=true", adc})},
      {"two_sided", with(error("normal_independent", "0.1"), {"core.two_sided=true", "core.subtract=digital", adc})},
      {"clip", {"core.clip=0.99"}},
      {"stuck", {"device.faults.stuck_on=0.02", "device.faults.stuck_off=0.1"}},
      {"dead_lines", {"device.faults.dead_rows=0.05", "device.faults.dead_columns=0.1"}},
      {"lumped_noise", {noise, size, "device.read_noise.sampling=lumped"}},
      {"cell_noise", {noise, size, "device.read_noise.sampling=per_cell"}},
      {"noise_of_split_arrays", {noise, size, "array.rows_max=32", "array.cols_max=4", adc}},
      {"uniform_noise", {"device.read_noise.model=uniform_independent", "device.read_noise.magnitude=0.1"}},
      {"pcm",
       {device("pcm-nandakumar-2019"), "device.r_min=4e4", "device.programming_error.model=device",
        "device.read_noise.model=device", "device.drift.model=device", "device.time=86400", "device.on_off_ratio=100"}},
      {"pcm_compensated",
       {device("pcm-nandakumar-2019"), "device.r_min=4e4", "device.drift.model=device", "device.time=1e6",
        "device.drift.compensation=global", "device.on_off_ratio=100"}},
      {"pcm_programmed", {device("pcm-joshi-2020"), "device.r_min=4e4", "device.programming_error.model=device"}},
      {"sonos",
       {device("sonos-agrawal-2022"), "device.r_min=6.25e4", "device.drift.model=device", "device.time=86400",
        "device.read_noise.model=device"}},
      {"milo", {device("rram-milo-2021"), "device.r_min=1e4", "device.iv.model=device", "device.read_voltage=0.3"}},
      {"cubic", {"device.iv.model=cubic", "device.read_voltage=0.8"}},
      {"rows_in_turn", {"array.rows_max=48", "array.rows_active=16", dac, adc}},
      {"bias_rows", with(error("normal_independent", "0.1"), {"core.bias=rows", "core.bias_rows=2"})},
      {"current_limit", {"array.column_current_max=0.8", dac, one_bit}},
      {"bit_serial", {dac, one_bit, adc, "adc.bits=10", "adc.per_input_slice=true"}},
      {"per_vector", {dac, "dac.bits=4", "dac.range=per_vector", adc, "adc.bits=10", "adc.bound_management=2"}},
      {"stochastic_rounding", {adc, "adc.bits=6", "adc.rounding=stochastic"}},
      {"ramp", {"adc.model=ramp", "adc.sigma_capacitor=0.05", "adc.sigma_comparator=0.01"}},
      {"sar", {"adc.model=sar", "adc.sigma_capacitor=0.05", "adc.sigma_comparator=0.01"}},
      {"pipeline", {"adc.model=pipeline", "adc.sigma_c1=0.02", "adc.sigma_c2=0.02", "adc.sigma_comparator=0.01"}},
      {"cyclic", {"adc.model=cyclic", "adc.sigma_c1=0.02", "adc.sigma_cpar=0.02"}},
      {"lloyd_max", {"adc.model=levels", "adc.levels=lloyd_max", "adc.bits=5"}},
      {"wires", {wires, more}},
      {"wires_interleaved", with(error("normal_independent", "0.1"), {wires, more, "core.interleaved=true"})},
      {"gated", {wires, more, gates, dac, "dac.bits=5", one_bit}},
      {"pulses", {wires, more, gates, "dac.model=pulse_width", "dac.bits=4"}},
      {"gated_noise", {wires, more, gates, dac, "dac.bits=4", one_bit, noise, size}},
  };
}

/// The image's logits.
std::vector<double> logits_of(InferenceEngine& engine, std::size_t layers, const Case& asked) {
  const std::vector<LayerHardware> hardware(layers, bare_hardware(asked.settings));
  InferenceRequest request;
  request.hardware = hardware;
  request.seed = 5, request.trial = 2, request.first = 7, request.count = 1;
  const Matrix logits = engine.logits(request);
  return {logits.data(), logits.data() + logits.size()};
}

double largest_difference(const std::vector<double>& found, const std::vector<double>& expected) {
  double worst = found.size() == expected.size() ? 0 : 1e300, largest = 0;
  for (std::size_t k = 0; k < std::min(found.size(), expected.size()); ++k) {
    worst = std::max(worst, std::abs(found[k] - expected[k]));
    largest = std::max(largest, std::abs(expected[k]));
  }
  return worst / largest;
}

/// Instruction sets differ in last bits, which a converter may turn into one of its steps: far less than other draws
/// do.
TEST(GoldenOutputs, ChangeWithThePhysicsVersionOnly) {
  constexpr double tolerance = 5e-3;
  const Network network = read_network(source + "/data/digits-cnn.json");
  CalibrationPlan calibration;
  calibration.data = open_dataset(source + "/data/digits", "idx", "train");
  calibration.count = 32;
  InferenceEngine engine(network, open_dataset(source + "/data/digits", "idx", "test"), calibration, 1);
  const std::size_t layers = matrix_layers(network).size();
  const Json golden = file_exists(posix_files(), recorded) ? read_json_file(recorded) : Json::object();
  Json now{{"physics_version", physics_version}, {"logits", Json::object()}};
  std::vector<double> before;
  for (const Case& asked : cases()) {
    SCOPED_TRACE(asked.name);
    const std::vector<double> found = logits_of(engine, layers, asked);
    now["logits"][asked.name] = found;
    if (!golden.contains("logits") || !golden["logits"].contains(asked.name)) {
      ADD_FAILURE() << "not recorded";
      continue;
    }
    const auto expected = golden["logits"][asked.name].get<std::vector<double>>();
    EXPECT_LT(largest_difference(found, expected), tolerance) << "the outputs of this model changed";
    // A twin: every case does something that its neighbour does not.
    if (!before.empty()) {
      EXPECT_GT(largest_difference(before, expected), 2 * tolerance) << "as the case before";
    }
    before = expected;
  }
  EXPECT_EQ(golden.value("physics_version", 0), physics_version) << "recorded under another version";
  const std::string made = (std::filesystem::temp_directory_path() / "crossgrid-golden-outputs.json").string();
  std::ofstream(made) << now.dump(1) << '\n';
  if (HasFailure()) {
    std::cout
        << "Where outputs changed on purpose: raise physics_version (include/crossgrid/base/version.hpp), rebuild, "
           "run this test again, and\n  cp "
        << made << ' ' << recorded << '\n';
  }
}

}  // namespace
}  // namespace crossgrid
