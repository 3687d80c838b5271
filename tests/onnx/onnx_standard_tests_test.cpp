#include <fmt/format.h>
#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "crossgrid/onnx/onnx_model_file.hpp"
#include "crossgrid/onnx/onnx_operators.hpp"
#include "data/temporary_folder.hpp"

/// ONNX's own tests (Debian's libonnx-testdata), each a folder with a model, inputs and outputs. Those of `real` are
/// left out: their models are not in the package.
namespace crossgrid {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* sets[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};

/// Tests of supported operators that need not pass; one that does is an error. docs/onnx.md has them too.
struct Exception {
  const char* test;
  const char* reason;
};
constexpr Exception exceptions[] = {
    {"node/test_nothing", "placeholder"},
};

const Exception* exception_of(const std::string& test) {
  const auto found = std::ranges::find(exceptions, test, &Exception::test);
  return found == std::end(exceptions) ? nullptr : found;
}

/// A way of making a model's outputs.
using Way = std::function<std::vector<OnnxTensor>(const OnnxModel&, const std::vector<OnnxTensor>& inputs)>;

bool close(double found, double expected) {
  if (std::isnan(found) || std::isnan(expected)) return std::isnan(found) && std::isnan(expected);
  if (std::isinf(found) || std::isinf(expected)) return found == expected;
  return std::abs(found - expected) <= 1e-7 + 1e-3 * std::abs(expected);
}

/// What is wrong with an output, by the tolerance that ONNX's own runner has; empty: nothing.
std::string difference(const OnnxTensor& found, const OnnxTensor& expected) {
  if (found.type() != expected.type() || found.dims() != expected.dims()) {
    return fmt::format("is {} of {}, expected {} of {}", extents_text(found.dims()), type_name(found.type()),
                       extents_text(expected.dims()), type_name(expected.type()));
  }
  const auto values = found.as_reals(), wanted = expected.as_reals();
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!close(values[k], wanted[k])) return fmt::format("value {} is {}, expected {}", k, values[k], wanted[k]);
  }
  return "";
}

/// A folder's test.
struct StandardTest {
  std::string name;  ///< "node/test_abs"
  fs::path folder;
  onnx::ModelProto model;
};

std::vector<StandardTest> standard_tests(const fs::path& root, const std::string& set) {
  std::vector<StandardTest> tests;
  for (const auto& entry : fs::directory_iterator(root / set)) {
    StandardTest test{set + "/" + entry.path().filename().string(), entry.path(), {}};
    std::ifstream file(entry.path() / "model.onnx", std::ios::binary);
    if (!test.model.ParseFromIstream(&file)) throw std::runtime_error(test.name + " has no model that can be read");
    tests.push_back(std::move(test));
  }
  std::ranges::sort(tests, {}, &StandardTest::name);
  return tests;
}

/// Operators that a graph uses, those of nested graphs too, and that are not supported.
void add_unsupported(const onnx::GraphProto& graph, std::set<std::string>& operators) {
  for (const onnx::NodeProto& node : graph.node()) {
    if (!node.domain().empty()) {
      operators.insert(node.domain() + "." + node.op_type());
    } else if (!onnx_operators().contains(node.op_type())) {
      operators.insert(node.op_type());
    }
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) add_unsupported(attribute.g(), operators);
    }
  }
}

/// Models of opsets below 7, the oldest that is read, say that they are of 7: these tests' operators are the same
/// there.
OnnxModel read_model(const StandardTest& test) {
  onnx::ModelProto model = test.model;
  for (auto& import : *model.mutable_opset_import()) {
    if (import.domain().empty()) import.set_version(std::max<std::int64_t>(import.version(), 7));
  }
  const testing::TemporaryFolder folder;
  const std::string path = folder.file("model.onnx");
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
  return read_onnx_model(path);
}

std::vector<OnnxTensor> read_tensors(const fs::path& folder, const std::string& kind) {
  std::vector<OnnxTensor> tensors;
  for (;;) {
    const fs::path file = folder / fmt::format("{}_{}.pb", kind, tensors.size());
    if (!fs::exists(file)) return tensors;
    tensors.push_back(read_onnx_tensor(file.string()));
  }
}

/// What is wrong with a test; empty: nothing.
std::string failure(const StandardTest& test, const Way& way) {
  try {
    const OnnxModel model = read_model(test);
    int data_sets = 0;
    for (const auto& entry : fs::directory_iterator(test.folder)) {
      if (!entry.is_directory()) continue;
      ++data_sets;
      const auto outputs = way(model, read_tensors(entry.path(), "input"));
      const auto expected = read_tensors(entry.path(), "output");
      if (outputs.size() != expected.size() || expected.empty()) {
        return fmt::format("has {} outputs, expected {}", outputs.size(), expected.size());
      }
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        const std::string found = difference(outputs[k], expected[k]);
        if (!found.empty()) return fmt::format("output {} {}", k, found);
      }
    }
    return data_sets > 0 ? "" : "has no data";
  } catch (const Error& error) {
    return error.what();
  }
}

