#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "crossgrid/onnx/onnx_operators.hpp"

namespace crossgrid {
namespace {

/// docs/onnx.md lists the operators that there are, no more and no fewer.
TEST(OnnxDocumentation, ListsTheOperators) {
  std::ifstream file(CROSSGRID_TEST_SOURCE_DIR "/docs/onnx.md");
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str(), title = "## Operators\n";
  const std::size_t first = text.find(title) + title.size();
  std::stringstream list(text.substr(first, text.find("\n\n", first) - first));
  std::set<std::string> listed, there;
  for (std::string name; list >> name;) listed.insert(name);
  for (const auto& [name, function] : onnx_operators()) there.insert(name);
  EXPECT_EQ(listed, there);
}

}  // namespace
}  // namespace crossgrid
