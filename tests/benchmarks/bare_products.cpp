#include "bare_products.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>

namespace crossgrid::benchmarks {

namespace {

using Tag = dnnl::memory::format_tag;
constexpr auto f32 = dnnl::memory::data_type::f32;

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::memory filled(const dnnl::memory::desc& description) {
  dnnl::memory memory(description, cpu());
  auto* const values = static_cast<float*>(memory.get_data_handle());
  const std::size_t count = description.get_size() / sizeof(float);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i % 7) * 0.1f;
  return memory;
}

dnnl::convolution_forward::primitive_desc convolution(const ConvolutionShape& g, int images) {
  const dnnl::memory::desc source({images, g.in_channels, g.height, g.width}, f32, Tag::any);
  const WindowAxis &y = g.window.vertical, &x = g.window.horizontal;
  dnnl::memory::dims weight_dims{g.out_channels / g.groups, g.in_channels / g.groups, y.kernel, x.kernel};
  if (g.groups > 1) weight_dims.insert(weight_dims.begin(), g.groups);
  const dnnl::memory::desc weights(weight_dims, f32, Tag::any);
  const dnnl::memory::desc result({images, g.out_channels, g.out_height(), g.out_width()}, f32, Tag::any);
  const dnnl::memory::dims strides{y.stride, x.stride}, dilation{y.dilation - 1, x.dilation - 1};
  const dnnl::memory::dims before{y.before, x.before}, after{y.after, x.after};
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kind, algorithm, source, weights, result, strides, dilation, before, after};
#else
  return {{kind, algorithm, source, weights, result, strides, dilation, before, after}, cpu()};
#endif
}

dnnl::matmul::primitive_desc product(const ConvolutionShape& g, int images) {
  const dnnl::memory::desc source({images, g.in_channels}, f32, Tag::any);
  const dnnl::memory::desc weights({g.in_channels, g.out_channels}, f32, Tag::any);
  const dnnl::memory::desc result({images, g.out_channels}, f32, Tag::any);
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), source, weights, result};
#else
  return {{source, weights, result}, cpu()};
#endif
}

template <class PrimitiveDesc>
std::unordered_map<int, dnnl::memory> buffers(const PrimitiveDesc& description) {
  return {{DNNL_ARG_SRC, filled(description.src_desc())},
          {DNNL_ARG_WEIGHTS, filled(description.weights_desc())},
          {DNNL_ARG_DST, filled(description.dst_desc())}};
}

}  // namespace

BareProduct::BareProduct(const ConvolutionShape& geometry, int images) : images_(images), stream_(cpu()) {
  omp_set_num_threads(1);
  if (geometry.height * geometry.width * geometry.window.size() == 1) {
    const auto description = product(geometry, images);
    name_ = description.impl_info_str();
    primitive_ = dnnl::matmul(description);
    arguments_ = buffers(description);
  } else {
    const auto description = convolution(geometry, images);
    name_ = description.impl_info_str();
    primitive_ = dnnl::convolution_forward(description);
    arguments_ = buffers(description);
  }
}

void BareProduct::run() {
  omp_set_num_threads(1);
  primitive_.execute(stream_, arguments_);
  stream_.wait();
}

int best_micro_batch(const ConvolutionShape& geometry, int most) {
  int best = 1;
  double least = 1e9;
  for (int images = 1; images <= most; images *= 2) {
    BareProduct bare(geometry, images);
    bare.run();
    for (int repetition = 0; repetition < 3; ++repetition) {
      const auto start = std::chrono::steady_clock::now();
      for (int k = 0; k < most / images; ++k) bare.run();
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (seconds < least) least = seconds, best = images;
    }
  }
  return best;
}

}  // namespace crossgrid::benchmarks
