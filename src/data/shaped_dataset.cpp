#include "crossgrid/data/shaped_dataset.hpp"

#include <fmt/format.h>

#include <utility>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

class ShapedDataset final : public Dataset {
 public:
  ShapedDataset(std::shared_ptr<const Dataset> data, ImageGeometry geometry, const std::string& place)
      : data_(std::move(data)),
        geometry_(std::move(geometry)),
        from_{data_->height(), data_->width()},
        to_(geometry_.result(from_, place)) {}

  std::uint64_t size() const override { return data_->size(); }
  int channels() const override { return data_->channels(); }
  int height() const override { return to_.height; }
  int width() const override { return to_.width; }
  int classes() const override { return data_->classes(); }
  ImageView image(std::uint64_t index, ImageBuffer& buffer) const override {
    const Pixels from = std::get<Pixels>(data_->image(index, buffer));
    buffer.shaped.resize(static_cast<std::size_t>(to_.height) * static_cast<std::size_t>(to_.width) *
                         static_cast<std::size_t>(channels()));
    geometry_.apply(from, from_, channels(), buffer.shaped, buffer.resized);
    return Pixels(buffer.shaped);
  }
  int label(std::uint64_t index) const override { return data_->label(index); }
  Id128 content() const override { return hash_text(geometry_.text() + " of " + data_->content().hex()); }
  std::string description() const override {
    return fmt::format("{}, {}: {}x{}x{}", data_->description(), geometry_.text(), height(), width(), channels());
  }

 private:
  std::shared_ptr<const Dataset> data_;
  ImageGeometry geometry_;
  ImageSize from_, to_;
};

}  // namespace

std::shared_ptr<const Dataset> shape_images(std::shared_ptr<const Dataset> data, const ImageGeometry& geometry,
                                            const std::string& place) {
  if (data->floats()) {
    throw input_error(place, fmt::format("found {}, expected pixels (bytes) for dataset.preprocess.{}",
                                         data->description(), geometry.text()));
  }
  return std::make_shared<ShapedDataset>(std::move(data), geometry, place);
}

}  // namespace crossgrid
