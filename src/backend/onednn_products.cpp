#include <omp.h>
#include <dnnl.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <limits>
#include <vector>

#include "crossgrid/backend/buffer.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/backend/products.hpp"
#include "crossgrid/base/error.hpp"

/// The only file that knows oneDNN; compiles with its 2.x and 3.x interfaces.
namespace crossgrid {

namespace {

using Tag = dnnl::memory::format_tag;
using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;
using DataType = dnnl::memory::data_type;

/// What a product's values are.
struct Types {
  DataType source, weights, result;
};
constexpr Types floats{DataType::f32, DataType::f32, DataType::f32};
constexpr Types integers{DataType::u8, DataType::s8, DataType::s32};

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// oneDNN's results depend on how many threads it may use when a primitive is created and when it runs: always one.
void use_one_thread() {
  omp_set_num_threads(1);
}

/// The scratchpad belongs to the Product, so that threads never share one.
dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// [groups,] outputs, inputs, height, width.
Dims weight_dims(const ConvolutionShape& s) {
  const WindowAxis &y = s.window.vertical, &x = s.window.horizontal;
  if (s.groups == 1) return {s.out_channels, s.in_channels, y.kernel, x.kernel};
  return {s.groups, s.out_channels / s.groups, s.in_channels / s.groups, y.kernel, x.kernel};
}

dnnl::convolution_forward::primitive_desc describe(const ConvolutionShape& s, const Types& types) {
  // NHWC on both sides is what oneDNN's fastest code wants with AVX-512 (brgconv) and as good as any with AVX2. A plain
  // tag beside `any` falls to the reference code with AVX2.
  const Desc source({s.images, s.in_channels, s.height, s.width}, types.source, Tag::nhwc);
  const Desc weights(weight_dims(s), types.weights, Tag::any);
  const Desc result({s.images, s.out_channels, s.out_height(), s.out_width()}, types.result, Tag::nhwc);
  const WindowAxis &y = s.window.vertical, &x = s.window.horizontal;
  const Dims strides{y.stride, x.stride}, dilation{y.dilation - 1, x.dilation - 1};
  const Dims before{y.before, x.before}, after{y.after, x.after};
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kind, algorithm, source, weights, result, strides, dilation, before, after, own_scratchpad()};
#else
  return {{kind, algorithm, source, weights, result, strides, dilation, before, after}, own_scratchpad(), cpu()};
#endif
}

dnnl::matmul::primitive_desc describe(const ProductShape& s, const Types& types) {
  const Desc source({s.vectors, s.rows}, types.source, Dims{s.source_stride, 1});
  const Desc weights({s.rows, s.columns}, types.weights, Tag::any);
  const Desc result({s.vectors, s.columns}, types.result, Dims{s.result_stride, 1});
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), source, weights, result, own_scratchpad()};
#else
  return {{source, weights, result}, own_scratchpad(), cpu()};
#endif
}

std::string text(const ConvolutionShape& s) {
  return "convolution of " + std::to_string(s.images) + " x " + std::to_string(s.height) + " x " +
         std::to_string(s.width) + " x " + std::to_string(s.in_channels) + " to " + std::to_string(s.out_channels) +
         " channels in " + std::to_string(s.groups) + " groups, kernel " + std::to_string(s.window.vertical.kernel) +
         " x " + std::to_string(s.window.horizontal.kernel);
}

std::string text(const ProductShape& s) {
  return "product of " + std::to_string(s.vectors) + " x " + std::to_string(s.rows) + " by " +
         std::to_string(s.columns) + " columns";
}

/// How pack() finds its weights: rows x columns, row-major.
Desc given_weights(const ConvolutionShape& s, DataType type) {
  const dnnl::memory::dim columns = s.out_channels, line = columns * s.window.horizontal.kernel;
  Dims strides{1, line * s.window.vertical.kernel, line, columns};
  if (s.groups > 1) strides.insert(strides.begin(), columns / s.groups);
  return Desc(weight_dims(s), type, strides);
}
Desc given_weights(const ProductShape& s, DataType type) {
  return Desc({s.rows, s.columns}, type, Tag::ab);
}

