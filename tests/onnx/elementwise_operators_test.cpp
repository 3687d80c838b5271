#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The coordinate along axis `k` of `dims`, counted from the last, of a place.
std::int64_t coordinate(const Extents& dims, std::int64_t place, std::size_t from_last) {
  for (std::size_t k = 0; k < from_last; ++k) place /= dims[dims.size() - 1 - k];
  return place % dims[dims.size() - 1 - from_last];
}

/// The place in a tensor of `from` that a place of `to` takes after broadcasting.
std::size_t broadcast_place(const Extents& from, const Extents& to, std::int64_t place) {
  std::int64_t found = 0, stride = 1;
  for (std::size_t k = 0; k < from.size(); ++k) {
    const std::int64_t extent = from[from.size() - 1 - k];
    if (extent > 1) found += stride * coordinate(to, place, k);
    stride *= extent;
  }
  return static_cast<std::size_t>(found);
}

TEST(ElementwiseOperators, BroadcastAsCountedOutPlaceByPlace) {
  const std::vector<std::pair<Extents, Extents>> cases{
      {{2, 3, 4}, {4}}, {{3, 1}, {2, 1, 5}}, {{}, {2, 2}}, {{1, 3, 1, 2}, {4, 1, 3, 1}}, {{1}, {}}};
  for (const auto& [a, b] : cases) {
    const OnnxTensor x = places(a), y = places(b), difference = run("Sub", {x, y});
    const Integers left = x.as_integers(), right = y.as_integers(), found = difference.as_integers();
    ASSERT_EQ(difference.dims().size(), std::max(a.size(), b.size()));
    for (std::size_t k = 0; k < found.size(); ++k) {
      const auto place = static_cast<std::int64_t>(k);
      EXPECT_EQ(found[k], left[broadcast_place(a, difference.dims(), place)] -
                              right[broadcast_place(b, difference.dims(), place)]);
    }
  }
  EXPECT_EQ(run("Sub", {places({3, 1}), places({2, 1, 5})}).dims(), (Extents{2, 3, 5}));
  EXPECT_EQ(run("Add", {places({0, 3}), places({1, 3})}).dims(), (Extents{0, 3}));
  EXPECT_THAT(problem("Add", {places({2, 3}), places({2, 2})}),
              HasSubstr("small.onnx: node 'n' (Add): shapes 2 x 3 and 2 x 2 do not fit: axis 1 has 3 and 2"));
  EXPECT_THAT(problem("Add", {places({1 << 15, 1}), places({1 << 15})}), HasSubstr("at most 67108864 values"));
}

TEST(ElementwiseOperators, WrapAndDivideIntegersAsTheirTypesDo) {
  const auto of = [](const char* op, std::int64_t a, std::int64_t b, ElementType type, Attributes attributes = {}) {
    const OnnxTensor result = run(op, {integers({}, {a}, type), integers({}, {b}, type)}, std::move(attributes));
    EXPECT_EQ(result.type(), type);
    return result.as_integers().front();
  };
  const Attributes cut{{"fmod", std::int64_t{1}}};
  EXPECT_EQ(of("Add", 200, 100, ElementType::uint8), 44);
  EXPECT_EQ(of("Sub", 1, 2, ElementType::uint8), 255);
  EXPECT_EQ(of("Mul", 100, 3, ElementType::int8), 44);
  EXPECT_EQ(of("Add", least, -1, ElementType::int64), greatest);
  EXPECT_EQ(of("Div", -7, 2, ElementType::int32), -3);
  EXPECT_EQ(of("Div", least, -1, ElementType::int64), least);
  EXPECT_EQ(of("Div", -2, 3, ElementType::uint64), 6148914691236517204);  // (2^64 - 2) / 3
  EXPECT_EQ(of("Mod", -7, 3, ElementType::int32), 2);
  EXPECT_EQ(of("Mod", 7, -3, ElementType::int32), -2);
  EXPECT_EQ(of("Mod", -7, 3, ElementType::int32, cut), -1);
  EXPECT_EQ(of("Mod", least, -1, ElementType::int64), 0);
  EXPECT_EQ(of("Mod", 7, -1, ElementType::uint64), 7);
  EXPECT_EQ(of("Max", -1, 1, ElementType::uint64), -1);  // 2^64 - 1
  EXPECT_EQ(of("Pow", 3, 5, ElementType::int64), 243);
  EXPECT_EQ(of("Pow", -1, -3, ElementType::int64), -1);
  EXPECT_EQ(of("BitShift", 3, 1, ElementType::uint8, {{"direction", "LEFT"}}), 6);
  EXPECT_EQ(of("BitShift", 255, 200, ElementType::uint8, {{"direction", "RIGHT"}}), 0);
  EXPECT_THAT(problem("Div", {list({1}), list({0})}), HasSubstr("divides integers by 0"));
  EXPECT_THAT(problem("Mod", {list({1}), list({0})}), HasSubstr("divides integers by 0"));
  EXPECT_THAT(problem("Add", {list({1}), reals({1}, {1})}), HasSubstr("mixes values of int64 and float"));
  EXPECT_THAT(problem("BitShift", {list({1}), list({1})}, {{"direction", "LEFT"}}), HasSubstr("unsigned"));
  EXPECT_THAT(run("Abs", {list({least, -3, 4})}).as_integers(), ElementsAre(least, 3, 4));
}

