#include "crossgrid/app/output_request.hpp"

#include "crossgrid/base/version.hpp"

namespace crossgrid {

DatabaseRequest database_request(const SweepContext& context, const std::string& next_command) {
  DatabaseRequest request;
  request.name = context.sweep.name;
  request.metrics = context.sweep.metrics;
  request.images = {context.first_image, context.image_count};
  request.dataset_split = context.sweep.dataset_split;
  request.dataset_path = context.sweep.dataset_path;
  request.next_command = next_command;
  for (const ExpectedValue& expected : context.sweep.expected) {
    request.expected.push_back(
        {expected.entry, expected.column, expected.value, expected.tolerance, context.grid.matches(expected.where)});
  }
  if (context.sweep.bisect) {
    request.crossings = [plan = round_plan(context)](const RecordedWork& work) { return plan.crossings(work); };
  }
  return request;
}

OutputRequest output_request(const SweepContext& context, const std::string& folder, const std::string& numeric_class,
                             const std::string& next_command, bool extend) {
  OutputRequest request;
  request.path = folder;
  request.header.program = version_number();
  request.header.commit = version_commit();
  request.header.host = this_process().host;
  request.header.backend = "host";
  request.header.numeric_class = numeric_class;
  request.header.seed = context.sweep.seed;
  request.header.network = context.network.content.hex();
  request.header.dataset = context.test->content().hex();
  if (context.calibration) request.header.calibration = context.calibration->content().hex();
  if (context.ranges) request.header.calibration = context.ranges->content.hex();
  request.header.first_image = context.first_image;
  request.header.images = context.image_count;
  request.header.sweep = context.sweep.resolved;
  request.points = point_table(ChosenPoints(context.grid));
  if (context.sweep.in_rounds()) {
    request.chosen = [plan = round_plan(context)](const RecordedWork& work) {
      return point_table(plan.choose(work).points);
    };
  }
  request.parameters_of = [&grid = context.grid](std::uint64_t index) { return grid.resolved(index); };
  request.database = database_request(context, next_command);
  request.extend = extend;
  return request;
}

}  // namespace crossgrid
