#include "crossgrid/app/budget_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "crossgrid/base/json.hpp"

namespace crossgrid {

namespace {

std::string text_of(const Estimate& estimate) {
  return fmt::format("{:+.4f} +- {:.4f}", estimate.mean, estimate.error);
}

void print_rows(std::string& text, const char* what, const std::vector<BudgetRow>& rows) {
  std::size_t width = std::string_view(what).size();
  for (const BudgetRow& row : rows) width = std::max(width, row.name.size());
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<{}}  {:^42}  {:^42}\n", "", width, "switched off, all else on", "switched on, all else off");
  fmt::format_to(out, "{:<{}}  {:>7}  {:>18}  {:>13}  {:>7}  {:>18}  {:>13}\n", what, width, "top1", "gain",
                 "layer error", "top1", "loss", "layer error");
  for (const BudgetRow& row : rows) {
    fmt::format_to(out, "{:<{}}  {:>7.4f}  {:>18}  {:>13.4g}  {:>7.4f}  {:>18}  {:>13.4g}{}\n", row.name, width,
                   row.off.top1, text_of(row.gain), row.off.layer_error, row.alone.top1, text_of(row.drop),
                   row.alone.layer_error, row.parameters.empty() ? "" : "  " + row.parameters);
  }
}

/// Not-finite numbers are empty fields.
std::string csv_number(double value) {
  return std::isfinite(value) ? shortest_number(value) : "";
}

void add_csv_row(std::string& csv, const char* kind, const std::string& name, const BudgetRow& row) {
  const std::string quoted = name.find_first_of(",\"") == std::string::npos ? name : Json(name).dump();
  csv += fmt::format("{},{},{}", kind, quoted, row.parameters);
  for (const double value : {row.off.top1, row.gain.mean, row.gain.error, row.off.loss, row.off.layer_error,
                             row.alone.top1, row.drop.mean, row.drop.error, row.alone.loss, row.alone.layer_error}) {
    csv += "," + csv_number(value);
  }
  csv += '\n';
}

}  // namespace

std::string budget_text(const ErrorBudget& budget) {
  std::string text = fmt::format("{} images, {} {}\n\n", budget.images, budget.trials,
                                 budget.trials == 1 ? "chip" : "chips: the same ones in every run");
  const auto out = std::back_inserter(text);
  const auto line = [&](const char* what, const BudgetScore& score, const std::string& end) {
    fmt::format_to(out, "{:<24}top1 {:.4f}  loss {:.4g} nat  layer error {:.4g}{}\n", what, score.top1, score.loss,
                   score.layer_error, end);
  };
  line("floating-point network", budget.floating, "");
  if (budget.rows.empty()) {
    line("this point", budget.point, "");
    return text + "\nNothing is active at this point: ideal arrays, which compute what the network does.\n";
  }
  line("everything off", budget.ideal, "");
  line("this point", budget.point, "  lost top1 " + text_of(budget.drop));
  text += '\n';
  print_rows(text, "non-ideality", budget.rows);
  fmt::format_to(out, "\nlosses alone sum up to {:+.4f}; interaction {} (positive: together they cost more)\n",
                 budget.drop.mean - budget.interaction.mean, text_of(budget.interaction));
  if (!budget.layers.empty()) {
    text += "\nall non-idealities of one layer\n";
    print_rows(text, "layer", budget.layers);
  }
  return text + "(+-: standard error of the paired difference over images and chips)\n";
}

std::string budget_csv(const ErrorBudget& budget) {
  std::string csv =
      "kind,name,parameters,off.top1,gain,gain.error,off.loss,off.layer_error,alone.top1,drop,drop.error,alone.loss,"
      "alone.layer_error\n";
  // Everything off: the floating-point network. Everything on: the point.
  add_csv_row(csv, "point", "all", {"", "", budget.floating, budget.point, budget.drop, budget.drop});
  for (const BudgetRow& row : budget.rows) add_csv_row(csv, "non-ideality", row.name, row);
  for (const BudgetRow& row : budget.layers) add_csv_row(csv, "layer", row.name, row);
  return csv;
}

}  // namespace crossgrid
