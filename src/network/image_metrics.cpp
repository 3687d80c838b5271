#include "crossgrid/network/image_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "crossgrid/base/exponential.hpp"
#include "crossgrid/base/host_device.hpp"

namespace crossgrid {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool finite(const float* logits, int classes) {
  return std::all_of(logits, logits + classes, [](float x) { return std::isfinite(x); });
}

CROSSGRID_MULTIVERSION
void squared_sums(const float* values, const float* reference, std::size_t count, double* difference, double* size) {
  constexpr std::size_t lanes = 8;
  double d[lanes] = {}, s[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) {
      const double r = reference[i + k], e = values[i + k] - r;
      d[k] = fused(e, e, d[k]);
      s[k] = fused(r, r, s[k]);
    }
  }
  for (std::size_t k = 0; i + k < count; ++k) {
    const double r = reference[i + k], e = values[i + k] - r;
    d[k] = fused(e, e, d[k]);
    s[k] = fused(r, r, s[k]);
  }
  *difference = ((d[0] + d[1]) + (d[2] + d[3])) + ((d[4] + d[5]) + (d[6] + d[7]));
  *size = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

}  // namespace

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names{"top1", "top5", "loss", "layer_error", "adc_clip_rate", "input_halvings"};
  return names;
}

double top_k(const float* logits, int classes, int label, int k) {
  if (!finite(logits, classes)) return not_a_number;
  if (label < 0 || label >= classes) return 0;
  int before = 0;
  for (int c = 0; c < classes; ++c) before += logits[c] > logits[label] || (logits[c] == logits[label] && c < label);
  return before < k ? 1 : 0;
}

double cross_entropy(const float* logits, int classes, int label) {
  if (!finite(logits, classes) || label < 0 || label >= classes) return not_a_number;
  const double largest = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (int c = 0; c < classes; ++c) sum += portable_exp(logits[c] - largest);
  return portable_log(sum) - (logits[label] - largest);
}

double relative_error(const float* values, const float* reference, std::size_t count) {
  double difference, size;
  squared_sums(values, reference, count, &difference, &size);
  return difference == 0 ? 0 : std::sqrt(difference / size);
}

}  // namespace crossgrid
