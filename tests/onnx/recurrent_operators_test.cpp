#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::HasSubstr;

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

// One unit, one input: every number of two steps.
TEST(Lstm, TakesTwoStepsAsByHand) {
  const OnnxTensor x = doubles({2, 1, 1}, {0.5, -1}), w = doubles({1, 4, 1}, {0.1, 0.2, 0.3, 0.4});
  const OnnxTensor r = doubles({1, 4, 1}, {-0.5, 0.6, 0.7, -0.8}),
                   b = doubles({1, 8}, {.01, .02, .03, .04, .1, .2, .3, .4});
  const OnnxTensor state = doubles({1, 1, 1}, {0.25}), cells = doubles({1, 1, 1}, {-0.75});
  const OnnxTensor peepholes = doubles({1, 3}, {0.9, -1.1, 1.3}), lengths = integers({1}, {2}, ElementType::int32);
  double h = 0.25, c = -0.75;
  std::vector<double> steps;
  for (const double in : {0.5, -1.0}) {
    const double i = logistic(0.1 * in - 0.5 * h + 0.11 + 0.9 * c);
    const double f = logistic(0.3 * in + 0.7 * h + 0.33 + 1.3 * c);
    c = f * c + i * std::tanh(0.4 * in - 0.8 * h + 0.44);
    const double o = logistic(0.2 * in + 0.6 * h + 0.22 - 1.1 * c);
    h = o * std::tanh(c);
    steps.push_back(h);
  }
  const auto found =
      run_all("LSTM", {x, w, r, b, lengths, state, cells, peepholes}, {{"hidden_size", std::int64_t{1}}}, 14, 3);
  EXPECT_EQ(found[0].dims(), (Extents{2, 1, 1, 1}));
  EXPECT_NEAR(found[0].as_reals()[0], steps[0], 1e-14);
  EXPECT_NEAR(found[0].as_reals()[1], steps[1], 1e-14);
  EXPECT_EQ(found[1].as_reals()[0], found[0].as_reals()[1]);
  EXPECT_NEAR(found[2].as_reals()[0], c, 1e-14);
}

struct Sizes {
  std::int64_t steps = 4, batch = 2, inputs = 3, hidden = 2, gates = 3;
  OnnxTensor x() const { return waves({steps, batch, inputs}, 0.3); }
  OnnxTensor w(std::int64_t directions) const { return waves({directions, gates * hidden, inputs}, 0.7); }
  OnnxTensor r(std::int64_t directions) const { return waves({directions, gates * hidden, hidden}, 1.1); }

  static OnnxTensor waves(Extents dims, double step) {
    std::vector<double> values;
    for (std::int64_t k = 0; k < element_count(dims); ++k)
      values.push_back(std::sin(step * static_cast<double>(k + 1)));
    return doubles(std::move(dims), std::move(values));
  }
};

TEST(Gru, RunsBackwardsAsForwardsOnTheReverse) {
  const Sizes sizes;
  const auto turned = [](const OnnxTensor& x) {
    return run("Slice", {x, list({-1}), list({least}), list({0}), list({-1})});
  };
  for (const std::int64_t reset : {0, 1}) {
    const Attributes more{{"linear_before_reset", reset}};
    Attributes reverse = more;
    reverse["direction"] = std::string("reverse");
    const auto forward = run_all("GRU", {turned(sizes.x()), sizes.w(1), sizes.r(1)}, more, 14, 2);
    const auto backward = run_all("GRU", {sizes.x(), sizes.w(1), sizes.r(1)}, reverse, 14, 2);
    EXPECT_EQ(turned(backward[0]).as_reals(), forward[0].as_reals());
    EXPECT_EQ(backward[1].as_reals(), forward[1].as_reals());
  }
}

