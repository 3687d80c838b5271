#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "crossgrid/data/array_dataset.hpp"
#include "crossgrid/data/npy_file.hpp"
#include "data/cache_folder.hpp"
#include "data/error_message.hpp"
#include "data/image_values.hpp"
#include "data/made_images.hpp"
#include "data/processes.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using ::testing::HasSubstr;
using testing::pixels_of;

class NpzDatasetTest : public testing::MadeImages {
 protected:
  static std::shared_ptr<const Dataset> open(const std::string& file, const std::string& split = "test") {
    return open_npz_dataset(file, split, Layout::automatic);
  }
  static std::string problem(const std::string& file, const std::string& split = "test") {
    return bad_input_message([&] { open(file, split); });
  }
  /// The pixels of the array that NumPy saved beside it.
  static bool holds(const Dataset& data, const std::string& array) {
    const NpyArray expected = read_npy(path(array));
    const std::size_t size = expected.values.size() / expected.shape[0];
    bool same = data.size() == expected.shape[0];
    for (std::size_t k = 0; same && k < data.size(); ++k) {
      const auto found = pixels_of(data, k);
      same = std::equal(found.begin(), found.end(), expected.values.begin() + static_cast<std::ptrdiff_t>(k * size));
    }
    return same;
  }
  testing::CacheFolder cache_;
};

TEST_F(NpzDatasetTest, ReadsWhatNumPySaves) {
  for (const char* file : {"stored.npz", "packed.npz", "plain.npz", "splits"}) {
    const auto data = open(path(file));
    EXPECT_TRUE(holds(*data, "arrays.npy")) << file;
    EXPECT_EQ(data->classes(), 3) << file;
    EXPECT_EQ(data->label(4), 1) << file;
    EXPECT_EQ(data->content(), open(path("stored.npz"))->content()) << file;
  }
  EXPECT_EQ(open(path("packed.npz"), "train")->size(), 3u);
  EXPECT_EQ(open(path("plain.npz"), "any")->size(), 7u);
  EXPECT_EQ(open(path("packed.npz"))->description(), "7 images 5x6x1, 3 classes, " + path("packed.npz") + " (npz)");
}

TEST_F(NpzDatasetTest, UnpacksOnceForManyProcesses) {
  EXPECT_EQ(testing::run_in_processes(6, [&] { return holds(*open(path("large.npz")), "large.npy"); }), 6);
  EXPECT_EQ(cache_.files().size(), 1u) << "the images; labels are few";
}

TEST_F(NpzDatasetTest, SaysWhatIsWrong) {
  EXPECT_THAT(problem(path("arrays.npy")), HasSubstr("arrays.npy: can't be read as an NPZ (zip) file: Not a zip"));
  EXPECT_THAT(problem(path("none.npz")), HasSubstr("none.npz: can't be read as an NPZ (zip) file: No such file"));
  EXPECT_THAT(problem(path("packed.npz"), "tset"), HasSubstr("found no split 'tset', expected test or train; did you"));
  EXPECT_THAT(problem(path("splits"), "train"), HasSubstr("found no split 'train', expected test"));
  std::ifstream in(path("packed.npz"), std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  const auto& folder = cache_.folder();
  const auto damaged = [&](std::string bytes) {
    std::ofstream(folder.file("bad.npz"), std::ios::binary) << bytes;
    return problem(folder.file("bad.npz"));
  };
  EXPECT_THAT(damaged(whole.substr(0, whole.size() / 2)), HasSubstr("bad.npz: can't be read as an NPZ (zip) file"));
  const std::size_t member = whole.find("x_test.npy");
  std::string flipped = whole;
  flipped[member + 60] = static_cast<char>(flipped[member + 60] ^ 0x40);
  EXPECT_THAT(damaged(flipped), HasSubstr("bad.npz: x_test.npy: "));
}

}  // namespace
}  // namespace crossgrid
