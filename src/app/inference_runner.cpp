#include "crossgrid/app/inference_runner.hpp"

#include <chrono>
#include <optional>

#include "crossgrid/app/sweep_context.hpp"
#include "crossgrid/backend/numeric_class.hpp"
#include "crossgrid/engine/executor_process.hpp"

namespace crossgrid {

std::string InferenceJob::to_text() const {
  return Json{{"sweep", sweep}, {"sweep_path", sweep_path}, {"isa", isa}}.dump();
}

InferenceJob InferenceJob::from_text(const std::string& text) {
  const Json json = parse_json(text, "job");
  return {json.at("sweep"), json.at("sweep_path"), json.at("isa")};
}

namespace {

class InferenceRunner : public UnitRunner {
 public:
  explicit InferenceRunner(const InferenceJob& job)
      : context_(load_sweep_context(parse_sweep(job.sweep, job.sweep_path))),
        engine_(context_.network, context_.test, context_.calibration_plan(), executor_threads_from_environment()) {}

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
    result.metrics = engine_.run(request, heartbeat);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
  }

 private:
  SweepContext context_;
  InferenceEngine engine_;
  std::optional<Point> point_;  ///< of the last unit: consecutive units are mostly of one point
};

}  // namespace

std::unique_ptr<UnitRunner> make_inference_runner(const std::string& job_text) {
  const InferenceJob job = InferenceJob::from_text(job_text);
  pin_instruction_set(job.isa);
  return std::make_unique<InferenceRunner>(job);
}

}  // namespace crossgrid
