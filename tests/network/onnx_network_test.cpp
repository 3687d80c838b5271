#include "crossgrid/network/onnx_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <fstream>
#include <memory>

#include "data/error_message.hpp"
#include "data/temporary_folder.hpp"
#include "published_resnets.hpp"

namespace crossgrid {
namespace {

using ::testing::HasSubstr;

/// Builds small models node by node.
class ModelBuilder {
 public:
  explicit ModelBuilder(std::vector<std::int64_t> input = {1, 2, 6, 6}, int opset = 13) {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(opset);
    model_.mutable_graph()->set_name("small");
    auto* const image = model_.mutable_graph()->add_input();
    image->set_name("image");
    for (const std::int64_t dim : input)
      image->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(dim);
    output("logits");
  }
  onnx::ModelProto& model() { return model_; }
  void output(const std::string& name) {
    model_.mutable_graph()->clear_output();
    model_.mutable_graph()->add_output()->set_name(name);
  }
  /// Numbers from a fixed sequence in [-1, 1].
  std::vector<float> tensor(const std::string& name, const std::vector<std::int64_t>& dims, bool raw = true) {
    auto* const proto = model_.mutable_graph()->add_initializer();
    proto->set_name(name), proto->set_data_type(onnx::TensorProto::FLOAT);
    std::int64_t size = 1;
    for (const std::int64_t dim : dims) proto->add_dims(dim), size *= dim;
    std::vector<float> values;
    for (std::int64_t k = 0; k < size; ++k)
      values.push_back(static_cast<float>((state_ = state_ * 48271 % 2147483647)) / 1073741824 - 1);
    if (raw) {
      proto->set_raw_data(values.data(), values.size() * sizeof(float));
    } else {
      proto->mutable_float_data()->Add(values.begin(), values.end());
    }
    return values;
  }
  void integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto* const proto = model_.mutable_graph()->add_initializer();
    proto->set_name(name), proto->set_data_type(onnx::TensorProto::INT64);
    proto->add_dims(static_cast<std::int64_t>(values.size()));
    proto->mutable_int64_data()->Add(values.begin(), values.end());
  }
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
    auto* const made = model_.mutable_graph()->add_node();
    made->set_op_type(op), made->set_name("/" + output);
    for (const std::string& input : inputs) made->add_input(input);
    made->add_output(output);
    return *made;
  }
  static void set(onnx::NodeProto& node, const std::string& key, std::int64_t value) {
    auto* const attribute = node.add_attribute();
    attribute->set_name(key), attribute->set_i(value), attribute->set_type(onnx::AttributeProto::INT);
  }
  static void set(onnx::NodeProto& node, const std::string& key, const std::vector<std::int64_t>& values) {
    auto* const attribute = node.add_attribute();
    attribute->set_name(key), attribute->set_type(onnx::AttributeProto::INTS);
    attribute->mutable_ints()->Add(values.begin(), values.end());
  }
  std::string bytes() const { return model_.SerializeAsString(); }

 private:
  onnx::ModelProto model_;
  std::uint64_t state_ = 1;
};

