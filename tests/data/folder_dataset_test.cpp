#include "crossgrid/data/folder_dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "crossgrid/data/npy_file.hpp"
#include "data/cache_folder.hpp"
#include "data/error_message.hpp"
#include "data/image_values.hpp"
#include "data/made_images.hpp"

namespace crossgrid {
namespace {

using testing::bad_input_message;
using ::testing::HasSubstr;
using testing::pixels_of;

namespace fs = std::filesystem;

class FolderDatasetTest : public testing::MadeImages {
 protected:
  /// All pixels as PIL has them, to the bit.
  static void expect_pil(const std::string& images, const ImageGeometry& geometry, const std::string& pil) {
    const auto data = open_folder_dataset(path(images), "test", geometry);
    const NpyArray expected = read_npy(path(pil + ".npy"));
    ASSERT_EQ(data->size(), expected.shape[0]);
    ASSERT_EQ(static_cast<std::size_t>(data->height()), expected.shape[1]);
    ASSERT_EQ(static_cast<std::size_t>(data->width()), expected.shape[2]);
    ASSERT_EQ(static_cast<std::size_t>(data->channels()), expected.shape.size() == 4 ? expected.shape[3] : 1);
    const std::size_t size = expected.values.size() / expected.shape[0];
    for (std::size_t k = 0; k < data->size(); ++k) {
      const auto found = pixels_of(*data, k);
      std::size_t different = 0;
      for (std::size_t i = 0; i < size; ++i) different += found[i] != expected.values[k * size + i] ? 1 : 0;
      EXPECT_EQ(different, 0u) << "of " << size << " pixels of image " << k;
    }
  }
  std::string copy(const std::string& name) const {
    fs::copy(path(name), cache_.folder().file(name), fs::copy_options::recursive);
    return cache_.folder().file(name);
  }
  static std::string problem(const std::string& folder, const ImageGeometry& geometry = {},
                             const std::string& split = "test") {
    return bad_input_message([&] { open_folder_dataset(folder, split, geometry); });
  }
  testing::CacheFolder cache_;
};

TEST_F(FolderDatasetTest, DecodesEveryKindOfFileAsPilDoes) {
  expect_pil("colours", {}, "colours");
  expect_pil("greys", {}, "greys");
}

TEST_F(FolderDatasetTest, ResizesAndCropsAsTorchvisionDoesWithPil) {
  expect_pil("shorter", {40, {}, ImageSize{31, 40}}, "shorter");
  expect_pil("exact", {{}, ImageSize{33, 21}, {}}, "exact");
  expect_pil("greys_exact", {{}, ImageSize{44, 17}, {}}, "greys_exact");
}

TEST_F(FolderDatasetTest, CountsClassesInTheOrderOfTheirNames) {
  const auto data = open_folder_dataset(path("colours"), "test", {});
  EXPECT_EQ(data->classes(), 2);
  EXPECT_EQ(data->label(4), 0);
  EXPECT_EQ(data->label(5), 1);
  EXPECT_EQ(data->description(), "14 images 30x41x3, 2 classes, " + path("colours/test") + " (folder)");
}

TEST_F(FolderDatasetTest, FindsClassesWithoutASplit) {
  const auto inner = open_folder_dataset(path("colours/test"), "test", {});
  EXPECT_EQ(inner->size(), 14u);
  EXPECT_EQ(inner->content(), open_folder_dataset(path("colours"), "test", {})->content());
  EXPECT_NE(inner->content(), open_folder_dataset(path("exact"), "test", {{}, ImageSize{30, 41}, {}})->content());
}

TEST_F(FolderDatasetTest, PassesOverWhatIsNoImage) {
  const std::string folder = copy("greys");
  std::ofstream(folder + "/test/ant/notes.txt") << "no image";
  std::ofstream(folder + "/test/notes.txt") << "no class";
  fs::create_directory(folder + "/test/.hidden");
  EXPECT_EQ(open_folder_dataset(folder, "test", {})->size(), 2u);
}

TEST_F(FolderDatasetTest, NamesBothFilesWhereSizesDiffer) {
  const std::string message = problem(path("exact"));
  EXPECT_THAT(message,
              HasSubstr(path("exact/test/ant/1.png") + ": found an image of 53 x 37 pixels, expected 37 x 53 as " +
                        path("exact/test/ant/0.png") + " has"));
  EXPECT_THAT(message, HasSubstr("dataset.preprocess.resize"));
  EXPECT_THAT(problem(path("exact"), {20, {}, {}}), HasSubstr("(resize 20)"));
  EXPECT_THAT(problem(path("exact"), {{}, {}, ImageSize{30, 30}}),
              HasSubstr("bee/4.png: found an image of 20 x 31 pixels, expected at least those of the crop, 30 x 30"));
}

TEST_F(FolderDatasetTest, SaysWhatIsWrongWithFolders) {
  const std::string folder = copy("greys");
  EXPECT_THAT(problem(folder + "/none"), HasSubstr("none: can't be read as a folder: No such file"));
  EXPECT_THAT(problem(folder, {}, "tset"), HasSubstr("found no split 'tset', expected test; did you mean 'test'?"));
  fs::create_directory(folder + "/test/cat");
  EXPECT_THAT(problem(folder), HasSubstr("test/cat: found no images in the folder of a class"));
  std::ofstream(folder + "/test/cat/1.webp") << "RIFF";
  EXPECT_THAT(problem(folder), HasSubstr("1.webp: found an image of another format, expected .jpg, .jpeg or .png"));
  fs::create_directories(folder + "/empty/test");
  EXPECT_THAT(problem(folder + "/empty"), HasSubstr("found no images (.jpg, .jpeg, .png), expected test/CLASS/IMAGE"));
}

TEST_F(FolderDatasetTest, SaysWhatIsWrongWithFiles) {
  EXPECT_THAT(problem(path("cmyk")), HasSubstr("1.jpg: found a JPEG image of 4 components (CMYK has 4)"));
  const std::string folder = copy("greys");
  for (const char* name : {"/test/ant/1.jpg", "/test/bee/1.png"}) {
    const std::string file = folder + name;
    const auto whole = fs::file_size(file);
    const std::string bytes = [&] {
      std::ifstream in(file, std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(in), {});
    }();
    for (const auto size : {whole / 2, std::uintmax_t{12}}) {
      fs::resize_file(file, size);
      EXPECT_THAT(problem(folder), HasSubstr(std::string(name) + ": damaged ")) << size;
    }
    std::ofstream(file, std::ios::binary) << "GIF89a";
    EXPECT_THAT(problem(folder), HasSubstr("found neither JPEG's nor PNG's first bytes"));
    std::ofstream(file, std::ios::binary) << "";
    EXPECT_THAT(problem(folder), HasSubstr("found an empty file, expected a JPEG or PNG image"));
    std::ofstream(file, std::ios::binary) << bytes;
  }
  EXPECT_EQ(problem(folder), "");
}

}  // namespace
}  // namespace crossgrid
