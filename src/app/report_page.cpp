#include "crossgrid/app/report_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "crossgrid/app/html_text.hpp"
#include "crossgrid/app/report_data.hpp"
#include "crossgrid/app/work_estimate.hpp"
#include "crossgrid/base/version.hpp"
#include "crossgrid/engine/pareto.hpp"
#include "crossgrid/engine/table_output.hpp"

namespace crossgrid {

namespace {

constexpr std::size_t most_lines = 7;          ///< of a plot: as many as there are colours
constexpr std::size_t most_line_values = 400;  ///< along a plot
constexpr std::size_t most_cell_values = 40;   ///< along a side of a heat map
constexpr std::size_t most_heat_axes = 4;      ///< of which each pair gets a heat map
constexpr std::size_t most_plots = 200;        ///< of a section
constexpr std::size_t most_front_rows = 50;
constexpr std::size_t most_axis_values = 12;  ///< told one by one in the overview

constexpr const char* style = R"(
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;margin:0 auto;max-width:1200px;padding:0 24px 60px}
h1{font-size:26px;margin:28px 0 4px}h2{font-size:20px;margin:40px 0 10px;border-bottom:1px solid #ddd;padding-bottom:4px}
h3{font-size:16px;margin:24px 0 6px}nav a{margin-right:16px}a{color:#0060a0}p{margin:6px 0}
table{border-collapse:collapse;margin:8px 0;font-size:14px}th,td{text-align:left;padding:3px 14px 3px 0;
border-bottom:1px solid #eee;vertical-align:top;overflow-wrap:break-word}th{font-weight:600}.plots{display:flex;flex-wrap:wrap;gap:18px 28px}figure{margin:0;max-width:100%}
figcaption{color:#555;font-size:13px;max-width:560px}svg{max-width:100%;height:auto;font:12px system-ui,sans-serif}
.soft{color:#666}.met{color:#00684a;font-weight:600}.missed{color:#a63603;font-weight:600}.open{color:#666;font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:8px;margin:4px 0;font-size:13px}
)";

/// A member as text: words as they are, all else as JSON; empty where it is missing. What comes from files may be
/// anything.
std::string told(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) return "";
  const Json& member = object.at(name);
  if (member.is_string()) return member.get<std::string>();
  if (member.is_number_float()) return fmt::format("{:.6g}", member.get<double>());
  return member.is_null() ? "" : member.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& member(const Json& object, const char* name) {
  static const Json none;
  return object.is_object() && object.contains(name) ? object.at(name) : none;
}

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", html_text(name), html_text(value));
}

/// A row where there is something to tell.
std::string optional_row(const std::string& name, const std::string& value) {
  return value.empty() ? "" : row(name, value);
}

/// Long names of columns may be broken at their dots.
std::string head_row(const std::vector<std::string>& names) {
  std::string text = "<tr>";
  for (const std::string& name : names) {
    text += "<th>";
    for (const char c : html_text(name)) text += c == '.' ? ".<wbr>" : std::string(1, c);
    text += "</th>";
  }
  return text + "</tr>\n";
}

std::string cells_row(const std::vector<std::string>& cells) {
  std::string text = "<tr>";
  for (const std::string& cell : cells) text += fmt::format("<td>{}</td>", html_text(cell));
  return text + "</tr>\n";
}

/// "adc.bits=4, mapping=balanced" of an object.
std::string axes_text(const Json& axes) {
  std::string text;
  if (!axes.is_object()) return text;
  for (const auto& item : axes.items()) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", item.key(), told(axes, item.key().c_str()));
  }
  return text;
}

class Page {
 public:
  Page(const DatabaseFile& file, const DatabaseTable* crossings, const Json& summary, const Json& sweep,
       const std::string& pareto)
      : file_(file),
        crossings_(crossings),
        summary_(summary),
        sweep_(sweep),
        table_(file.read(columns_needed(file, pareto))),
        data_(file.axes(), file.metrics(), table_),
        objectives_(pareto.empty() ? usual_objectives() : parse_objectives(pareto)) {}

  std::string text() const {
    std::string name = told(file_.meta(), "sweep");
    if (name.empty()) name = "results";
    std::string page = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>{0}: Crossgrid report</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n",
        html_text(name), style);
    page += fmt::format("<p class=\"soft\">{}</p>\n", html_text(told(sweep_, "about")));
    page += "<nav><a href=\"#overview\">Overview</a><a href=\"#expected\">Expected values</a>";
    if (crossings_) page += "<a href=\"#crossings\">Crossings</a>";
    page +=
        "<a href=\"#axes\">Axes</a><a href=\"#pairs\">Pairs of axes</a><a href=\"#pareto\">Pareto front</a>"
        "<a href=\"#failures\">Failures</a><a href=\"#provenance\">Provenance</a></nav>\n";
    page += overview() + expected() + crossings() + axes() + pairs() + pareto_section() + failures() + provenance();
    return page + "</body></html>\n";
  }

 private:
  static std::vector<std::string> columns_needed(const DatabaseFile& file, const std::string& pareto) {
    std::vector<std::string> names = report_columns(file);
    for (const Objective& objective : parse_if_any(pareto)) {
      if (std::find(names.begin(), names.end(), objective.column) == names.end()) names.push_back(objective.column);
    }
    return names;
  }
  static std::vector<Objective> parse_if_any(const std::string& pareto) {
    return pareto.empty() ? std::vector<Objective>{} : parse_objectives(pareto);
  }

  static bool higher_is_better(const std::string& metric) { return metric.starts_with("top"); }

  /// The first metric against the first axis of those that cost area or energy.
  std::vector<Objective> usual_objectives() const {
    if (data_.metrics().empty()) return {};
    for (const char* name : {"adc.bits", "dac.bits", "core.slices", "core.weight_bits", "device.cell_bits"}) {
      for (const ReportAxis& axis : data_.axes()) {
        if (axis.name != name || !axis.numeric) continue;
        const std::string& metric = data_.metrics().front().name;
        return {{metric + ".mean", higher_is_better(metric)}, {axis.name, false}};
      }
    }
    return {};
  }

  std::string overview() const {
    std::string text = "<h2 id=\"overview\">Overview</h2>\n<table>\n";
    const Json& points = member(summary_, "points");
    if (points.is_object()) {
      text += row("Points", fmt::format("{} of {} done, {} failed, {} begun, {} not begun{}", told(points, "done"),
                                        told(points, "total"), told(points, "failed"), told(points, "partial"),
                                        told(points, "pending"),
                                        told(summary_, "complete") == "true" ? "" : ": the sweep is not complete"));
      text += row("Chips", fmt::format("{} done, {} failed", told(member(summary_, "trials"), "done"),
                                       told(member(summary_, "trials"), "failed")));
    } else {
      text += row("Points", grouped(table_.rows()));
    }
    const Json& images = member(file_.meta(), "images");
    text += optional_row("Test images", images.is_object() ? fmt::format("{} of split {} of {}", told(images, "count"),
                                                                         told(images, "split"), told(images, "dataset"))
                                                           : "");
    text += optional_row("Network", told(sweep_, "network"));
    text += optional_row("Trials (chips per point)", told(sweep_, "trials"));
    text += "</table>\n<h3>Axes</h3>\n<table>\n";
    for (const ReportAxis& axis : data_.axes()) text += row(axis.label, values_text(axis));
    for (const auto& [label, value] : data_.constants()) text += row(label, value);
    return text + "</table>\n" + extremes();
  }

  static std::string values_text(const ReportAxis& axis) {
    std::string text;
    const std::size_t count = axis.values.size();
    const std::size_t shown = count > most_axis_values ? 3 : count;
    for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + readable(axis.values[i]);
    if (shown < count) text += fmt::format(", ... {} ({} values)", readable(axis.values.back()), grouped(count));
    return text;
  }

  std::string extremes() const {
    const Json& metrics = member(summary_, "metrics");
    if (!metrics.is_object() || metrics.empty()) return "";
    std::string text = "<h3>Best and worst points</h3>\n<table>\n" + head_row({"Metric", "", "Mean", "Point"});
    for (const auto& item : metrics.items()) {
      for (const char* which : {"best", "worst"}) {
        const Json& point = member(item.value(), which);
        if (!point.is_object()) continue;
        text += cells_row({item.key(), which, told(point, "mean"), axes_text(member(point, "axes"))});
      }
    }
    return text + "</table>\n";
  }

  std::string expected() const {
    std::string text = "<h2 id=\"expected\">Expected values</h2>\n";
    const Json& list = member(summary_, "expected");
    if (!list.is_array() || list.empty()) return text + "<p class=\"soft\">The sweep expects none.</p>\n";
    text += "<table>\n" + head_row({"", "Result", "Where", "Expected", "Farthest found", "At", "Source"});
    for (const Json& entry : list) {
      const Json& holds = member(entry, "holds");
      const char* word = holds == true ? "met" : holds == false ? "missed" : "open";
      const Json& farthest = member(entry, "farthest");
      std::string where = axes_text(member(entry, "where"));
      if (where.empty()) where = "all points";
      text += fmt::format("<tr><td class=\"{0}\">{0}</td>", word);
      for (const std::string& cell :
           {told(entry, "metric"),
            fmt::format("{} ({} of {} measured)", where, told(entry, "measured"), told(entry, "points")),
            fmt::format("{} ± {}", told(entry, "value"), told(entry, "tolerance")), told(farthest, "value"),
            axes_text(member(farthest, "axes")), told(entry, "source")}) {
        text += fmt::format("<td>{}</td>", html_text(cell));
      }
      text += "</tr>\n";
    }
    return text + "</table>\n";
  }

  std::string crossings() const {
    if (!crossings_) return "";
    std::string text = "<h2 id=\"crossings\">Crossings</h2>\n<table>\n" + head_row(crossings_->names.names());
    const std::size_t shown = std::min(crossings_->rows(), most_front_rows);
    for (std::size_t at = 0; at < shown; ++at) {
      std::vector<std::string> cells;
      for (const auto& column : crossings_->columns) cells.push_back(readable(column[at]));
      text += cells_row(cells);
    }
    text += "</table>\n";
    if (crossings_->rows() > shown) {
      text += fmt::format("<p class=\"soft\">and {} more: <code>crossgrid query DIR/crossings.jsonl</code></p>\n",
                          grouped(crossings_->rows() - shown));
    }
    return text;
  }

  static std::string figure(const std::string& svg, const std::string& caption) {
    return fmt::format("<figure>\n{}<figcaption>{}</figcaption></figure>\n", svg, html_text(caption));
  }

  static std::string too_many() {
    return fmt::format("<p class=\"soft\">More than {} plots: the others are not drawn.</p>\n", most_plots);
  }

  /// Each metric along each axis, a line for each value of the strongest other axis that has few.
  std::string axes() const {
    std::string text = "<h2 id=\"axes\">Along each axis</h2>\n";
    if (data_.axes().empty()) return text + "<p class=\"soft\">No axis takes more than one value.</p>\n";
    std::size_t plots = 0;
    for (const ReportMetric& metric : data_.metrics()) {
      plots += data_.axes().size();
      if (plots > most_plots) return text + too_many();
      text += fmt::format("<h3>{}</h3>\n<div class=\"plots\">\n", html_text(metric.label));
      const std::vector<std::size_t> order = data_.strongest(metric);
      for (const ReportAxis& axis : data_.axes()) {
        if (axis.values.size() > most_line_values) {
          text += fmt::format("<p class=\"soft\">{} takes {} values: too many to draw.</p>\n", html_text(axis.label),
                              grouped(axis.values.size()));
          continue;
        }
        text += axis_figure(metric, axis, line_axis(axis, order));
      }
      text += "</div>\n";
    }
    return text;
  }

  const ReportAxis* line_axis(const ReportAxis& x, const std::vector<std::size_t>& order) const {
    for (const std::size_t i : order) {
      const ReportAxis& axis = data_.axes()[i];
      if (&axis != &x && axis.values.size() <= most_lines) return &axis;
    }
    return nullptr;
  }

  std::string axis_figure(const ReportMetric& metric, const ReportAxis& x, const ReportAxis* by) const {
    LinePlot plot{axis_scale(x.values), x.label, metric.label, by ? by->label : "", by && by->numeric, {}};
    std::vector<std::vector<ReportCell>> lines(1);
    if (by) {
      lines = data_.cells(metric, *by, x);
    } else {
      lines[0] = data_.cells(metric, x);
    }
    std::uint64_t most = 0;
    for (const auto& line : lines) {
      for (const ReportCell& cell : line) most = std::max(most, cell.rows);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
      LinePlot::Line& made = plot.lines.emplace_back();
      made.name = by ? readable(by->values[i]) : "";
      for (const ReportCell& cell : lines[i]) {
        made.mean.push_back(cell.mean);
        made.low.push_back(most > 1 ? cell.least : cell.low);
        made.high.push_back(most > 1 ? cell.largest : cell.high);
      }
    }
    const std::string bars =
        most > 1 ? fmt::format(
                       "Means of up to {} points that differ in the other axes; bars from the least to the "
                       "largest of them.",
                       grouped(most))
                 : "Bars: 95 % interval over chips.";
    return figure(svg_text(plot), bars);
  }

  std::string pairs() const {
    std::string text = "<h2 id=\"pairs\">Pairs of axes</h2>\n";
    if (data_.axes().size() < 2) return text + "<p class=\"soft\">Fewer than two axes take more than one value.</p>\n";
    std::size_t plots = 0;
    for (const ReportMetric& metric : data_.metrics()) {
      plots += most_heat_axes * (most_heat_axes - 1) / 2;
      if (plots > most_plots) return text + too_many();
      text += fmt::format("<h3>{}</h3>\n", html_text(metric.label));
      std::vector<std::size_t> order = data_.strongest(metric);
      if (order.size() > most_heat_axes) {
        order.resize(most_heat_axes);
        text += fmt::format("<p class=\"soft\">The {} axes along which it moves most.</p>\n", most_heat_axes);
      }
      text += "<div class=\"plots\">\n";
      for (std::size_t a = 0; a < order.size(); ++a) {
        for (std::size_t b = a + 1; b < order.size(); ++b) {
          text += pair_figure(metric, data_.axes()[order[a]], data_.axes()[order[b]]);
        }
      }
      text += "</div>\n";
    }
    return text;
  }

  std::string pair_figure(const ReportMetric& metric, const ReportAxis& first, const ReportAxis& second) const {
    if (std::max(first.values.size(), second.values.size()) > most_cell_values) {
      return fmt::format("<p class=\"soft\">{} and {}: more than {} values, not drawn.</p>\n", html_text(first.label),
                         html_text(second.label), most_cell_values);
    }
    // The longer axis lies along the page.
    const ReportAxis& x = first.values.size() >= second.values.size() ? first : second;
    const ReportAxis& y = &x == &first ? second : first;
    HeatMap map{{}, {}, x.label, y.label, metric.label, {}};
    for (const DatabaseValue& value : x.values) map.columns.push_back(readable(value));
    for (const DatabaseValue& value : y.values) map.rows.push_back(readable(value));
    std::uint64_t most = 0;
    for (const auto& line : data_.cells(metric, y, x)) {
      std::vector<double>& values = map.values.emplace_back();
      for (const ReportCell& cell : line) {
        values.push_back(cell.mean);
        most = std::max(most, cell.rows);
      }
    }
    return figure(svg_text(map),
                  most > 1 ? fmt::format("Means of up to {} points.", grouped(most)) : "One point each.");
  }

  /// A column's values as plots show them: metrics in their unit.
  double shown(const std::string& column, std::size_t at) const {
    return factor(column) * table_.column(column)[at].number();
  }
  double factor(const std::string& column) const {
    for (const ReportMetric& metric : data_.metrics()) {
      if (column.starts_with(metric.name + ".")) return metric_factor(metric.name);
    }
    return 1;
  }
  std::string label(const std::string& column) const {
    for (const ReportMetric& metric : data_.metrics()) {
      if (column == metric.name + ".mean") return metric.label;
    }
    for (const ReportAxis& axis : data_.axes()) {
      if (column == axis.name) return axis.label;
    }
    return column;
  }

  std::string pareto_section() const {
    std::string text = "<h2 id=\"pareto\">Pareto front</h2>\n";
    if (objectives_.size() < 2) {
      return text +
             "<p class=\"soft\">No axis that costs is known here; say which columns count: <code>crossgrid report "
             "DIR --pareto 'max:top1.mean,min:adc.bits'</code></p>\n";
    }
    const std::vector<std::size_t> front = pareto_front(table_, objectives_);
    if (front.empty()) return text + "<p class=\"soft\">No point has numbers in these columns.</p>\n";
    std::string goals;
    for (const Objective& objective : objectives_) {
      goals += fmt::format("{}{} {}", goals.empty() ? "" : ", ", objective.maximised ? "largest" : "least",
                           objective.column);
    }
    const Objective& y = objectives_[0];
    const Objective& x = objectives_[1];
    ScatterPlot plot{label(x.column), label(y.column), x.maximised, {}};
    std::size_t next = 0;
    for (std::size_t at = 0; at < table_.rows(); ++at) {
      const bool on_front = next < front.size() && front[next] == at;
      next += on_front ? 1 : 0;
      const ScatterPlot::Point point{shown(x.column, at), shown(y.column, at), on_front};
      if (std::isfinite(point.x) && std::isfinite(point.y)) plot.points.push_back(point);
    }
    text += figure(svg_text(plot), fmt::format("Points that no other beats in all of: {}.", goals));
    return text + front_table(front);
  }

  std::string front_table(const std::vector<std::size_t>& front) const {
    std::vector<std::string> names;
    for (const ReportAxis& axis : data_.axes()) names.push_back(axis.name);
    for (const Objective& objective : objectives_) {
      if (std::find(names.begin(), names.end(), objective.column) == names.end()) names.push_back(objective.column);
    }
    std::string text = "<table>\n" + head_row(names);
    for (std::size_t i = 0; i < std::min(front.size(), most_front_rows); ++i) {
      std::vector<std::string> cells;
      cells.reserve(names.size());
      for (const std::string& name : names) cells.push_back(readable(table_.column(name)[front[i]]));
      text += cells_row(cells);
    }
    text += "</table>\n";
    if (front.size() > most_front_rows) {
      text += fmt::format("<p class=\"soft\">and {} more: <code>crossgrid query --pareto</code></p>\n",
                          grouped(front.size() - most_front_rows));
    }
    return text;
  }

  std::string failures() const {
    std::string text = "<h2 id=\"failures\">Failures</h2>\n";
    const Json& list = member(summary_, "failures");
    if (!summary_.is_object()) return text + "<p class=\"soft\">Not known: there is no summary.json.</p>\n";
    if (!list.is_array() || list.empty()) return text + "<p>No unit failed.</p>\n";
    text += fmt::format("<p>{} failed points, {} failed chips; the first units of them:</p>\n",
                        html_text(told(member(summary_, "points"), "failed")),
                        html_text(told(member(summary_, "trials"), "failed")));
    text += "<table>\n" + head_row({"Point", "Trial", "Images", "Attempts", "Host", "Reason"});
    for (const Json& failure : list) {
      text += "<tr>";
      for (const std::string& cell : {told(failure, "index"), told(failure, "trial"),
                                      fmt::format("{} from {}", told(failure, "count"), told(failure, "first")),
                                      told(failure, "attempts"), told(failure, "host")}) {
        text += fmt::format("<td>{}</td>", html_text(cell));
      }
      text += fmt::format("<td><pre>{}</pre></td></tr>\n", html_text(told(failure, "reason")));
    }
    return text + "</table>\n";
  }

  std::string provenance() const {
    const Json& meta = file_.meta();
    std::string text = "<h2 id=\"provenance\">Provenance</h2>\n<table>\n";
    for (const auto& [title, name] : {std::pair{"Seed", "seed"},
                                      {"Numeric class", "numeric_class"},
                                      {"Backend", "backend"},
                                      {"Physics version", "physics_version"},
                                      {"Journal format", "journal_format"},
                                      {"Database schema", "schema"}}) {
      text += optional_row(title, told(meta, name));
    }
    const Json& content = member(meta, "content");
    text += optional_row("Network's content", told(content, "network"));
    text += optional_row("Data set's content", told(content, "dataset"));
    text += optional_row("Calibration's content", told(content, "calibration"));
    text += row("Report made by", fmt::format("crossgrid {} ({})", version_number(), version_commit()));
    text += "</table>\n";
    const Json& runs = member(meta, "runs");
    if (runs.is_array() && !runs.empty()) {
      text += "<h3>Runs</h3>\n<table>\n" + head_row({"Time", "Host", "Program", "Commit"});
      for (const Json& run : runs) {
        text += cells_row({told(run, "time"), told(run, "host"), told(run, "program"), told(run, "commit")});
      }
      text += "</table>\n";
    }
    if (sweep_.is_object()) {
      text += fmt::format("<details><summary>The sweep</summary><pre>{}</pre></details>\n",
                          html_text(sweep_.dump(2, ' ', false, Json::error_handler_t::replace)));
    }
    return text;
  }

  const DatabaseFile& file_;
  const DatabaseTable* crossings_;
  const Json& summary_;
  const Json& sweep_;
  DatabaseTable table_;
  ReportData data_;
  std::vector<Objective> objectives_;
};

}  // namespace

std::string report_page(const DatabaseFile& file, const DatabaseTable* crossings, const Json& summary,
                        const Json& sweep, const std::string& pareto) {
  return Page(file, crossings, summary, sweep, pareto).text();
}

}  // namespace crossgrid
