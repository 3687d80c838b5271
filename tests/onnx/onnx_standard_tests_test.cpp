#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "onnx/standard_tests.hpp"

/// Operators by themselves in ONNX's own tests.
namespace crossgrid {
namespace {

namespace fs = std::filesystem;
using namespace test;  // of standard_tests.hpp
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A way of making a model's outputs.
using Way = std::function<std::vector<OnnxTensor>(const OnnxModel&, const std::vector<OnnxTensor>& inputs)>;

/// What is wrong with a test; empty: nothing.
std::string failure(const StandardTest& test, const Way& way) {
  try {
    const OnnxModel model = read_model(test);
    int data_sets = 0;
    for (const auto& entry : fs::directory_iterator(test.folder)) {
      if (!entry.is_directory()) continue;
      ++data_sets;
      const auto outputs = way(model, read_tensors(entry.path(), "input", model.inputs));
      const auto expected = read_tensors(entry.path(), "output", model.outputs);
      if (expected.empty()) return "has no outputs";
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
  std::map<std::string, int> unsupported;  ///< operators and types, by how many tests they keep from running
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
        tally.failed.push_back(test.name);
        fmt::print("{}: {}\n", test.name, found);
      }
    }
    tally.excepted += excepted;
    fmt::print("{}: {} passed, {} unsupported, {} excepted, {} failed\n", set, passed, unsupported, excepted, failed);
  }
  std::string list;
  for (const auto& [op, count] : tally.unsupported) list += fmt::format(" {} ({})", op, count);
  fmt::print("unsupported:{}\n", list);
  return tally;
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
  const auto there = [](const Exception& exception) { return fs::exists(test_data() / exception.test); };
  EXPECT_EQ(tally.excepted, std::ranges::count_if(exceptions, there)) << "an exception names a test that is not run";
  EXPECT_GE(tally.passed.at("node"), 740);
  int passed = 0;
  for (const auto& [set, count] : tally.passed) passed += count;
  EXPECT_LE(20 * tally.excepted, passed);
}

std::vector<OnnxTensor> evaluated(const OnnxModel& model, const std::vector<OnnxTensor>& inputs) {
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
