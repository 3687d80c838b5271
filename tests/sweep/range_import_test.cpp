#include "crossgrid/sweep/range_import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "data/error_message.hpp"
#include "data/temporary_folder.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using ::testing::HasSubstr;

class RangeImport : public ::testing::Test {
 protected:
  /// As numpy.save writes it: version 1, the header padded to 128 bytes.
  std::string npy(const std::string& shape, const std::vector<double>& numbers) const {
    std::string text = "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }";
    text.resize(117, ' ');
    text += '\n';
    std::vector<std::uint8_t> bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
    bytes.insert(bytes.end(), text.begin(), text.end());
    const std::size_t head = bytes.size();
    bytes.resize(head + numbers.size() * sizeof(double));
    std::memcpy(bytes.data() + head, numbers.data(), numbers.size() * sizeof(double));
    return folder_.write("ranges.npy", bytes);
  }
  std::string problem(const std::string& shape, const std::vector<double>& numbers) const {
    return bad_input_message([&] { import_ranges(npy(shape, numbers), 2); });
  }
  testing::TemporaryFolder folder_;
};

TEST_F(RangeImport, TakesARangePerLayerOrPerSlice) {
  EXPECT_EQ(import_ranges(npy("(2, 2)", {-1, 1, 0, 3}), 2), (std::vector<std::vector<Interval>>{{{-1, 1}}, {{0, 3}}}));
  EXPECT_EQ(import_ranges(npy("(2, 2, 2)", {-1, 1, -2, 2, 0, 3, 0, 4}), 2),
            (std::vector<std::vector<Interval>>{{{-1, 1}, {-2, 2}}, {{0, 3}, {0, 4}}}));
}

TEST_F(RangeImport, RefusesOtherShapesAndReversedRanges) {
  EXPECT_THAT(problem("(3, 2)", {-1, 1, 0, 3, 0, 1}), HasSubstr("shape (3, 2), expected ranges: 2 layers x 2"));
  EXPECT_THAT(problem("(4,)", {-1, 1, 0, 3}), HasSubstr("shape (4)"));
  EXPECT_THAT(problem("(2, 3)", {-1, 1, 0, 3, 0, 1}), HasSubstr("shape (2, 3)"));
  EXPECT_THAT(problem("(2, 2)", {-1, 1, 3, 0}), HasSubstr("found [3, 0] for layer 1, expected [lo, hi]"));
  EXPECT_THAT(problem("(2, 2, 2)", {-1, 1, 3, NAN, 0, 1, 0, 1}), HasSubstr("for layer 0, slice 1"));
}

}  // namespace
}  // namespace crossgrid
