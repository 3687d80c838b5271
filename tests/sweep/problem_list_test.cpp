#include "crossgrid/sweep/problem_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ProblemList, ThrowsOneProblemAsItWas) {
  ProblemList problems;
  problems.throw_if_any();
  EXPECT_TRUE(problems.attempt([] {}));
  EXPECT_FALSE(problems.attempt([] { throw input_error("a.json: /x", "wrong"); }));
  EXPECT_EQ(message_of([&] { problems.throw_if_any(); }), "a.json: /x: wrong");
}

TEST(ProblemList, ThrowsSeveralAsAListOfAll) {
  ProblemList inner, outer;
  inner.attempt([] { throw input_error("a", "1\n  did you mean 'b'?"); });
  inner.attempt([] { throw input_error("a", "2"); });
  outer.attempt([] { throw input_error("a", "0"); });
  outer.attempt([&] { inner.throw_if_any(); });
  outer.attempt([] { throw input_error("a", "2"); });  // told already
  EXPECT_EQ(message_of([&] { outer.throw_if_any(); }), "3 problems:\n  a: 0\n  a: 1\n    did you mean 'b'?\n  a: 2");
}

TEST(ProblemList, LetsOtherErrorsPass) {
  ProblemList problems;
  EXPECT_THROW(problems.attempt([] { throw Error(ExitCode::usage, "x"); }), Error);
  EXPECT_TRUE(problems.empty());
}

TEST(SweepProblems, AreToldAllAtOnce) {
  const std::string message = message_of([] {
    sample_sweep(parse_json(R"({
      "trails": 3,
      "seed": -1,
      "calibration": {"method": "best", "percentile": 99},
      "hardware": {"adc": {"bits": 0, "model": "quantizer"}, "adc.bitz": 4, "device.on_off_ratio": 0.5},
      "layers": [{"match": "/conv1/*", "adc.bits": 99, "dac.bits": "x"}, {"adc.bits": 4}],
      "grid": {
        "dac.bits": [4, 17, 18],
        "adc.bits, dac.model": [[4, "ideal"], [5.5, "sigma_delta"]],
        "mapping": {"a": {"core.style": "balance"}, "b": {"core.weight_bits": 1}}
      }
    })",
                            "test"));
  });
  EXPECT_THAT(message, testing::StartsWith("15 problems:\n"));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 15 + 2 /* suggestions */) << message;
  for (const char* pointer :
       {"/trails", "/seed", "/calibration/method", "/hardware/adc/bits", "/hardware/adc.bitz",
        "/hardware/device.on_off_ratio", "/layers/0/adc.bits", "/layers/0/dac.bits", "/layers/1", "/grid/dac.bits/1",
        "/grid/dac.bits/2", "/grid/adc.bits, dac.model/1/0", "/grid/adc.bits, dac.model/1/1",
        "/grid/mapping/a/core.style", "/grid/mapping/b/core.weight_bits"}) {
    EXPECT_THAT(message, HasSubstr(std::string("\n  sweep.json: ") + pointer + ": ")) << message;
  }
}

TEST(GridProblems, AreToldAllAtOnce) {
  const std::string message = message_of([] {
    sample_grid(R"({
      "layers": [{"match": "/cnov1/Conv", "adc.bits": 4}, {"match": "/none", "adc.bits": 4}],
      "grid": {"core.style@/x": ["offset", "balanced"]}
    })");
  });
  EXPECT_THAT(message, testing::StartsWith("3 problems:\n"));
  EXPECT_THAT(message, HasSubstr("/layers/0/match"));
  EXPECT_THAT(message, HasSubstr("/layers/1/match"));
  EXPECT_THAT(message, HasSubstr("/grid/core.style@~1x/0"));
}

TEST(GridProblems, NameEveryReasonWithTheParametersThatCauseIt) {
  const std::string message = message_of([] {
    sample_grid(R"({
      "hardware": {"device.cell_bits": 1, "device.faults.stuck_on": 0.6,
                   "dac": {"model": "quantizer", "signed": false}},
      "layers": [{"match": "/fc1/Gemm", "dac.range": [-1, 1]}],
      "grid": {"core.style": ["balanced", "offset"], "device.faults.stuck_off": [0.4, 0.5], "device.r_min": [1e3, 1e4]}
    })");
  });
  EXPECT_THAT(message, testing::StartsWith("4 problems:\n")) << message;
  EXPECT_THAT(message, HasSubstr("layer '/conv1/Conv': core.style \"offset\" needs device.cell_bits >= 2"));
  EXPECT_THAT(message, HasSubstr("(/grid/core.style/1, /hardware/device.cell_bits)"));
  EXPECT_THAT(message, HasSubstr("(/hardware/device.faults.stuck_on, /grid/device.faults.stuck_off/1)"));
  EXPECT_THAT(message, HasSubstr("layer '/fc1/Gemm': dac.signed false"));
  EXPECT_THAT(message, HasSubstr("(/hardware/dac/signed, /layers/0/dac.range)"));
  EXPECT_THAT(message, HasSubstr("/grid/device.r_min: has no effect"));
  EXPECT_THAT(message, HasSubstr("point 4 ("));
  EXPECT_THAT(message, Not(HasSubstr("point 5 (")));  // each reason once, at its first point
}

}  // namespace
}  // namespace crossgrid
