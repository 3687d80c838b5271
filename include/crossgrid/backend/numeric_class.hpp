#pragma once

#include <string>
#include <vector>

namespace crossgrid {

/// What decides the last bits of a product: results of different classes agree to rounding only, so a sweep keeps to
/// one (design.md, "Execution on the host").
struct NumericClass {
  std::string backend = "host";
  std::string isa;     ///< avx2, avx512 or avx512_vnni
  std::string onednn;  ///< version, "2.6.3"

  /// "host/avx512/onednn-2.6.3"
  std::string text() const;
  /// Reads text() back; Error(bad_input) for anything else.
  static NumericClass from_text(const std::string& text);
  bool operator==(const NumericClass&) const = default;
};

/// The instruction-set levels, lowest first.
const std::vector<std::string>& instruction_sets();

/// The class that products of this process have. Asking fixes it: pin_instruction_set comes before.
/// Error(bad_input) on a processor without AVX2.
NumericClass host_numeric_class();

/// Limits products to an instruction-set level for the rest of the process; nothing where `isa` is empty. Must come
/// before the first product. Error(usage) for an unknown level, Error(bad_input) where this processor lacks it,
/// another one is fixed already, or ONEDNN_MAX_CPU_ISA or DNNL_MAX_CPU_ISA allows less.
void pin_instruction_set(const std::string& isa);

/// Makes the products of this process those of the class; comes before the first product. Error(conflict) naming both
/// classes where this host computes in another one.
void pin_numeric_class(const NumericClass& wanted);

}  // namespace crossgrid