class OnnxNetwork : public ::testing::Test {
 protected:
  std::string write(const std::string& bytes) {
    const std::string path = folder_.file("model.onnx");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string problem(const std::string& bytes) {
    return crossgrid::testing::bad_input_message([&] { read_onnx(write(bytes)); });
  }
  crossgrid::testing::TemporaryFolder folder_;
};

/// Every operator that is read, in one small network; weights in both encodings.
ModelBuilder small_model() {
  ModelBuilder b;
  b.tensor("w1", {4, 2, 3, 3}), b.tensor("b1", {4}, false);
  auto& conv = b.node("Conv", {"image", "w1", "b1"}, "c1");
  ModelBuilder::set(conv, "pads", {1, 1, 1, 1}), ModelBuilder::set(conv, "kernel_shape", {3, 3});
  b.node("Relu", {"c1"}, "r1");
  b.tensor("w2", {4, 4, 1, 1});
  b.node("Conv", {"r1", "w2"}, "c2");
  b.node("Add", {"c2", "r1"}, "a1");
  b.node("Identity", {"a1"}, "i1");
  auto& pool = b.node("MaxPool", {"i1"}, "p1");
  ModelBuilder::set(pool, "kernel_shape", {2, 2}), ModelBuilder::set(pool, "strides", {2, 2});
  auto& flat = b.node("Flatten", {"p1"}, "f1");
  ModelBuilder::set(flat, "axis", 1);
  b.tensor("w3", {5, 36}), b.tensor("b3", {5});
  auto& gemm = b.node("Gemm", {"f1", "w3", "b3"}, "logits");
  ModelBuilder::set(gemm, "transB", 1);
  return b;
}

TEST_F(OnnxNetwork, ReadsLayersByTheirNodesNames) {
  const Network network = read_onnx(write(small_model().bytes()));
  EXPECT_EQ(network.input, (Shape{2, 6, 6}));
  EXPECT_EQ(network.classes, 5);
  std::vector<std::string> names;
  for (const Layer& layer : network.layers) names.push_back(layer.name);
  EXPECT_EQ(names, (std::vector<std::string>{"/c1", "/r1", "/c2", "/a1", "/p1", "/f1", "/logits"}));
  const auto& conv = std::get<Conv2d>(network.layers[0].operation);
  EXPECT_EQ(conv.weights.rows(), 4);
  EXPECT_EQ(conv.weights.cols(), 18);
  EXPECT_EQ(conv.window, square_window(3, 1, 1));
  EXPECT_EQ(network.layers[3].inputs, (std::vector<int>{2, 1}));
  EXPECT_EQ(read_network(folder_.file("model.onnx")).classes, 5) << "by its ending";
}

/// Batch norms, added constants, alpha and beta are in the products they follow: beside the plain formulas.
TEST_F(OnnxNetwork, FoldsWhatFollowsAProduct) {
  ModelBuilder b({1, 3});
  const auto w = b.tensor("w", {3, 4}), more = b.tensor("more", {4});
  const auto scale = b.tensor("scale", {4}), shift = b.tensor("shift", {4}), mean = b.tensor("mean", {4});
  auto variance = b.tensor("variance", {4});
  auto* const raw = b.model().mutable_graph()->mutable_initializer(5)->mutable_raw_data();
  for (float& v : variance) v = std::abs(v) + 0.1F;
  raw->assign(reinterpret_cast<const char*>(variance.data()), raw->size());
  b.node("MatMul", {"image", "w"}, "m");
  b.node("Add", {"more", "m"}, "s");
  b.node("BatchNormalization", {"s", "scale", "shift", "mean", "variance"}, "n");
  const auto v = b.tensor("v", {4, 2}), c = b.tensor("c", {2});
  auto& gemm = b.node("Gemm", {"n", "v", "c"}, "logits");
  auto* attribute = gemm.add_attribute();
  attribute->set_name("alpha"), attribute->set_f(0.5F);
  attribute = gemm.add_attribute();
  attribute->set_name("beta"), attribute->set_f(3);
  const Network network = read_onnx(write(b.bytes()));
  ASSERT_EQ(network.layers.size(), 2u);
  const auto& first = std::get<Linear>(network.layers[0].operation);
  const auto& second = std::get<Linear>(network.layers[1].operation);
  for (int j = 0; j < 4; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const float factor = scale[at] / std::sqrt(variance[at] + 1e-5F);
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(first.weights(j, i), w[static_cast<std::size_t>(4 * i + j)] * factor, 1e-6);
    EXPECT_NEAR(first.bias[at], (more[at] - mean[at]) * factor + shift[at], 1e-6);
  }
  for (int j = 0; j < 2; ++j) {
    EXPECT_NEAR(second.weights(j, 3), 0.5F * v[static_cast<std::size_t>(6 + j)], 1e-7);
    EXPECT_NEAR(second.bias[static_cast<std::size_t>(j)], 3 * c[static_cast<std::size_t>(j)], 1e-7);
  }
}

TEST_F(OnnxNetwork, SaysWhatIsWrong) {
  const std::string good = small_model().bytes();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, good.size() / 3, good.size() - 1}) {
    EXPECT_THAT(problem(good.substr(0, size)), HasSubstr("model.onnx")) << size << " bytes";
  }
  EXPECT_THAT(problem("not a model at all"), HasSubstr("is no ONNX model, or a truncated one"));
  EXPECT_THAT(problem(ModelBuilder({1, 2, 6, 6}, 5).bytes()), HasSubstr("opset 5, expected 7 to 22"));
  EXPECT_THAT(problem(ModelBuilder().bytes()), HasSubstr("its output 'logits' comes from no node"));
  const auto with = [&](auto change) {
    ModelBuilder b = small_model();
    change(*b.model().mutable_graph());
    return problem(b.bytes());
  };
  EXPECT_EQ(with([](auto&) {}), "");
  const auto height = [](auto& g) {
    return g.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(2);
  };
  EXPECT_THAT(with([&](auto& g) { height(g)->clear_dim_value(); }), HasSubstr("dimension 2 is not fixed"));
  EXPECT_THAT(with([&](auto& g) { height(g)->set_dim_value(1 << 17); }), HasSubstr("expected a size from 1 to 65536"));
  EXPECT_THAT(with([](auto& g) { g.mutable_node(1)->set_op_type("Earth"); }),
              HasSubstr("node '/r1' (Earth): operator Earth (opset 13) is not supported; docs/onnx.md lists"));
  EXPECT_THAT(with([](auto& g) { g.mutable_node(1)->set_domain("com.microsoft"); }),
              HasSubstr("(com.microsoft.Relu): operator com.microsoft.Relu"));
  EXPECT_THAT(with([](auto& g) { g.mutable_node(1)->set_op_type("NonZero"); }),
              HasSubstr("makes a value whose shape depends on the image"));
  EXPECT_THAT(with([](auto& g) { g.mutable_node(1)->set_input(0, "c2"); }),
              HasSubstr("input 'c2' comes from a node after it, or from a cycle"));
  EXPECT_THAT(with([](auto& g) { g.mutable_initializer()->DeleteSubrange(0, 1); }),
              HasSubstr("node '/c1' (Conv): input 'w1' is neither a constant of the file nor made by a node"));
  EXPECT_THAT(with([](auto& g) { g.mutable_initializer(0)->set_dims(0, 5); }),
              HasSubstr("tensor 'w1': holds 288 bytes, expected 360 (5 x 2 x 3 x 3 of float)"));
  EXPECT_THAT(with([](auto& g) { ModelBuilder::set(*g.mutable_node(0), "group", 2); }),
              HasSubstr("weights of 4 x 2 x 3 x 3 in 2 groups, which do not fit its input of 1 x 2 x 6 x 6"));
  EXPECT_THAT(with([](auto& g) {
                ModelBuilder::set(*g.mutable_node(0), "dilations", {1, 0});
              }),
              HasSubstr("has dilations [1, 0], expected 2 numbers from 1 to 65536"));
  EXPECT_THAT(
      with([](auto& g) {
        ModelBuilder::set(*g.mutable_node(2), "strides", {1, 2});
      }),
      HasSubstr("node '/a1' (Add): input 'r1' is 1 x 4 x 6 x 6, which does not fit the others (1 x 4 x 6 x 3)"));
  EXPECT_THAT(with([](auto& g) { g.mutable_output(0)->set_name("a1"); }),
              HasSubstr("its output 'a1' is 1 x 4 x 6 x 6, expected a vector of at least two classes"));
  EXPECT_THAT(with([](auto& g) { g.mutable_output(0)->set_name("w1"); }), HasSubstr("does not depend on the image"));
  EXPECT_THAT(with([](auto& g) { *g.add_output() = g.output(0); }),
              HasSubstr("has 2 outputs, expected one: the logits"));
}

