#include "crossgrid/app/inference_runner.hpp"

#include <chrono>
#include <optional>

#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/folder_lock.hpp"
#include "crossgrid/sweep/range_folder.hpp"

namespace crossgrid {

std::string InferenceJob::to_text() const {
  return Json{{"sweep", sweep}, {"sweep_path", sweep_path}, {"numeric_class", numeric_class.text()}, {"ranges", ranges}}
      .dump();
}

InferenceJob InferenceJob::from_text(const std::string& text) {
  const Json json = parse_json(text, "job");
  return {json.at("sweep"), json.at("sweep_path"), NumericClass::from_text(json.at("numeric_class")),
          json.at("ranges")};
}

namespace {

/// All that calibrated ranges follow from but the hardware.
Id128 calibration_facts(const SweepContext& context, const CalibrationPlan& plan) {
  const Preprocess& preprocess = context.network.preprocess;
  return hash_text(Json{{"network", context.network.content.hex()},
                        {"scale", preprocess.scale},
                        {"mean", preprocess.mean},
                        {"std", preprocess.std},
                        {"images", context.calibration->content().hex()},
                        {"first", plan.first},
                        {"count", plan.count},
                        {"method", method_name(plan.fit)},
                        {"percentile", plan.percentile},
                        {"numeric_class", host_numeric_class().text()},
                        {"physics_version", physics_version},
                        {"program", version_number()}}
                       .dump());
}

CalibrationPlan plan_with_store(const SweepContext& context, const std::string& folder) {
  CalibrationPlan plan = context.calibration_plan();
  if (!plan.data || folder.empty()) return plan;
  const ProcessIdentity process = this_process();
  plan.store =
      std::make_shared<RangeFolder>(posix_files(), folder, calibration_facts(context, plan),
                                    matrix_layers(context.network), process.host + "-" + std::to_string(process.pid));
  return plan;
}

class InferenceRunner : public UnitRunner {
 public:
  InferenceRunner(const InferenceJob& job, int threads)
      : context_(load_sweep_context(parse_sweep(job.sweep, job.sweep_path))),
        engine_(context_.network, context_.test, plan_with_store(context_, job.ranges), threads) {}

  UnitResult run(const Unit& unit, const std::function<void()>& heartbeat) override {
    const auto start = std::chrono::steady_clock::now();
    if (!point_ || point_->index != unit.point) point_ = context_.grid.point(unit.point);
    InferenceRequest request;
    request.hardware = point_->hardware;
    request.seed = context_.sweep.seed;
    request.trial = unit.trial;
    request.first = unit.first;
    request.count = unit.count;
    request.metrics = context_.sweep.metrics;
    UnitResult result;
    result.unit = unit;
    const auto sums = engine_.run(request, heartbeat);
    result.metrics = MetricSums(sums.begin(), sums.end());
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
  }

 private:
  SweepContext context_;
  InferenceEngine engine_;
  std::optional<Point> point_;  ///< of the last unit: consecutive units are mostly of one point
};

}  // namespace

std::unique_ptr<UnitRunner> make_inference_runner(const InferenceJob& job, int threads) {
  try {
    pin_numeric_class(job.numeric_class);
  } catch (const Error& error) {
    throw UnfitHost(ExitCode::conflict, error.what());
  }
  return std::make_unique<InferenceRunner>(job, threads);
}

}  // namespace crossgrid
