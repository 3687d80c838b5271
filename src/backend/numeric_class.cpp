#include "crossgrid/backend/numeric_class.hpp"

#include <algorithm>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {
constexpr const char* library = "onednn-";
}

std::string NumericClass::text() const {
  return backend + "/" + isa + "/" + library + onednn;
}

NumericClass NumericClass::from_text(const std::string& text) {
  const auto first = text.find('/');
  const auto second = text.find(std::string("/") + library, first == std::string::npos ? first : first + 1);
  if (first != std::string::npos && second != std::string::npos) {
    NumericClass read{text.substr(0, first), text.substr(first + 1, second - first - 1),
                      text.substr(second + 1 + std::string(library).size())};
    const auto& known = instruction_sets();
    if (std::find(known.begin(), known.end(), read.isa) != known.end() && read.text() == text) return read;
  }
  throw Error(ExitCode::bad_input, "'" + text + "' is no numeric class (expected e.g. host/avx512/onednn-2.6.3)");
}

void pin_numeric_class(const NumericClass& wanted) {
  std::string here;
  try {
    pin_instruction_set(wanted.isa);
    const NumericClass found = host_numeric_class();
    if (found == wanted) return;
    here = "computes with " + found.text();
  } catch (const Error& error) {
    here = std::string("can't: ") + error.what();
  }
  throw Error(ExitCode::conflict, "the sweep's results are computed with " + wanted.text() + ", but this host " + here +
                                      "; the last bits would differ");
}

}  // namespace crossgrid
