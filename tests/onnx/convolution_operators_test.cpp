#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "operator_fixture.hpp"

namespace crossgrid {
namespace {

using namespace testing;
using ::testing::HasSubstr;

/// Small whole numbers: their sums of products are exact.
OnnxTensor whole_numbers(Extents dims, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<double> values(static_cast<std::size_t>(element_count(dims)));
  for (double& value : values) value = static_cast<double>(random() % 9) - 4;
  return reals(std::move(dims), std::move(values));
}

/// Attributes of three axes; planes of fewer have extents of 1.
struct Geometry {
  Integers strides{1, 1, 1}, dilations{1, 1, 1}, pads{0, 0, 0, 0, 0, 0};
  std::int64_t group = 1;

  Attributes attributes(std::size_t axes) const {
    const auto back = [&](const Integers& all) {
      return Integers(all.end() - static_cast<std::ptrdiff_t>(axes), all.end());
    };
    const Integers before(pads.begin(), pads.begin() + 3), behind(pads.begin() + 3, pads.end());
    Integers both = back(before);
    for (const std::int64_t pad : back(behind)) both.push_back(pad);
    return {{"strides", back(strides)}, {"dilations", back(dilations)}, {"pads", both}, {"group", group}};
  }
};

/// Every output asks every place of the input whether it is under one of the kernel's.
std::vector<double> brute_force(const OnnxTensor& x, const OnnxTensor& w, const Geometry& geometry,
                                const Extents& out) {
  const auto input = x.as_reals(), weights = w.as_reals();
  const Extents &in = x.dims(), &kernel = w.dims();
  std::vector<double> results;
  for (std::int64_t k = 0; k < element_count(out); ++k) {
    const std::int64_t at[] = {k / (out[4] * out[3]) % out[2], k / out[4] % out[3], k % out[4]};
    const std::int64_t channel = k / (out[4] * out[3] * out[2]) % out[1],
                       image = k / (out[4] * out[3] * out[2] * out[1]);
    double sum = 0;
    for (std::int64_t j = 0; j < element_count({in[1], in[2], in[3], in[4]}); ++j) {
      const std::int64_t from[] = {j / (in[4] * in[3]) % in[2], j / in[4] % in[3], j % in[4]};
      const std::int64_t source = j / (in[4] * in[3] * in[2]),
                         in_group = source - channel / (out[1] / geometry.group) * kernel[1];
      if (in_group < 0 || in_group >= kernel[1]) continue;
      std::int64_t tap = channel * kernel[1] + in_group;
      bool seen = true;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t off = from[axis] + geometry.pads[axis] - at[axis] * geometry.strides[axis];
        seen = seen && off >= 0 && off % geometry.dilations[axis] == 0 &&
               off / geometry.dilations[axis] < kernel[axis + 2];
        tap = tap * kernel[axis + 2] + off / geometry.dilations[axis];
      }
      if (seen)
        sum += weights[static_cast<std::size_t>(tap)] *
               input[static_cast<std::size_t>(image * in[1] * in[2] * in[3] * in[4] + j)];
    }
    results.push_back(sum);
  }
  return results;
}

/// The last `axes` of three.
Extents without_ones(const Extents& dims, std::size_t axes) {
  Extents fewer{dims[0], dims[1]};
  fewer.insert(fewer.end(), dims.end() - static_cast<std::ptrdiff_t>(axes), dims.end());
  return fewer;
}

struct Case {
  const char* name;
  std::size_t axes;
  Extents x, w;
  Geometry geometry;
  Extents out;
};

const Case cases[] = {
    {"plain", 2, {2, 3, 1, 5, 6}, {4, 3, 1, 3, 2}, {}, {2, 4, 1, 3, 5}},
    {"all at once",
     2,
     {2, 4, 1, 7, 9},
     {6, 2, 1, 3, 2},
     {{1, 2, 3}, {1, 2, 3}, {0, 1, 2, 0, 3, 1}, 2},
     {2, 6, 1, 4, 3}},
    {"line", 1, {1, 2, 1, 1, 9}, {3, 2, 1, 1, 4}, {{1, 1, 2}, {1, 1, 1}, {0, 0, 3, 0, 0, 2}, 1}, {1, 3, 1, 1, 6}},
    {"space", 3, {1, 2, 4, 3, 5}, {2, 1, 2, 2, 3}, {{2, 1, 1}, {1, 1, 2}, {1, 0, 1, 0, 1, 0}, 2}, {1, 2, 2, 3, 2}},
    {"depthwise", 2, {1, 3, 1, 4, 4}, {3, 1, 1, 3, 3}, {{1, 1, 1}, {1, 1, 1}, {0, 1, 1, 0, 1, 1}, 3}, {1, 3, 1, 4, 4}},
    {"pads larger than the kernel",
     2,
     {1, 1, 1, 2, 2},
     {1, 1, 1, 2, 2},
     {{1, 1, 1}, {1, 1, 1}, {0, 4, 3, 0, 3, 5}, 1},
     {1, 1, 1, 8, 9}},
};

TEST(Conv, IsASumOverAllPlacesUnderTheKernel) {
  for (const Case& one : cases) {
    const OnnxTensor x = whole_numbers(one.x, 1), w = whole_numbers(one.w, 2);
    const OnnxTensor y =
        run("Conv", {x.reshaped(without_ones(one.x, one.axes)), w.reshaped(without_ones(one.w, one.axes))},
            one.geometry.attributes(one.axes));
    EXPECT_EQ(y.dims(), without_ones(one.out, one.axes)) << one.name;
    EXPECT_EQ(y.as_reals(), brute_force(x, w, one.geometry, one.out)) << one.name;
  }
}

double inner_product(const OnnxTensor& a, const OnnxTensor& b) {
  const auto x = a.as_reals(), y = b.as_reals();
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

// <Conv x, y> = <x, ConvTranspose y>
TEST(ConvTranspose, IsTheAdjointOfConv) {
  for (const Case& one : cases) {
    const OnnxTensor x = whole_numbers(without_ones(one.x, one.axes), 3);
    const OnnxTensor w = whole_numbers(without_ones(one.w, one.axes), 4);
    const OnnxTensor y = whole_numbers(without_ones(one.out, one.axes), 5);
    Attributes back = one.geometry.attributes(one.axes);
    // What the strides leave over at the end.
    Integers more;
    for (std::size_t axis = 3 - one.axes; axis < 3; ++axis) {
      const Geometry& g = one.geometry;
      more.push_back(
          (one.x[axis + 2] + g.pads[axis] + g.pads[axis + 3] - (one.w[axis + 2] - 1) * g.dilations[axis] - 1) %
          g.strides[axis]);
    }
    back["output_padding"] = more;
    const OnnxTensor transposed = run("ConvTranspose", {y, w}, back);
    ASSERT_EQ(transposed.dims(), x.dims()) << one.name;
    EXPECT_EQ(inner_product(run("Conv", {x, w}, one.geometry.attributes(one.axes)), y), inner_product(x, transposed))
        << one.name;
  }
}

TEST(Conv, AddsABiasAndTakesTheWiderType) {
  const OnnxTensor x = whole_numbers({1, 1, 2, 2}, 1).cast(ElementType::float64), w = reals({2, 1, 1, 1}, {1, 1});
  const OnnxTensor y = run("Conv", {x, w, reals({2}, {10, 20})});
  EXPECT_EQ(y.type(), ElementType::float64);
  EXPECT_EQ(y.as_reals()[3], x.as_reals()[3] + 10);
  EXPECT_EQ(y.as_reals()[4], x.as_reals()[0] + 20);
}

TEST(Conv, RefusesWhatDoesNotFit) {
  const OnnxTensor x = whole_numbers({1, 4, 5, 5}, 1), w = whole_numbers({4, 4, 3, 3}, 2);
  const auto with = [&](const std::string& key, OnnxAttribute value) {
    return problem("Conv", {x, w}, {{key, std::move(value)}});
  };
  EXPECT_THAT(with("strides", Integers{0, 1}),
              HasSubstr("small.onnx: node 'n' (Conv): has strides [0, 1], expected 2 integers from 1"));
  EXPECT_THAT(with("dilations", Integers{1}), HasSubstr("has dilations [1], expected 2"));
  EXPECT_THAT(with("pads", Integers{0, 0, -1, 0}), HasSubstr("has pads [0, 0, -1, 0], expected 4 integers from 0"));
  EXPECT_THAT(with("pads", Integers{1 << 26, 1 << 26, 0, 0}), HasSubstr("at most 67108864 values"));
  EXPECT_THAT(with("dilations", Integers{1 << 26, 1 << 26}), HasSubstr("has no room for a window of 134217729"));
  EXPECT_THAT(with("auto_pad", std::string("SAME")), HasSubstr("has auto_pad 'SAME', expected NOTSET"));
  EXPECT_THAT(with("group", std::int64_t{0}), HasSubstr("has 0 groups"));
  EXPECT_THAT(with("group", std::int64_t{2}), HasSubstr("in 2 groups: expected 4 channels per group"));
  EXPECT_THAT(with("kernel_shape", Integers{3, 2}),
              HasSubstr("kernel_shape is 3 x 2, expected that of its weights (3 x 3)"));
  EXPECT_THAT(problem("Conv", {x, w, reals({3}, {1, 2, 3})}), HasSubstr("input 2 (bias) is 3, expected 4"));
  EXPECT_THAT(problem("Conv", {x, whole_numbers({4, 4, 6, 3}, 2)}),
              HasSubstr("axis 2 of 5 values, padded by 0 and 0, has no room"));
  EXPECT_THAT(problem("Conv", {x, whole_numbers({4, 4, 3}, 2)}), HasSubstr("expected as many axes"));
  EXPECT_THAT(problem("Conv", {x}), HasSubstr("has no input 1"));
  EXPECT_THAT(problem("Conv", {x, integers({4, 4, 1, 1}, Integers(16, 1))}),
              HasSubstr("input 1 holds int64, expected reals"));
  EXPECT_THAT(problem("ConvTranspose", {x, whole_numbers({3, 4, 3, 3}, 2)}), HasSubstr("expected 3 channels"));
  EXPECT_THAT(problem("ConvTranspose", {x, w}, {{"pads", Integers{4, 0, 4, 0}}}),
              HasSubstr("makes -1 values of 5 along axis 2"));
  EXPECT_THAT(problem("ConvTranspose", {x, w}, {{"strides", Integers{1 << 26, 1 << 26}}}),
              HasSubstr("at most 67108864 values"));
}

}  // namespace
}  // namespace crossgrid
