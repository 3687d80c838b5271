#include "crossgrid/data/folder_dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "crossgrid/base/error.hpp"
#include "crossgrid/data/decoded_bytes.hpp"
#include "crossgrid/data/image_file.hpp"
#include "crossgrid/data/images_hash.hpp"
#include "crossgrid/data/mapped_file.hpp"
#include "crossgrid/data/splits.hpp"
#include "for_each_image.hpp"

namespace crossgrid {
namespace {

namespace fs = std::filesystem;

struct ImageFile {
  std::string path;
  int label = 0;
};

struct ImageFolder {
  std::string place;
  int classes = 0;
  std::vector<ImageFile> files;
};

std::string small_ending(const fs::path& file) {
  std::string ending = file.extension().string();
  for (char& letter : ending) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return ending;
}

/// What is in a folder, by name; hidden entries are passed over.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (!entry.path().filename().string().starts_with('.')) found.push_back(entry.path());
  }
  if (failed) throw input_error(folder.string(), "can't be read as a folder: " + failed.message());
  std::ranges::sort(found, {}, [](const fs::path& path) { return path.filename().string(); });
  return found;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found = entries(folder);
  std::erase_if(found, [](const fs::path& path) { return !fs::is_directory(path); });
  return found;
}

std::vector<fs::path> images_in(const fs::path& folder) {
  constexpr std::array<std::string_view, 8> others{".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".jp2"};
  std::vector<fs::path> found = entries(folder);
  for (const fs::path& file : found) {
    if (std::ranges::find(others, small_ending(file)) != others.end()) {
      throw input_error(file.string(), "found an image of another format, expected .jpg, .jpeg or .png");
    }
  }
  std::erase_if(found, [](const fs::path& path) { return !names_image(path.string()); });
  return found;
}

ImageFolder list_images(const std::string& folder, const std::string& split) {
  const fs::path inner = fs::path(folder) / split;
  const bool has_split = fs::is_directory(inner);
  ImageFolder found{has_split ? inner.string() : folder, 0, {}};
  const std::vector<fs::path> classes = folders_in(found.place);
  std::vector<std::string> empty;
  for (const fs::path& path : classes) {
    const std::vector<fs::path> images = images_in(path);
    if (images.empty()) empty.push_back(path.filename().string());
    for (const fs::path& image : images) found.files.push_back({image.string(), found.classes});
    ++found.classes;
  }
  if (found.files.empty()) {
    const std::string expected = fmt::format("images (.jpg, .jpeg, .png), expected {}/CLASS/IMAGE", split);
    throw missing_split(found.place, split, has_split ? std::vector<std::string>{} : empty, expected);
  }
  if (!empty.empty()) {
    throw input_error((fs::path(found.place) / empty.front()).string(),
                      "found no images in the folder of a class, expected some .jpg, .jpeg or .png");
  }
  return found;
}

/// The form of all images once they are resized and cropped: that of the first.
ImageHeader find_form(const std::vector<ImageFile>& files, const ImageGeometry& geometry) {
  std::vector<ImageHeader> headers(files.size());
  for_each_image(files.size(), [&](std::size_t k) {
    headers[k] = read_image_header(MappedFile(files[k].path).bytes(), files[k].path);
    headers[k].size = geometry.result(headers[k].size, files[k].path);
  });
  ImageHeader form = headers.front();
  for (std::size_t k = 0; k < files.size(); ++k) {
    form.channels = std::max(form.channels, headers[k].channels);
    const ImageSize found = headers[k].size;
    if (found == form.size) continue;
    throw input_error(
        files[k].path,
        fmt::format("found an image of {} x {} pixels{}, expected {} x {} as {} has; bring all to one size "
                    "with dataset.preprocess.resize: [height, width], or with crop",
                    found.height, found.width, geometry.none() ? "" : " (" + geometry.text() + ")", form.size.height,
                    form.size.width, files.front().path));
  }
  return form;
}

void decode_into(const ImageFile& file, const ImageHeader& form, const ImageGeometry& geometry,
                 std::span<std::uint8_t> to) {
  DecodedImage image = decode_image(MappedFile(file.path).bytes(), file.path);
  if (image.header.channels < form.channels) {
    std::vector<std::uint8_t> coloured;
    coloured.reserve(image.pixels.size() * 3);
    for (const std::uint8_t grey : image.pixels) coloured.insert(coloured.end(), 3, grey);
    image.pixels = std::move(coloured);
  }
  std::vector<std::uint8_t> scratch;
  geometry.apply(image.pixels, image.header.size, form.channels, to, scratch);
}

Decoding begin_decoding(const ImageFolder& folder, const ImageGeometry& geometry) {
  const ImageHeader form = find_form(folder.files, geometry);
  const std::size_t image = static_cast<std::size_t>(form.size.height) * static_cast<std::size_t>(form.size.width) *
                            static_cast<std::size_t>(form.channels);
  const auto dimension = [](int size) { return static_cast<std::uint64_t>(size); };
  return {{folder.files.size(), dimension(form.size.height), dimension(form.size.width), dimension(form.channels)},
          image * folder.files.size(),
          [&folder, &geometry, form, image](std::span<std::uint8_t> out) {
            for_each_image(folder.files.size(), [&](std::size_t k) {
              decode_into(folder.files[k], form, geometry, out.subspan(k * image, image));
            });
          }};
}

class FolderDataset final : public Dataset {
 public:
  FolderDataset(ImageFolder folder, const ImageGeometry& geometry) : folder_(std::move(folder)) {
    DecodingKey key{fmt::format("decode {}: {}", fs::absolute(folder_.place).string(), geometry.text()), ""};
    for (const ImageFile& file : folder_.files) key.state += file_state(file.path);
    decoded_ = decode_once(key, [&] { return begin_decoding(folder_, geometry); });
    if (!geometry.none()) done_ = ", " + geometry.text();
  }

  std::uint64_t size() const override { return folder_.files.size(); }
  int height() const override { return static_cast<int>(decoded_.shape[1]); }
  int width() const override { return static_cast<int>(decoded_.shape[2]); }
  int channels() const override { return static_cast<int>(decoded_.shape[3]); }
  int classes() const override { return folder_.classes; }
  ImageView image(std::uint64_t index, ImageBuffer&) const override {
    const std::size_t bytes = decoded_.bytes.size() / size();
    return decoded_.bytes.subspan(index * bytes, bytes);
  }
  int label(std::uint64_t index) const override { return folder_.files[index].label; }
  Id128 content() const override { return images_content(*this, decoded_.hash); }
  std::string description() const override {
    return fmt::format("{} images {}x{}x{}, {} classes, {} (folder{})", grouped_digits(size()), height(), width(),
                       channels(), classes(), folder_.place, done_);
  }

 private:
  ImageFolder folder_;
  DecodedBytes decoded_;
  std::string done_;
};

}  // namespace

bool names_image(const std::string& file) {
  const std::string ending = small_ending(file);
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

std::shared_ptr<const Dataset> open_folder_dataset(const std::string& folder, const std::string& split,
                                                   const ImageGeometry& geometry) {
  check_split_name(folder, split);
  return std::make_shared<FolderDataset>(list_images(folder, split), geometry);
}

}  // namespace crossgrid
