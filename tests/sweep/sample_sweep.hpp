#pragma once

#include <string>

#include "crossgrid/base/error.hpp"
#include "crossgrid/sweep/grid.hpp"

/// A small sweep and network for tests.
namespace crossgrid {

inline GridContext sample_context() {
  GridContext context;
  context.layers = {
      {0, "/conv1/Conv", 9, 8, 64, true}, {2, "/conv2/Conv", 72, 16, 64, true}, {6, "/fc1/Gemm", 256, 10, 1, false}};
  context.network = hash_text("network");
  context.dataset = hash_text("test images");
  context.calibration_data = hash_text("train images");
  context.test_images = 500;
  context.calibration_images = 1000;
  return context;
}

/// A sweep with these members ("hardware", "grid", ...) beside the required ones.
inline SweepFile sample_sweep(Json members = Json::object(), const SweepOverrides& overrides = {}) {
  Json document{{"network", "net.json"}, {"dataset", {{"path", "data"}}}};
  document.update(members);
  return parse_sweep(document, "sweep.json", overrides);
}

inline Grid sample_grid(const std::string& members) {
  return {sample_sweep(parse_json(members, "test")), sample_context()};
}

template <class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace crossgrid