dnnl::memory without_data(const Desc& description) {
  return dnnl::memory(description, cpu(), nullptr);
}

std::size_t size_in_floats(const Desc& description) {
  return (description.get_size() + sizeof(float) - 1) / sizeof(float);
}

}  // namespace

struct PackedWeights::Impl {
  Desc layout;
  Buffer values;
};

std::size_t PackedWeights::bytes() const {
  return impl_ ? impl_->values.bytes() : 0;
}

struct ProductCode {
  template <class Shape, class PrimitiveDesc>
  ProductCode(const Shape& shape, const Types& types, const PrimitiveDesc& description, dnnl::primitive made)
      : primitive(std::move(made)),
        stream(cpu()),
        name(description.impl_info_str()),
        given(given_weights(shape, types.weights)),
        source(without_data(description.src_desc())),
        weights(without_data(description.weights_desc())),
        result(without_data(description.dst_desc())),
        scratch(size_in_floats(description.scratchpad_desc())),
        scratchpad(description.scratchpad_desc(), cpu(), scratch.data()),
        arguments{{DNNL_ARG_SRC, source},
                  {DNNL_ARG_WEIGHTS, weights},
                  {DNNL_ARG_DST, result},
                  {DNNL_ARG_SCRATCHPAD, scratchpad}} {
    if (name.find("ref") != std::string::npos) {
      throw Error(ExitCode::internal, "oneDNN has only its reference code ('" + name + "') for the " + text(shape));
    }
  }

  // oneDNN's interface knows no const: what it only reads is passed as if it wrote there.
  PackedWeights pack(const void* values) {
    use_one_thread();
    const Desc layout = weights.get_desc();
    auto packed = std::make_shared<PackedWeights::Impl>(PackedWeights::Impl{layout, Buffer(size_in_floats(layout))});
    dnnl::memory from(given, cpu(), const_cast<void*>(values));
    dnnl::memory to(layout, cpu(), packed->values.data());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    PackedWeights made;
    made.impl_ = std::move(packed);
    return made;
  }

  bool takes(const PackedWeights& packed) const { return packed.impl_->layout == weights.get_desc(); }

  void run(const void* from, const PackedWeights& packed, void* to) {
    use_one_thread();
    source.set_data_handle(const_cast<void*>(from));
    weights.set_data_handle(const_cast<float*>(packed.impl_->values.data()));
    result.set_data_handle(to);
    primitive.execute(stream, arguments);
    stream.wait();
  }

  dnnl::primitive primitive;
  dnnl::stream stream;
  std::string name;
  Desc given;
  dnnl::memory source, weights, result;
  Buffer scratch;
  dnnl::memory scratchpad;
  std::unordered_map<int, dnnl::memory> arguments;
};

namespace {

std::unique_ptr<ProductCode> make_code(const ConvolutionShape& shape, const Types& types) {
  use_one_thread();
  const auto description = describe(shape, types);
  return std::make_unique<ProductCode>(shape, types, description, dnnl::convolution_forward(description));
}

std::unique_ptr<ProductCode> make_code(const ProductShape& shape, const Types& types) {
  use_one_thread();
  const auto description = describe(shape, types);
  return std::make_unique<ProductCode>(shape, types, description, dnnl::matmul(description));
}

}  // namespace

Product::Product(const ConvolutionShape& shape) : code_(make_code(shape, floats)) {}
Product::Product(const ProductShape& shape) : code_(make_code(shape, floats)) {}
Product::Product(Product&&) noexcept = default;
Product& Product::operator=(Product&&) noexcept = default;
Product::~Product() = default;

PackedWeights Product::pack(const Matrix& weights) const {
  return code_->pack(weights.data());
}
bool Product::takes(const PackedWeights& weights) const {
  return code_->takes(weights);
}
void Product::run(const float* source, const PackedWeights& weights, float* result) {
  code_->run(source, weights, result);
}
const std::string& Product::implementation() const {
  return code_->name;
}

