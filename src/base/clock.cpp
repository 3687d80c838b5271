#include "crossgrid/base/clock.hpp"

#include <fmt/format.h>

#include <chrono>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

namespace {

class SystemTime : public TimeSource {
 public:
  double monotonic() const override {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  std::int64_t utc() const override {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

const TimeSource& system_time() {
  static const SystemTime time;
  return time;
}

std::string utc_text(std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds moment{std::chrono::seconds(seconds)};
  const sys_days day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss clock(moment - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int{date.year()}, unsigned{date.month()},
                     unsigned{date.day()}, clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::int64_t utc_from_text(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  bool good = text.size() == form.size();
  for (std::size_t i = 0; good && i < form.size(); ++i) good = form[i] == '0' || text[i] == form[i];
  if (good) {
    using namespace std::chrono;
    const int values[] = {number(0, 4), number(5, 2), number(8, 2), number(11, 2), number(14, 2), number(17, 2)};
    const year_month_day date{year{values[0]}, month{static_cast<unsigned>(values[1])},
                              day{static_cast<unsigned>(values[2])}};
    good = values[0] >= 0 && date.ok() && values[3] >= 0 && values[3] < 24 && values[4] >= 0 && values[4] < 60 &&
           values[5] >= 0 && values[5] < 60;
    if (good) {
      return (sys_days(date).time_since_epoch() + hours(values[3]) + minutes(values[4])) / seconds(1) + values[5];
    }
  }
  throw Error(ExitCode::bad_input, fmt::format("'{}' is not a UTC time like 2026-11-24T02:48:39Z", text.substr(0, 64)));
}

}  // namespace crossgrid