TEST(ElementwiseOperators, KeepDoublesInDouble) {
  const double third = 1.0 / 3;
  const OnnxTensor wide = doubles({1}, {third}), narrow = reals({1}, {2});
  for (const OnnxTensor& product : {run("Mul", {wide, narrow}), run("Mul", {narrow, wide})}) {
    EXPECT_EQ(product.type(), ElementType::float64);
    EXPECT_THAT(product.as_reals(), ElementsAre(third * 2));
  }
  EXPECT_EQ(run("Mul", {narrow, narrow}).type(), ElementType::float32);
  EXPECT_THAT(run("Pow", {narrow, wide}).as_reals(), ElementsAre(std::pow(2, third)));
  EXPECT_THAT(run("Sqrt", {wide}).as_reals(), ElementsAre(std::sqrt(third)));
  EXPECT_THAT(run("Sum", {narrow, wide, narrow}).as_reals(), ElementsAre(2 + third + 2));
  EXPECT_THAT(run("Clip", {wide}, {{"max", 0.25f}}, 6).as_reals(), ElementsAre(0.25));
}

TEST(ElementwiseOperators, ComputeTheFunctionsThatTheyName) {
  const std::vector<std::pair<const char*, std::function<double(double)>>> functions{
      {"Exp", [](double x) { return std::exp(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Softplus", [](double x) { return std::log1p(std::exp(x)); }},
      {"Elu", [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {"Gelu", [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }},
      {"Mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
      {"HardSwish", [](double x) { return x * std::min(1.0, std::max(0.0, x / 6 + 0.5)); }},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Round", [](double x) { return std::nearbyint(x); }},
      {"Abs", [](double x) { return std::abs(x); }},
      {"Relu", [](double x) { return std::max(x, 0.0); }}};
  std::vector<double> inputs;
  for (int k = -40; k <= 40; ++k) inputs.push_back(0.25 * k);
  const OnnxTensor x = doubles({81}, inputs);
  for (const auto& [op, function] : functions) {
    const std::vector<double> found = run(op, {x}).as_reals();
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const double expected = function(inputs[k]);
      EXPECT_NEAR(found[k], expected, 1e-14 * std::max(1.0, std::abs(expected))) << op << " of " << inputs[k];
    }
  }
}

TEST(ElementwiseOperators, ApproximateGeluWhereTheyAreAskedTo) {
  const OnnxTensor x = doubles({3}, {-1.5, 0.25, 2});
  const std::vector<double> found = run("Gelu", {x}, {{"approximate", "tanh"}}, 20).as_reals();
  for (std::size_t k = 0; k < found.size(); ++k) {
    const double at = x.as_reals()[k];
    const double expected = at / (1 + std::exp(-2 * std::sqrt(2 / std::acos(-1.0)) * (at + 0.044715 * at * at * at)));
    EXPECT_NEAR(found[k], expected, 1e-14);
  }
  EXPECT_THAT(problem("Gelu", {x}, {{"approximate", "sigmoid"}}, 20), HasSubstr("has approximate 'sigmoid'"));
}

TEST(ElementwiseOperators, HandleTheEndsOfTheRealNumbers) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const OnnxTensor x = doubles({4}, {-infinity, infinity, none, 0});
  const auto same = [](double expected) {
    return ::testing::Truly(
        [=](double found) { return found == expected || (found != found && expected != expected); });
  };
  EXPECT_THAT(run("Exp", {x}).as_reals(), ElementsAre(0, infinity, same(none), 1));
  EXPECT_THAT(run("Log", {x}).as_reals(), ElementsAre(same(none), infinity, same(none), -infinity));
  EXPECT_NEAR(run("Log", {doubles({}, {5e-324})}).as_reals()[0], std::log(5e-324), 1e-12);
  EXPECT_THAT(run("Relu", {x}).as_reals(), ElementsAre(0, infinity, same(none), 0));
  EXPECT_THAT(run("Sign", {x}).as_reals(), ElementsAre(-1, 1, same(none), 0));
  EXPECT_THAT(run("Max", {x, reals({}, {1})}).as_reals(), ElementsAre(1, infinity, same(none), 1));
  EXPECT_THAT(run("Max", {reals({}, {1}), x}).as_reals(), ElementsAre(1, infinity, same(none), 1));
  EXPECT_THAT(run("IsInf", {x}, {{"detect_negative", std::int64_t{0}}}).as_integers(), ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(run("IsNaN", {x}).as_integers(), ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(run("Cast", {x}, {{"to", std::int64_t{9}}}).as_integers(), ElementsAre(1, 1, 1, 0));
}

TEST(ElementwiseOperators, ClipByAttributesInputsOrNotAtAll) {
  const OnnxTensor x = reals({3}, {-2, 0.5, 2});
  EXPECT_THAT(run("Clip", {x}, {{"min", -1.0f}, {"max", 1.0f}}, 7).as_reals(), ElementsAre(-1, 0.5, 1));
  EXPECT_THAT(run("Clip", {x, reals({}, {1}), reals({}, {-1})}).as_reals(), ElementsAre(-1, -1, -1));
  EXPECT_THAT(run("Clip", {x, reals({}, {0})}).as_reals(), ElementsAre(0, 0.5, 2));
  EXPECT_THAT(run("Clip", {x}).as_reals(), ElementsAre(-2, 0.5, 2));
  EXPECT_THAT(run("Clip", {list({-5, 5}), list({0})}).as_integers(), ElementsAre(0, 5));
  EXPECT_THAT(problem("Clip", {x, x}), HasSubstr("min is 3, expected one value"));
}

TEST(ElementwiseOperators, ChooseValuesOfAnyType) {
  const OnnxTensor condition = OnnxTensor::of_booleans({2, 1}, {1, 0});
  EXPECT_THAT(run("Where", {condition, places({2, 2}), list({-1, least})}).as_integers(), ElementsAre(0, 1, -1, least));
  EXPECT_THAT(problem("Where", {list({1}), list({1}), list({1})}), HasSubstr("condition is int64, expected bool"));
}

TEST(ElementwiseOperators, PassValuesThroughDropoutWithItsMask) {
  const OnnxTensor x = reals({2}, {1, 2});
  const auto outputs = run_all("Dropout", {x, reals({}, {0.5})}, {}, 13, 2);
  EXPECT_EQ(outputs.at(0).as_reals(), x.as_reals());
  EXPECT_EQ(outputs.at(1).type(), ElementType::boolean);
  EXPECT_THAT(outputs.at(1).as_integers(), ElementsAre(1, 1));
  EXPECT_EQ(run_all("Dropout", {x}, {}, 7, 2).at(1).type(), ElementType::float32);
  EXPECT_THAT(problem("Dropout", {x, reals({}, {0.5}), OnnxTensor::of_booleans({}, {1})}), HasSubstr("at random"));
}

TEST(ElementwiseOperators, AskForTypesThatTheyCanHave) {
  EXPECT_THAT(problem("Cast", {list({1})}, {{"to", std::int64_t{8}}}), HasSubstr("element type 8"));
  EXPECT_THAT(problem("Cast", {list({1})}), HasSubstr("no attribute to"));
  EXPECT_THAT(problem("And", {list({1}), list({1})}), HasSubstr("expected bool"));
  EXPECT_THAT(problem("Exp", {list({1})}), HasSubstr("expected reals"));
  EXPECT_THAT(problem("Mod", {reals({}, {1}), reals({}, {1})}), HasSubstr("fmod 0, expected 1"));
  EXPECT_THAT(problem("PRelu", {reals({1}, {1}), reals({2}, {1, 1})}), HasSubstr("slope is 2"));
  EXPECT_THAT(problem("Add", {list({1})}), HasSubstr("has 1 inputs, expected 2"));
  EXPECT_THAT(problem("Max", {}), HasSubstr("has 0 inputs, expected at least 1"));
}

}  // namespace
}  // namespace crossgrid