IntegerProduct::IntegerProduct(const ConvolutionShape& shape) : code_(make_code(shape, integers)) {}
IntegerProduct::IntegerProduct(const ProductShape& shape) : code_(make_code(shape, integers)) {}
IntegerProduct::IntegerProduct(IntegerProduct&&) noexcept = default;
IntegerProduct& IntegerProduct::operator=(IntegerProduct&&) noexcept = default;
IntegerProduct::~IntegerProduct() = default;

PackedWeights IntegerProduct::pack(const IntegerMatrix& weights) const {
  return code_->pack(weights.data());
}
bool IntegerProduct::takes(const PackedWeights& weights) const {
  return code_->takes(weights);
}
void IntegerProduct::run(const std::uint8_t* source, const PackedWeights& weights, std::int32_t* result) {
  code_->run(source, weights, result);
}
const std::string& IntegerProduct::implementation() const {
  return code_->name;
}

namespace {

struct Level {
  const char* name;
  dnnl::cpu_isa isa;
};
constexpr Level levels[] = {{"avx2", dnnl::cpu_isa::avx2},
                            {"avx512", dnnl::cpu_isa::avx512_core},
                            {"avx512_vnni", dnnl::cpu_isa::avx512_core_vnni}};

/// The highest level that oneDNN may use in this process.
std::string effective_level() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  switch (isa) {
    case dnnl::cpu_isa::avx512_core:
      return "avx512";
    case dnnl::cpu_isa::avx2:
    case dnnl::cpu_isa::avx2_vnni:
#if DNNL_VERSION_MAJOR >= 3
    case dnnl::cpu_isa::avx2_vnni_2:
#endif
      return "avx2";
    default:
      // Every later level contains AVX-512 with VNNI; what is left below has no AVX2.
      if (static_cast<int>(isa) > static_cast<int>(dnnl::cpu_isa::avx512_core)) return "avx512_vnni";
      throw Error(ExitCode::bad_input, "this processor has no AVX2 (or DNNL_MAX_CPU_ISA hides it): Crossgrid needs it");
  }
}

/// Checks what the user's environment allows this process: a level set from within it would override that.
void check_environment(const Level& wanted) {
  for (const char* const name : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr) continue;
    std::string text(value);
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const Level* const most = text.starts_with("AVX2")      ? &levels[0]
                              : text == "AVX512_CORE"       ? &levels[1]
                              : text.starts_with("AVX512_") ? &levels[2]
                                                            : nullptr;
    if (most == nullptr || &wanted <= most) return;
    throw Error(ExitCode::bad_input, std::string("instruction-set level ") + wanted.name + " is asked for, but " +
                                         name + "=" + value + " allows " + most->name + " at most");
  }
}

}  // namespace

const std::vector<std::string>& instruction_sets() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Level& level : levels) all.emplace_back(level.name);
    return all;
  }();
  return names;
}

NumericClass host_numeric_class() {
  const dnnl_version_t* version = dnnl_version();
  return {"host", effective_level(),
          std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch)};
}

bool IntegerProduct::exact(int largest_input, int largest_weight, int rows) {
  if (largest_input > 255 || largest_weight > 127) return false;
  const std::int64_t largest = std::int64_t{largest_input} * largest_weight;
  if (largest * rows > std::numeric_limits<std::int32_t>::max()) return false;
  return 2 * largest <= std::numeric_limits<std::int16_t>::max() || effective_level() == "avx512_vnni";
}

void pin_instruction_set(const std::string& isa) {
  if (isa.empty()) return;
  const auto* level = std::find_if(std::begin(levels), std::end(levels), [&](const Level& l) { return isa == l.name; });
  if (level == std::end(levels)) {
    throw Error(ExitCode::usage, "unknown instruction-set level '" + isa + "' (known: avx2, avx512, avx512_vnni)");
  }
  check_environment(*level);
  const bool pinned = dnnl::set_max_cpu_isa(level->isa) == dnnl::status::success;
  const std::string found = effective_level();
  if (found == isa) return;
  throw Error(ExitCode::bad_input,
              "instruction-set level " + isa + " is asked for, but " +
                  (pinned ? "this processor has only " + found : "products of this process already run at " + found));
}

}  // namespace crossgrid