TEST(Rnn, RunsBothWaysAndInBothLayouts) {
  Sizes sizes;
  sizes.gates = 1;
  const auto swapped = [](const OnnxTensor& x, Integers order) {
    return run("Transpose", {x}, {{"perm", std::move(order)}});
  };
  Attributes both{{"direction", std::string("bidirectional")},
                  {"activations", std::vector<std::string>{"Tanh", "Affine"}},
                  {"activation_alpha", std::vector<float>{0.5F}},
                  {"activation_beta", std::vector<float>{0.25F}}};
  const auto found = run_all("RNN", {sizes.x(), sizes.w(2), sizes.r(2)}, both, 14, 2);
  both["layout"] = std::int64_t{1};
  const auto other = run_all("RNN", {swapped(sizes.x(), {1, 0, 2}), sizes.w(2), sizes.r(2)}, both, 14, 2);
  EXPECT_EQ(other[0].dims(), (Extents{2, 4, 2, 2}));
  EXPECT_EQ(swapped(other[0], {1, 2, 0, 3}).as_reals(), found[0].as_reals());
  EXPECT_EQ(swapped(other[1], {1, 0, 2}).as_reals(), found[1].as_reals());
  // The second direction's last step is the first that it takes, from a state of zeros.
  const auto x = sizes.x().as_reals(), w = sizes.w(2).as_reals();
  const double sum = w[6] * x[18] + w[7] * x[19] + w[8] * x[20];
  EXPECT_NEAR(found[0].as_reals()[(3 * 2 + 1) * 4], 0.5 * sum + 0.25, 1e-14);
}

TEST(Rnn, EndsEachSequenceWhereItDoes) {
  Sizes sizes;
  sizes.gates = 1;
  const OnnxTensor zeros = doubles({1, 4}, {0, 0, 0, 0}), lengths = integers({2}, {1, 4}, ElementType::int32);
  const auto found = run_all("RNN", {sizes.x(), sizes.w(1), sizes.r(1), zeros, lengths}, {}, 14, 2);
  const auto y = found[0].as_reals(), last = found[1].as_reals();
  EXPECT_EQ(last[0], y[0]);
  EXPECT_EQ(y[4], 0);
  EXPECT_EQ(last[2], y[3 * 4 + 2]);
  EXPECT_NE(last[2], 0);
}

TEST(RecurrentOperators, RefuseWhatDoesNotFit) {
  Sizes sizes;
  sizes.gates = 4;
  const auto with = [&](const std::string& key, OnnxAttribute value) {
    return problem("LSTM", {sizes.x(), sizes.w(1), sizes.r(1)}, {{key, std::move(value)}});
  };
  EXPECT_THAT(with("direction", std::string("backward")), HasSubstr("node 'n' (LSTM): has direction 'backward'"));
  EXPECT_THAT(with("direction", std::string("bidirectional")),
              HasSubstr("input 1 (W) is 1 x 8 x 3, expected 2 x 8 x 3"));
  EXPECT_THAT(with("hidden_size", std::int64_t{3}),
              HasSubstr("has hidden_size 3, expected that of its recurrent weights (2)"));
  EXPECT_THAT(with("activations", std::vector<std::string>{"Tanh"}), HasSubstr("has 1 activations, expected 3"));
  EXPECT_THAT(with("activations", std::vector<std::string>{"Tanh", "Tanh", "Cosh"}),
              HasSubstr("'Cosh', expected one of Affine, Elu"));
  const OnnxTensor bias = doubles({1, 16}, std::vector<double>(16, 0.0));
  EXPECT_THAT(problem("LSTM", {sizes.x(), sizes.w(1), sizes.r(1), bias, integers({2}, {5, 1}, ElementType::int32)}),
              HasSubstr("has a sequence of 5 steps, expected 0 to 4"));
  EXPECT_THAT(problem("LSTM", {sizes.x(), sizes.w(1), doubles({2}, {1, 2})}), HasSubstr("expected three axes each"));
}

}  // namespace
}  // namespace crossgrid
