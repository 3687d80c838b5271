#include "crossgrid/app/inference_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crossgrid {
namespace {

using testing::HasSubstr;

TEST(InferenceRunner, RefusesANumericClassThatThisHostCanNotCompute) {
  InferenceJob job;
  job.numeric_class = host_numeric_class();
  job.numeric_class.onednn = "99.0.1";
  try {
    make_inference_runner(InferenceJob::from_text(job.to_text()), 1);
    FAIL() << "no error";
  } catch (const UnfitHost& error) {  // not of the whole run: other hosts may
    EXPECT_EQ(error.code(), ExitCode::conflict);
    EXPECT_THAT(error.what(), HasSubstr("computed with " + job.numeric_class.text()));
    EXPECT_THAT(error.what(), HasSubstr("this host computes with " + host_numeric_class().text()));
  }
}

}  // namespace
}  // namespace crossgrid
