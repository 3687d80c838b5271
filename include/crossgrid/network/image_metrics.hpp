#pragma once

#include <cstddef>
#include <string>
#include <vector>

/// Metrics of one image; NaN where logits are not finite.
namespace crossgrid {

/// Names that InferenceRequest::metrics may hold.
const std::vector<std::string>& metric_names();

/// 1 where the label's logit is among the k largest, else 0. Of equal logits the smaller index is first.
double top_k(const float* logits, int classes, int label, int k);

/// Cross-entropy of the softmax of the logits, in nats: ln sum_c e^(l_c - max) - (l_label - max), in double with
/// portable_exp and portable_log, so that it has the same bits on every system.
double cross_entropy(const float* logits, int classes, int label);

/// |values - reference| / |reference| (Euclidean); 0 where both are zero, infinite where only the reference is. Summed
/// in double in 8 interleaved partial sums, an order that no instruction set changes.
double relative_error(const float* values, const float* reference, std::size_t count);

}  // namespace crossgrid
