#include "crossgrid/app/commands.hpp"
#include "crossgrid/app/inference_runner.hpp"
#include "crossgrid/engine/executor_process.hpp"

namespace crossgrid {

int executor_command(const Arguments& arguments) {
  return run_executor_process(arguments, [](const std::string& job) {
    return make_inference_runner(InferenceJob::from_text(job), executor_threads_from_environment());
  });
}

}  // namespace crossgrid
