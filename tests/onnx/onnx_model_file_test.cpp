#include "crossgrid/onnx/onnx_model_file.hpp"

#include <gmock/gmock.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/error_message.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string problem(const onnx::ModelProto& model, const std::string& path = "/none/model.onnx") {
  const std::string bytes = model.SerializeAsString();
  return testing::bad_input_message([&] {
    parse_onnx_model({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path);
  });
}

onnx::ModelProto empty_model() {
  onnx::ModelProto model;
  model.add_opset_import()->set_version(13);
  model.mutable_graph()->set_name("small");
  return model;
}

onnx::NodeProto& add_node(onnx::ModelProto& model, const std::string& input, const std::string& output) {
  auto& node = *model.mutable_graph()->add_node();
  node.set_op_type("Relu"), node.set_name("/" + output), node.add_input(input), node.add_output(output);
  return node;
}

TEST(OnnxModelFile, SaysWhatIsWrongWithAGraph) {
  const auto with = [](auto change) {
    onnx::ModelProto model = empty_model();
    change(model);
    return problem(model);
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_THAT(with([](auto& m) { m.clear_graph(); }), HasSubstr("is no ONNX model, or a truncated one"));
  EXPECT_THAT(with([](auto& m) { m.clear_opset_import(); }), HasSubstr("is of opset 0, expected 7 to 22"));
  EXPECT_THAT(with([](auto& m) { m.mutable_opset_import(0)->set_version(23); }),
              HasSubstr("is of opset 23, expected 7 to 22"));
  EXPECT_EQ(with([](auto& m) { m.mutable_opset_import(0)->set_version(22); }), "");
  EXPECT_THAT(with([](auto& m) { add_node(m, "b", "a"), add_node(m, "a", "b"); }),
              HasSubstr("node '/a' (Relu): input 'b' comes from a node after it, or from a cycle"));
  EXPECT_THAT(with([](auto& m) { add_node(m, "a", "a"); }), HasSubstr("from a cycle"));
  EXPECT_THAT(with([](auto& m) { add_node(m, "w", "a"); }),
              HasSubstr("input 'w' is neither a constant of the file nor made by a node"));
  EXPECT_THAT(with([](auto& m) { add_node(m, "", "a"), add_node(m, "", "a"); }), HasSubstr("'a' is made twice"));
  EXPECT_THAT(with([](auto& m) { m.mutable_graph()->add_sparse_initializer(); }), HasSubstr("has sparse tensors"));
  EXPECT_THAT(with([](auto& m) {
                auto& attribute = *add_node(m, "", "a").add_attribute();
                attribute.set_name("then_branch"), attribute.mutable_g();
                attribute.set_type(onnx::AttributeProto::GRAPH);
              }),
              HasSubstr("its attribute then_branch holds a nested graph"));
}

TEST(OnnxModelFile, SaysWhatIsWrongWithATensor) {
  const auto with = [](auto change) {
    onnx::ModelProto model = empty_model();
    auto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("w"), tensor.set_data_type(onnx::TensorProto::FLOAT), tensor.add_dims(2);
    tensor.add_float_data(1), tensor.add_float_data(2);
    change(tensor);
    return problem(model);
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_THAT(with([](auto& t) { t.set_dims(0, 3); }), HasSubstr("tensor 'w': holds 2 numbers, expected 3"));
  EXPECT_THAT(with([](auto& t) { t.set_dims(0, -1); }), HasSubstr("expected sizes from 0 on"));
  // Products of extents beyond 64 bits, one beside an extent of 0.
  const std::int64_t wide = std::int64_t{1} << 32;
  EXPECT_THAT(with([&](auto& t) { t.set_dims(0, wide), t.add_dims(wide), t.clear_float_data(); }),
              HasSubstr("at most 8589934592 elements"));
  EXPECT_THAT(with([&](auto& t) { t.set_dims(0, 0), t.add_dims(wide), t.add_dims(wide), t.clear_float_data(); }),
              HasSubstr("at most 8589934592 elements"));
  EXPECT_THAT(with([](auto& t) {
                for (int k = 0; k < 16; ++k) t.add_dims(1);
              }),
              HasSubstr("has 17 dimensions, expected at most 16"));
  EXPECT_THAT(with([](auto& t) { t.set_data_type(99); }), HasSubstr("holds elements of the unknown type 99"));
  EXPECT_THAT(with([](auto& t) { t.set_data_type(onnx::TensorProto::STRING); }), HasSubstr("holds STRING"));
  EXPECT_THAT(with([](auto& t) { t.mutable_segment(); }), HasSubstr("is cut into segments"));
}

/// A model in a folder whose one tensor of two floats is stored in another file.
class ExternalData : public ::testing::Test {
 protected:
  ExternalData() {
    fs::create_directories(folder_.file("model/weights"));
    folder_.write("model/weights/w.bin", std::vector<std::uint8_t>(12));
    folder_.write("outside.bin", std::vector<std::uint8_t>(12));
    fs::create_symlink(folder_.file("outside.bin"), folder_.file("model/link.bin"));
    fs::create_symlink(folder_.path(), folder_.file("model/up"));
  }
  std::string path() const { return folder_.file("model/model.onnx"); }
  onnx::ModelProto model(const std::string& location, const std::string& offset, const std::string& length) const {
    onnx::ModelProto made = empty_model();
    auto& tensor = *made.mutable_graph()->add_initializer();
    tensor.set_name("w"), tensor.set_data_type(onnx::TensorProto::FLOAT), tensor.add_dims(2);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto entry = [&](const std::string& key, const std::string& value) {
      auto& added = *tensor.add_external_data();
      added.set_key(key), added.set_value(value);
    };
    entry("location", location);
    if (!offset.empty()) entry("offset", offset);
    if (!length.empty()) entry("length", length);
    return made;
  }
  std::string problem_of(const std::string& location, const std::string& offset = "",
                         const std::string& length = "8") const {
    return problem(model(location, offset, length), path());
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ExternalData, IsReadFromTheModelsFolderAndBelow) {
  EXPECT_EQ(problem_of("weights/w.bin"), "");
  EXPECT_EQ(problem_of("weights/w.bin", "4"), "");
  EXPECT_EQ(problem_of("weights/w.bin", "4", ""), "");
  EXPECT_EQ(problem_of("weights/../weights/w.bin"), "");
}

TEST_F(ExternalData, IsReadFromNowhereElse) {
  const std::string outside = folder_.file("outside.bin");
  for (const std::string& location : {std::string(), outside, std::string("../outside.bin"), std::string("link.bin"),
                                      std::string("up/outside.bin"), std::string("weights/../../outside.bin")}) {
    EXPECT_THAT(problem_of(location), AllOf(HasSubstr("tensor 'w': is stored in '" + location + "'"),
                                            HasSubstr("expected a file in the model's folder")))
        << location;
  }
}

TEST_F(ExternalData, IsAFileThatHasAllBytes) {
  EXPECT_THAT(problem_of("missing.bin"), HasSubstr("missing.bin: can't be read: No such file"));
  EXPECT_THAT(problem_of("weights"), HasSubstr("weights: is not a regular file"));
  EXPECT_THAT(problem_of("."), HasSubstr("is not a regular file"));
  EXPECT_THAT(problem_of("weights/w.bin", "8"), HasSubstr("is stored at bytes 8 to 16 of"));
  EXPECT_THAT(problem_of("weights/w.bin", "13", ""), HasSubstr("w.bin, which has 12"));
  EXPECT_THAT(problem_of("weights/w.bin", "18446744073709551615"), HasSubstr("which has 12"));
  EXPECT_THAT(problem_of("weights/w.bin", "", "18446744073709551615"), HasSubstr("which has 12"));
  EXPECT_THAT(problem_of("weights/w.bin", "", "4"), HasSubstr("holds 4 bytes, expected 8 (2 of float)"));
  EXPECT_THAT(problem_of("weights/w.bin", "-4"), HasSubstr("has '-4', expected a number of bytes"));
  EXPECT_THAT(problem_of("weights/w.bin", "99999999999999999999"), HasSubstr("expected a number of bytes"));
}

}  // namespace
}  // namespace crossgrid
