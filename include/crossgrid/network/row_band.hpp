#pragma once

#include <vector>

#include "crossgrid/backend/products.hpp"

namespace crossgrid {

/// Rows of an image's windows that go through a product together. Currents of large images would leave the cache before
/// an ADC reads them: their products are cut into bands, each with what follows it.
struct RowBand {
  int first = 0, rows = 0;  ///< of the windows; of all images where there is one band
  int input_first = 0;      ///< row of the image that its product begins at
  int input_rows = 0;       ///< of the image that its product reads
  int shape = 0;            ///< which of the layer's different products it is
};

/// The bands of a convolution with `columns` columns: one, but for single large images.
std::vector<RowBand> row_bands(const ConvolutionShape& geometry, int columns);

/// The convolution of a band's windows: over the rows of the image that they touch, with what padding these need.
ConvolutionShape band_geometry(const ConvolutionShape& geometry, const RowBand& band);

}  // namespace crossgrid
