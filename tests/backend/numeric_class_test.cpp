#include "crossgrid/backend/numeric_class.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

/// Each in a process of its own: the level is fixed once.
[[noreturn]] void pin_and_leave(const std::string& isa) {
  try {
    pin_instruction_set(isa);
    std::exit(host_numeric_class().isa == isa ? 0 : 9);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::exit(static_cast<int>(error.code()));
  }
}

TEST(NumericClass, IsWrittenAndReadBack) {
  const NumericClass here = host_numeric_class();
  EXPECT_EQ(NumericClass::from_text(here.text()), here);
  EXPECT_EQ(here.backend, "host");
  EXPECT_NE(std::ranges::find(instruction_sets(), here.isa), instruction_sets().end());
  const NumericClass one{"host", "avx2", "2.6.3"};
  EXPECT_EQ(one.text(), "host/avx2/onednn-2.6.3");
  for (const char* wrong : {"", "host", "host/avx2", "host/sse/onednn-2.6.3", "host/avx2/2.6.3"}) {
    EXPECT_THROW(NumericClass::from_text(wrong), Error) << wrong;
  }
}

TEST(NumericClassDeathTest, PinsALowerLevel) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(pin_and_leave("avx2"), testing::ExitedWithCode(0), "");
}

TEST(NumericClassDeathTest, RefusesWhatItDoesNotKnowOrHave) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(pin_and_leave("avx1024"), testing::ExitedWithCode(2), "unknown instruction-set level 'avx1024'");
  const auto fixed = [] {
    host_numeric_class();  // from now on nothing else can be chosen
    pin_and_leave(host_numeric_class().isa == "avx2" ? "avx512" : "avx2");
  };
  EXPECT_EXIT(fixed(), testing::ExitedWithCode(4), "is asked for, but");
}

TEST(NumericClassDeathTest, KeepsToWhatTheEnvironmentAllows) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto under = [](const char* name, const char* value, const std::string& isa) {
    ::setenv(name, value, 1);
    pin_and_leave(isa);
  };
  EXPECT_EXIT(under("DNNL_MAX_CPU_ISA", "AVX2", "avx512_vnni"), testing::ExitedWithCode(4),
              "avx512_vnni is asked for, but DNNL_MAX_CPU_ISA=AVX2 allows avx2 at most");
  EXPECT_EXIT(under("ONEDNN_MAX_CPU_ISA", "avx512_core", "avx512_vnni"), testing::ExitedWithCode(4),
              "ONEDNN_MAX_CPU_ISA=avx512_core allows avx512 at most");
  EXPECT_EXIT(under("DNNL_MAX_CPU_ISA", "AVX512_CORE_BF16", "avx2"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(under("DNNL_MAX_CPU_ISA", "ALL", "avx2"), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace crossgrid