/// As of training at a ratio of 0 drops nothing; torchvision's Swin is exported so.
TEST_F(OnnxNetwork, DropsNothing) {
  const auto with = [&](std::int64_t ratio, std::int64_t training, const std::string& what = "dropped") {
    ModelBuilder b({1, 3});
    b.integers("ratio", {ratio}), b.integers("training", {training});
    b.tensor("w", {3, 2});
    b.node("Dropout", {"image", "ratio", "training"}, "dropped").add_output("mask");
    b.node("MatMul", {what, "w"}, "logits");
    return problem(b.bytes());
  };
  EXPECT_EQ(with(0, 1), "");
  EXPECT_EQ(with(1, 0), "");
  EXPECT_THAT(with(1, 1), HasSubstr("drops values or hands out which, as in training"));
  EXPECT_THAT(with(0, 0, "mask"), HasSubstr("drops values or hands out which, as in training"));
}

/// Found by fuzzing (tests/fuzz): each would overflow or read what is not there.
TEST_F(OnnxNetwork, RefusesWhatAFileCannotAskFor) {
  ModelBuilder wide({1, 65536, 65536, 65536, 65536});
  wide.node("Relu", {"image"}, "logits");
  EXPECT_THAT(problem(wide.bytes()), HasSubstr("65536 x 65536, expected at most 67108864 values"));

  ModelBuilder more({1, 3});
  more.node("Relu", {"image"}, "r").add_output("logits");
  EXPECT_THAT(problem(more.bytes()),
              HasSubstr("node '/r' (Relu): its output 'logits' is used, which it does not make"));

  // The second input alone depends on the image; the first, which Abs takes, has no axes.
  ModelBuilder scalar({1, 3});
  scalar.tensor("s", {});
  scalar.node("Abs", {"s", "image"}, "logits");
  EXPECT_THAT(problem(scalar.bytes()), HasSubstr("node '/logits' (Abs): has an input that it does not take"));

  // The same of an operator that has a layer of its own.
  ModelBuilder pool({1, 3});
  pool.tensor("w", {1, 2, 3, 1});
  pool.node("GlobalMaxPool", {"w", "image"}, "logits");
  EXPECT_THAT(problem(pool.bytes()), HasSubstr("node '/logits' (GlobalMaxPool): has an input that it does not take"));

  // An image without axes has no channels to add a constant to.
  ModelBuilder point({1, 1});
  point.tensor("c", {});
  point.node("Squeeze", {"image"}, "p"), point.node("Add", {"p", "c"}, "a"), point.node("Relu", {"a"}, "logits");
  EXPECT_THAT(problem(point.bytes()), HasSubstr("expected a vector of at least two classes"));

  ModelBuilder none({1, 3});
  none.tensor("w", {3, 0});
  none.node("MatMul", {"image", "w"}, "logits");
  EXPECT_THAT(problem(none.bytes()), HasSubstr("makes an empty value, which is not supported"));
}

/// What nothing needs is left out.
TEST_F(OnnxNetwork, LeavesOutWhatTheLogitsDoNotNeed) {
  ModelBuilder b = small_model();
  b.model().mutable_graph()->mutable_node(6)->set_input(0, "r1");
  b.model().mutable_graph()->mutable_initializer(3)->set_dims(1, 144);
  b.model().mutable_graph()->mutable_initializer(3)->mutable_raw_data()->resize(5 * 144 * sizeof(float));
  const Network network = read_onnx(write(b.bytes()));
  std::vector<std::string> names;
  for (const Layer& layer : network.layers) names.push_back(layer.name);
  EXPECT_EQ(names, (std::vector<std::string>{"/c1", "/r1", "/f1", "/logits"}));
}

/// All images of ResNet-14, 200 of each other one; all of all: published_resnets_slow_test.
TEST(PublishedResNets, GiveTheLogitsStoredBesideThem) {
  test::expect_published_logits({{"14", 2000}, {"20", 200}, {"32", 200}, {"56", 200}});
}

}  // namespace
}  // namespace crossgrid