struct Tally {
  std::map<std::string, int> unsupported;  ///< operators, by how many tests they keep from running
  std::vector<std::string> failed, passed_exceptions;
  std::map<std::string, int> passed;  ///< by set
  int excepted = 0;
};

Tally run_standard_tests(const fs::path& root, const Way& way) {
  Tally tally;
  for (const char* const set : sets) {
    int unsupported = 0, failed = 0, excepted = 0, &passed = tally.passed[set];
    for (const StandardTest& test : standard_tests(root, set)) {
      std::set<std::string> missing;
      add_unsupported(test.model.graph(), missing);
      for (const std::string& op : missing) ++tally.unsupported[op];
      if (!missing.empty()) {
        ++unsupported;
        continue;
      }
      const std::string found = failure(test, way);
      const bool may_fail = exception_of(test.name) != nullptr;
      if (found.empty()) {
        ++passed;
        if (may_fail) tally.passed_exceptions.push_back(test.name);
      } else if (may_fail) {
        ++excepted;
      } else {
        ++failed;
        tally.failed.push_back(test.name + ": " + found);
      }
    }
    tally.excepted += excepted;
    fmt::print("{}: {} passed, {} unsupported, {} excepted, {} failed\n", set, passed, unsupported, excepted, failed);
  }
  std::string list;
  for (const auto& [op, count] : tally.unsupported) list += fmt::format(" {} ({})", op, count);
  fmt::print("unsupported operators:{}\n", list);
  return tally;
}

fs::path test_data() {
  const char* const folder = std::getenv("CROSSGRID_ONNX_TESTS");
  return folder ? folder : "/usr/share/libonnx-testdata/data";
}

/// Every test whose operators are all supported, and no fewer than there were.
void expect_to_pass(const Way& way) {
  if (!fs::exists(test_data() / "node")) {
    const std::string missing = test_data().string() + " is missing: install libonnx-testdata (CROSSGRID_ONNX_TESTS)";
    if (std::getenv("CI") != nullptr) FAIL() << missing;
    GTEST_SKIP() << missing;
  }
  const Tally tally = run_standard_tests(test_data(), way);
  EXPECT_THAT(tally.failed, IsEmpty());
  EXPECT_THAT(tally.passed_exceptions, IsEmpty()) << "strike them off the table of exceptions";
  EXPECT_EQ(tally.excepted, std::ssize(exceptions)) << "an exception names a test that is not there or not run";
  EXPECT_GE(tally.passed.at("node"), 500);
  int passed = 0;
  for (const auto& [set, count] : tally.passed) passed += count;
  EXPECT_LE(20 * tally.excepted, passed);
}

std::vector<OnnxTensor> evaluated(const OnnxModel& model, const std::vector<OnnxTensor>& inputs) {
  if (inputs.size() != model.inputs.size()) throw input_error(model.file, "has another number of inputs");
  return evaluate(model, inputs);
}

TEST(OnnxStandardTests, PassWhereTheirOperatorsAreSupported) {
  expect_to_pass(evaluated);
}

// The comparison would see a wrong result.
TEST(OnnxStandardTests, FailAtOutputsThatAreOffByLittle) {
  const auto tensor = [](double value) { return OnnxTensor::of_reals(ElementType::float64, {2}, {1, value}); };
  EXPECT_EQ(difference(tensor(-4 * 1.0009), tensor(-4)), "");
  EXPECT_THAT(difference(tensor(-4 * 1.003), tensor(-4)), HasSubstr("value 1 is -4.012"));
  EXPECT_THAT(difference(tensor(NAN), tensor(1)), HasSubstr("is nan"));
  EXPECT_THAT(difference(tensor(1), tensor(HUGE_VAL)), HasSubstr("expected inf"));
  EXPECT_EQ(difference(tensor(NAN), tensor(NAN)), "");
  EXPECT_THAT(difference(tensor(1).cast(ElementType::float32), tensor(1)), HasSubstr("is 2 of float, expected 2 of"));
  EXPECT_THAT(difference(tensor(1).reshaped({1, 2}), tensor(1)), HasSubstr("is 1 x 2 of double, expected 2 of"));

  if (!fs::exists(test_data() / "node")) GTEST_SKIP() << "libonnx-testdata is missing";
  const auto off = [](const OnnxModel& model, const std::vector<OnnxTensor>& inputs) {
    auto outputs = evaluated(model, inputs);
    auto values = outputs.back().as_reals();
    for (double& value : values) value *= 1.003;
    outputs.back() = OnnxTensor::of_reals(outputs.back().type(), outputs.back().dims(), values);
    return outputs;
  };
  for (const StandardTest& test : standard_tests(test_data(), "node")) {
    if (test.name != "node/test_matmul_3d") continue;
    EXPECT_EQ(failure(test, evaluated), "");
    EXPECT_THAT(failure(test, off), HasSubstr("output 0 value 0 is"));
  }
}

}  // namespace
}  // namespace crossgrid
