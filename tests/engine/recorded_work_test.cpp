#include "crossgrid/engine/recorded_work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "crossgrid/base/error.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> both{"top1", "loss"};
const std::vector<std::string> only_top1{"top1"};
const ImageSpan whole{0, 200};

UnitRecord record(const UnitResult& result, const std::string& host = "alpha") {
  return {sample_id(result.unit.point), result, host};
}

UnitResult without_loss(UnitResult result) {
  result.metrics.erase("loss");
  return result;
}

TEST(RecordedWork, NothingRecordedIsAllMissing) {
  EXPECT_THAT(RecordedWork().missing(sample_id(0), 0, whole, both), ElementsAre(whole));
  EXPECT_FALSE(RecordedWork().trial(sample_id(0), 0, whole, both).settled);
}

TEST(RecordedWork, MissingIsWhatNoRecordCovers) {
  RecordedWork work;
  work.add(record(sample_result(0, 0, 50, 30)));
  work.add(record(sample_result(0, 0, 120, 80)));
  EXPECT_THAT(work.missing(sample_id(0), 0, whole, both), ElementsAre(ImageSpan{0, 50}, ImageSpan{80, 40}));
  EXPECT_THAT(work.missing(sample_id(0), 1, whole, both), ElementsAre(whole));
  EXPECT_THAT(work.missing(sample_id(1), 0, whole, both), ElementsAre(whole));
}

TEST(RecordedWork, ARecordWithoutAMetricDoesNotCoverIt) {
  RecordedWork work;
  work.add(record(without_loss(sample_result(0, 0, 0, 200))));
  EXPECT_THAT(work.missing(sample_id(0), 0, whole, only_top1), IsEmpty());
  EXPECT_THAT(work.missing(sample_id(0), 0, whole, both), ElementsAre(whole));
  EXPECT_TRUE(work.trial(sample_id(0), 0, whole, only_top1).done);
  EXPECT_FALSE(work.trial(sample_id(0), 0, whole, both).done);
  // The same unit again, now with it.
  work.add(record(sample_result(0, 0, 0, 200)));
  EXPECT_TRUE(work.trial(sample_id(0), 0, whole, both).done);
  EXPECT_EQ(work.duplicates(), 0u);
}

TEST(RecordedWork, FailedImagesAreNotMissingUntilAskedFor) {
  RecordedWork work;
  work.add(record(sample_result(0, 0, 0, 100)));
  UnitResult failure = sample_failure(0, 0, 100, 50);
  failure.signal = 11;
  failure.log = "its last line";
  work.add(record(failure));
  EXPECT_THAT(work.missing(sample_id(0), 0, whole, both), ElementsAre(ImageSpan{150, 50}));
  EXPECT_THAT(work.missing(sample_id(0), 0, whole, both, true), ElementsAre(ImageSpan{100, 100}));
  EXPECT_FALSE(work.trial(sample_id(0), 0, whole, both).settled);
  work.add(record(sample_result(0, 0, 150, 50)));
  const TrialState state = work.trial(sample_id(0), 0, whole, both);
  EXPECT_TRUE(state.settled);
  EXPECT_FALSE(state.done);
  ASSERT_EQ(state.failed.size(), 1u);
  EXPECT_EQ(state.failed[0].images, (ImageSpan{100, 50}));
  EXPECT_EQ(state.failed[0].attempts, 3u);
  EXPECT_EQ(state.failed[0].host, "alpha");
  EXPECT_EQ(state.failed[0].signal, 11);
  EXPECT_EQ(state.failed[0].log, "its last line");
}

TEST(RecordedWork, ALaterResultHealsAFailureInWhateverOrder) {
  for (const bool failure_first : {true, false}) {
    RecordedWork work;
    if (failure_first) work.add(record(sample_failure(0, 0, 0, 200)));
    work.add(record(sample_result(0, 0, 0, 200)));
    if (!failure_first) work.add(record(sample_failure(0, 0, 0, 200)));
    const TrialState state = work.trial(sample_id(0), 0, whole, both);
    EXPECT_TRUE(state.done);
    EXPECT_THAT(state.failed, IsEmpty());
  }
}

