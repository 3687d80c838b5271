#include "crossgrid/base/clock.hpp"

#include <gtest/gtest.h>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

// Pairs from `date -u -d @N`.
TEST(UtcText, IsIso8601) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(951782400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(utc_text(1795488519), "2026-11-24T02:48:39Z");
}

TEST(UtcText, ReadsBack) {
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{951782400}, std::int64_t{1795488519}}) {
    EXPECT_EQ(utc_from_text(utc_text(seconds)), seconds);
  }
}

TEST(UtcText, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026-11-24", "2026-11-24 02:48:39Z", "2026-13-24T02:48:39Z", "2026-02-30T02:48:39Z",
        "2026-11-24T24:48:39Z", "2026-11-24T02:60:39Z", "2026-11-24T02:48:39", "2026-11-2xT02:48:39Z"}) {
    EXPECT_THROW(utc_from_text(text), Error) << text;
  }
}

TEST(SystemTime, MonotonicNeverGoesBack) {
  const double before = system_time().monotonic();
  EXPECT_GE(system_time().monotonic(), before);
  EXPECT_GT(system_time().utc(), 1'700'000'000);
}

}  // namespace
}  // namespace crossgrid
