#include "crossgrid/engine/failpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crossgrid/base/error.hpp"

namespace crossgrid {
namespace {

using testing::HasSubstr;

struct Failpoint : testing::Test {
  ~Failpoint() override { arm_failpoints(""); }
};

std::string refusal(const std::string& text) {
  try {
    arm_failpoints(text);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
}

TEST_F(Failpoint, DoesNothingUnarmed) {
  for (const FailpointName& name : failpoint_names()) failpoint(name.name);
}

TEST_F(Failpoint, EveryNameCanBeArmedAndFires) {
  for (const FailpointName& name : failpoint_names()) {
    arm_failpoints(std::string(name.name) + "=error");
    EXPECT_THROW(failpoint(name.name), Error) << name.name;
  }
}

TEST_F(Failpoint, FiresAtThePassageThatIsNamedOnly) {
  arm_failpoints("executor.after_start=error@3;worker.before_forward=delay(1)");
  EXPECT_NO_THROW(failpoint("executor.after_start"));
  EXPECT_NO_THROW(failpoint("executor.after_start"));
  EXPECT_THROW(failpoint("executor.after_start"), Error);
  EXPECT_NO_THROW(failpoint("executor.after_start"));
  EXPECT_NO_THROW(failpoint("worker.before_forward"));
}

TEST_F(Failpoint, KillsAbortsAndExits) {
  arm_failpoints("executor.after_start=kill");
  EXPECT_EXIT(failpoint("executor.after_start"), testing::KilledBySignal(9), "");
  arm_failpoints("executor.after_start=abort");
  EXPECT_EXIT(failpoint("executor.after_start"), testing::KilledBySignal(6), "");
  arm_failpoints("executor.after_start=exit(7)");
  EXPECT_EXIT(failpoint("executor.after_start"), testing::ExitedWithCode(7), "");
}

TEST_F(Failpoint, RefusesWhatIsUnknown) {
  EXPECT_THAT(refusal("executor.befor_result=kill"), HasSubstr("executor.before_result"));
  EXPECT_THAT(refusal("executor.after_start=explode"), HasSubstr("unknown action 'explode'"));
  EXPECT_THAT(refusal("executor.after_start"), HasSubstr("expected name=action"));
  EXPECT_THAT(refusal("executor.after_start=kill@soon"), HasSubstr("'soon' is not a number"));
  EXPECT_THAT(refusal("executor.after_start=delay(5"), HasSubstr("parenthesis"));
  EXPECT_THAT(refusal("executor.after_start=kill@1/0"), HasSubstr("one in 0"));
}

}  // namespace
}  // namespace crossgrid