TEST(RecordedWork, AFailureRetriedInOtherCutsIsHealedPieceByPiece) {
  RecordedWork work;
  work.add(record(sample_failure(0, 0, 0, 200)));
  work.add(record(sample_result(0, 0, 50, 100)));
  const TrialState state = work.trial(sample_id(0), 0, whole, both);
  ASSERT_EQ(state.failed.size(), 2u);
  EXPECT_EQ(state.failed[0].images, (ImageSpan{0, 50}));
  EXPECT_EQ(state.failed[1].images, (ImageSpan{150, 50}));
}

TEST(RecordedWork, ProgressIsWhatATrialComesTo) {
  const auto not_finite = [](UnitResult result, const std::string& metric) {
    result.metrics[metric].not_finite = 1;
    return result;
  };
  const std::vector<std::vector<UnitResult>> cases{
      {},
      {sample_result(0, 0, 0, 200)},
      {sample_result(0, 0, 0, 100)},
      {sample_result(0, 0, 0, 100), sample_result(0, 0, 100, 100)},
      {sample_result(0, 0, 0, 300)},
      {without_loss(sample_result(0, 0, 0, 200))},
      {not_finite(sample_result(0, 0, 0, 200), "top1")},
      {not_finite(sample_result(0, 0, 0, 200), "loss")},
      {not_finite(sample_result(0, 0, 0, 100), "loss"), sample_result(0, 0, 100, 100)},
      {sample_failure(0, 0, 0, 200)},
      {sample_failure(0, 0, 0, 100)},
      {sample_failure(0, 0, 0, 100), sample_result(0, 0, 100, 100)},
      {sample_failure(0, 0, 0, 200), sample_result(0, 0, 0, 200)},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    RecordedWork work;
    work.add(record(sample_result(0, 1, 0, 200)));
    for (const UnitResult& result : cases[i]) work.add(record(result));
    for (const auto& metrics : {both, only_top1}) {
      const TrialState state = work.trial(sample_id(0), 0, whole, metrics);
      const TrialProgress progress = work.progress(sample_id(0), 0, whole, metrics);
      EXPECT_EQ(progress.done, state.done) << i;
      EXPECT_EQ(progress.settled, state.settled) << i;
      const bool finite = std::all_of(state.metrics.begin(), state.metrics.end(),
                                      [](const auto& metric) { return metric.second.not_finite == 0; });
      EXPECT_EQ(progress.finite, finite) << i;
      EXPECT_EQ(work.missing(sample_id(0), 0, whole, metrics, true).empty(), state.done) << i;
    }
  }
}

TEST(RecordedWork, FindsPointsInWhateverOrder) {
  RecordedWork work, other;
  std::vector<std::uint64_t> order(500);
  for (std::uint64_t i = 0; i < order.size(); ++i) order[i] = i;
  for (const std::uint64_t point : order) {
    work.add(record(sample_result(point, 0, 0, 200)));
    if (point % 3 == 0) other.add(record(sample_result(point, 0, 0, 200)));
  }
  std::mt19937 random(1);
  for (int round = 0; round < 3; ++round) {
    for (const std::uint64_t point : order) {
      EXPECT_EQ(work.point_number(sample_id(point)), point);
      EXPECT_EQ(other.has_point(sample_id(point)), point % 3 == 0);
      EXPECT_FALSE(work.has_point(sample_id(point + 1000)));
    }
    std::shuffle(order.begin(), order.end(), random);
  }
}

TEST(RecordedWork, EqualRecordsCountOnce) {
  RecordedWork work;
  for (int i = 0; i < 3; ++i) work.add(record(sample_result(0, 0, 0, 200)));
  EXPECT_EQ(work.records(), 3u);
  EXPECT_EQ(work.duplicates(), 2u);
  EXPECT_EQ(work.trial(sample_id(0), 0, whole, both).metrics.at("top1"), sample_metric(0, 0, 0, 200));
}

TEST(RecordedWork, UnequalRecordsOfOneUnitNameBothHosts) {
  RecordedWork work;
  work.add(record(sample_result(0, 0, 0, 200), "alpha"));
  UnitResult other = sample_result(0, 0, 0, 200);
  other.metrics["loss"].sum += 1;
  try {
    work.add(record(other, "beta"));
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("'alpha'"), std::string::npos) << text;
    EXPECT_NE(text.find("'beta'"), std::string::npos) << text;
    EXPECT_NE(text.find("unequal loss"), std::string::npos) << text;
    EXPECT_NE(text.find("images 0 to 199"), std::string::npos) << text;
  }
}

TEST(RecordedWork, SumsDoNotDependOnHowImagesWereCut) {
  const MetricSum expected = sample_metric(0, 0, 0, 200);
  for (const std::uint32_t size : {1u, 7u, 64u, 200u}) {
    RecordedWork work;
    for (std::uint32_t first = 0; first < 200; first += size) {
      work.add(record(sample_result(0, 0, first, std::min(size, 200 - first))));
    }
    EXPECT_EQ(work.trial(sample_id(0), 0, whole, both).metrics.at("top1"), expected);
  }
}

/// The most images that disjoint ones of `spans` cover, by trying all subsets.
std::uint64_t most_covered(const std::vector<ImageSpan>& spans) {
  std::uint64_t best = 0;
  for (std::size_t subset = 0; subset < (std::size_t{1} << spans.size()); ++subset) {
    std::vector<bool> taken(30, false);
    std::uint64_t count = 0;
    bool disjoint = true;
    for (std::size_t i = 0; i < spans.size() && disjoint; ++i) {
      if ((subset >> i & 1) == 0) continue;
      for (std::uint64_t image = spans[i].first; image < spans[i].end(); ++image) {
        disjoint = disjoint && !taken[image];
        taken[image] = true;
        ++count;
      }
    }
    if (disjoint) best = std::max(best, count);
  }
  return best;
}

TEST(RecordedWork, OverlappingCutsCoverAsMuchAsTheyCanInAnyOrder) {
  std::mt19937 random(7);
  const ImageSpan images{0, 24};
  int overlapping = 0, complete = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<ImageSpan> spans;
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t first = random() % 6 * 4;
      const std::uint64_t count = 4 * (1 + random() % 3);
      const ImageSpan span{first, count};
      if (span.end() <= images.end() && std::find(spans.begin(), spans.end(), span) == spans.end())
        spans.push_back(span);
    }
    std::vector<std::vector<ImageSpan>> answers;
    for (int order = 0; order < 3; ++order) {
      std::shuffle(spans.begin(), spans.end(), random);
      RecordedWork work;
      for (const ImageSpan& span : spans) {
        work.add(record(sample_result(0, 0, span.first, static_cast<std::uint32_t>(span.count))));
      }
      answers.push_back(work.missing(sample_id(0), 0, images, both));
      std::uint64_t missing = 0;
      for (const ImageSpan& gap : answers.back()) missing += gap.count;
      ASSERT_EQ(images.count - missing, most_covered(spans));
      const TrialState state = work.trial(sample_id(0), 0, images, both);
      ASSERT_EQ(state.done, missing == 0);
      if (state.done) {
        ASSERT_EQ(state.metrics.at("loss"), sample_metric(0, 0, 0, images.count, 1));
      }
      complete += state.done ? 1 : 0;
    }
    ASSERT_EQ(answers[0], answers[1]);
    ASSERT_EQ(answers[0], answers[2]);
    std::uint64_t sum = 0;
    for (const ImageSpan& span : spans) sum += span.count;
    overlapping += sum > images.count ? 1 : 0;
  }
  EXPECT_GT(overlapping, 200);
  EXPECT_GT(complete, 50);
}

}  // namespace
}  // namespace crossgrid
