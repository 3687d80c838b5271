#include "crossgrid/app/svg_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "crossgrid/app/html_text.hpp"

namespace crossgrid {

namespace {

constexpr double letter = 6.4;  ///< mean width of a letter [px] at 12 px

/// Okabe and Ito's colours without the yellow, which is too light for lines.
constexpr std::array<const char*, 7> palette{"#0072b2", "#e69f00", "#009e73", "#d55e00",
                                             "#cc79a7", "#56b4e9", "#000000"};

/// Matplotlib's viridis at equal distances.
struct Color {
  double red, green, blue;
};
constexpr std::array<Color, 9> viridis{{{68, 1, 84},
                                        {71, 44, 122},
                                        {59, 81, 139},
                                        {44, 113, 142},
                                        {33, 144, 141},
                                        {39, 173, 129},
                                        {92, 200, 99},
                                        {170, 220, 50},
                                        {253, 231, 37}}};

Color viridis_at(double place) {
  const double scaled = std::clamp(place, 0.0, 1.0) * (viridis.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(scaled), viridis.size() - 2);
  const double part = scaled - static_cast<double>(i);
  const auto mix = [&](double Color::*channel) {
    return viridis[i].*channel * (1 - part) + viridis[i + 1].*channel * part;
  };
  return {mix(&Color::red), mix(&Color::green), mix(&Color::blue)};
}

std::string hex(const Color& color) {
  return fmt::format("#{:02x}{:02x}{:02x}", static_cast<int>(std::lround(color.red)),
                     static_cast<int>(std::lround(color.green)), static_cast<int>(std::lround(color.blue)));
}

double text_width(std::string_view text) {
  const auto letters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return letter * static_cast<double>(letters);
}

class Canvas {
 public:
  Canvas(double width, double height, const std::string& about) {
    text_ = fmt::format(
        "<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\">"
        "<title>{2}</title>\n",
        width, height, html_text(about));
  }
  std::string finish() { return std::move(text_) + "</svg>\n"; }

  void line(double x1, double y1, double x2, double y2, std::string_view look) {
    text_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, look);
  }
  void rectangle(double x, double y, double width, double height, std::string_view look) {
    text_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}/>\n", x, y, width,
                         height, look);
  }
  void circle(double x, double y, double radius, std::string_view look) {
    text_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" {}/>\n", x, y, radius, look);
  }
  void path(const std::string& steps, std::string_view look) {
    text_ += fmt::format("<path d=\"{}\" {}/>\n", steps, look);
  }
  /// `anchor` is start, middle or end.
  void words(double x, double y, const char* anchor, std::string_view words, std::string_view look = "") {
    text_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x, y, anchor, look,
                         html_text(words));
  }
  void turned_words(double x, double y, const char* anchor, double degrees, std::string_view words,
                    std::string_view look = "") {
    text_ += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate({})\" text-anchor=\"{}\" {}>{}</text>\n", x,
                         y, degrees, anchor, look, html_text(words));
  }

 private:
  std::string text_;
};

/// The rectangle that data are drawn in.
struct Frame {
  double left = 74, top = 14, width = 330, height = 230;
  double bottom() const { return top + height; }
  double right() const { return left + width; }
  double x(double place) const { return left + width * place; }
  double y(double place) const { return bottom() - height * place; }
};

constexpr std::string_view axis_line = "stroke=\"#999\"";
constexpr std::string_view grid_line = "stroke=\"#e6e6e6\"";
constexpr std::size_t longest_tick = 18;

/// Ticks that have room: not nearer to the one before than a label needs.
std::vector<Tick> with_room(const std::vector<Tick>& ticks, double width, double needed) {
  std::vector<Tick> kept;
  for (const Tick& tick : ticks) {
    if (kept.empty() || (tick.place - kept.back().place) * width >= needed) kept.push_back(tick);
  }
  return kept;
}

/// The labels under a frame: turned where they would not fit beside each other.
struct XLabels {
  std::vector<Tick> ticks;
  bool turned = false;
  double height = 22;  ///< that they take [px]
};

XLabels x_labels(std::vector<Tick> ticks, double width) {
  double widest = 0;
  for (Tick& tick : ticks) {
    tick.label = shortened(tick.label, longest_tick);
    widest = std::max(widest, text_width(tick.label));
  }
  std::vector<Tick> level = with_room(ticks, width, widest + 8);
  if (level.size() == ticks.size() || widest <= 30) return {std::move(level), false, 22};
  return {with_room(ticks, width, 15), true, 14 + 0.6 * widest};
}

/// The room that labels and the axis' name take.
double room_below(const XLabels& labels) {
  return labels.height + 24;
}

void y_axis(Canvas& canvas, const Frame& frame, const std::vector<Tick>& ticks, const std::string& label) {
  for (const Tick& tick : ticks) {
    canvas.line(frame.left, frame.y(tick.place), frame.right(), frame.y(tick.place), grid_line);
    canvas.words(frame.left - 8, frame.y(tick.place) + 4, "end", tick.label);
  }
  canvas.line(frame.left, frame.top, frame.left, frame.bottom(), axis_line);
  canvas.turned_words(16, frame.top + frame.height / 2, "middle", -90, shortened(label, 44));
}

void x_axis(Canvas& canvas, const Frame& frame, const XLabels& labels, const std::string& name) {
  canvas.line(frame.left, frame.bottom(), frame.right(), frame.bottom(), axis_line);
  for (const Tick& tick : labels.ticks) {
    const double x = frame.x(tick.place);
    canvas.line(x, frame.bottom(), x, frame.bottom() + 4, axis_line);
    if (labels.turned) {
      canvas.turned_words(x + 4, frame.bottom() + 14, "end", -35, tick.label);
    } else {
      canvas.words(x, frame.bottom() + 18, "middle", tick.label);
    }
  }
  canvas.words(frame.left + frame.width / 2, frame.bottom() + labels.height + 14, "middle", shortened(name, 60));
}

void marker(Canvas& canvas, std::size_t shape, double x, double y, const std::string& color) {
  const std::string look = fmt::format("fill=\"{}\" stroke=\"#fff\" stroke-width=\"0.8\"", color);
  switch (shape % 4) {
    case 0:
      return canvas.circle(x, y, 4, look);
    case 1:
      return canvas.rectangle(x - 3.6, y - 3.6, 7.2, 7.2, look);
    case 2:
      return canvas.path(fmt::format("M{:.1f} {:.1f}l4.8 4.8l-4.8 4.8l-4.8 -4.8z", x, y - 4.8), look);
    default:
      return canvas.path(fmt::format("M{:.1f} {:.1f}l4.8 8.2h-9.6z", x, y - 4.9), look);
  }
}

std::string line_color(const LinePlot& plot, std::size_t i) {
  if (!plot.ordered) return palette[i % palette.size()];
  const double steps = static_cast<double>(std::max<std::size_t>(plot.lines.size(), 2) - 1);
  return hex(viridis_at(0.85 * static_cast<double>(i) / steps));
}

/// Lines that break a name at about `letters`, at spaces and dots.
std::vector<std::string> broken(const std::string& name, std::size_t letters) {
  std::vector<std::string> lines(1);
  for (std::size_t begin = 0; begin < name.size();) {
    std::size_t end = name.find_first_of(" .", begin);
    end = end == std::string::npos ? name.size() : end + 1;
    if (!lines.back().empty() && lines.back().size() + end - begin > letters) lines.emplace_back();
    lines.back() += name.substr(begin, end - begin);
    begin = end;
  }
  return lines;
}

void draw_legend(Canvas& canvas, const LinePlot& plot, const Frame& frame) {
  double y = frame.top + 10;
  const double x = frame.right() + 18;
  for (const std::string& part : broken(plot.legend, 20)) {
    canvas.words(x, y, "start", shortened(part, 22), "font-weight=\"600\"");
    y += 16;
  }
  for (std::size_t i = 0; i < plot.lines.size(); ++i, y += 18) {
    const std::string color = line_color(plot, i);
    canvas.line(x, y, x + 22, y, fmt::format("stroke=\"{}\" stroke-width=\"1.8\"", color));
    marker(canvas, i, x + 11, y, color);
    canvas.words(x + 29, y + 4, "start", shortened(plot.lines[i].name, 18));
  }
}

std::vector<double> finite_numbers(const LinePlot& plot) {
  std::vector<double> numbers;
  for (const LinePlot::Line& line : plot.lines) {
    for (const auto* list : {&line.mean, &line.low, &line.high}) {
      std::copy_if(list->begin(), list->end(), std::back_inserter(numbers), [](double v) { return std::isfinite(v); });
    }
  }
  return numbers;
}

void draw_line(Canvas& canvas, const LinePlot& plot, std::size_t i, const std::vector<double>& xs, const Frame& frame,
               const NumberScale& scale) {
  const LinePlot::Line& line = plot.lines[i];
  const std::string color = line_color(plot, i);
  const auto y_of = [&](double value) { return frame.y(0.04 + 0.92 * scale.place(value)); };
  std::string steps;
  bool gap = true;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (!std::isfinite(line.mean[k])) {
      gap = true;
      continue;
    }
    steps += fmt::format("{}{:.1f} {:.1f}", gap ? 'M' : 'L', xs[k], y_of(line.mean[k]));
    gap = false;
    if (!(line.high[k] > line.low[k])) continue;
    const std::string look = fmt::format("stroke=\"{}\" stroke-opacity=\"0.6\"", color);
    canvas.line(xs[k], y_of(line.low[k]), xs[k], y_of(line.high[k]), look);
    for (const double end : {line.low[k], line.high[k]}) canvas.line(xs[k] - 3, y_of(end), xs[k] + 3, y_of(end), look);
  }
  canvas.path(steps, fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"", color));
  if (xs.size() > 60) return;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (std::isfinite(line.mean[k])) marker(canvas, i, xs[k], y_of(line.mean[k]), color);
  }
}

}  // namespace

std::string svg_text(const LinePlot& plot) {
  const Frame frame;
  // Values stand apart from the frame; lines side by side, so that their bars can be told apart.
  const auto x_of = [&](double place) { return 0.05 + 0.9 * place; };
  std::vector<Tick> ticks = plot.x.ticks;
  for (Tick& tick : ticks) tick.place = x_of(tick.place);
  const XLabels labels = x_labels(std::move(ticks), frame.width);
  const double legend = plot.lines.size() > 1 ? 172 : 20;
  Canvas canvas(frame.right() + legend, frame.bottom() + room_below(labels),
                fmt::format("{} against {}", plot.y_label, plot.x_label));
  const std::vector<double> numbers = finite_numbers(plot);
  if (numbers.empty()) {
    canvas.words(frame.left + frame.width / 2, frame.top + frame.height / 2, "middle", "no results yet");
    return canvas.finish();
  }
  const NumberScale scale(numbers);
  std::vector<Tick> y_ticks = scale.ticks();
  for (Tick& tick : y_ticks) tick.place = 0.04 + 0.92 * tick.place;
  y_axis(canvas, frame, y_ticks, plot.y_label);

  for (const double at : plot.x.breaks) {
    canvas.line(frame.x(x_of(at)), frame.top, frame.x(x_of(at)), frame.bottom(),
                "stroke=\"#bbb\" stroke-dasharray=\"2 3\"");
  }
  x_axis(canvas, frame, labels, plot.x_label);
  const double step = 0.9 * frame.width / static_cast<double>(std::max<std::size_t>(plot.x.places.size(), 2));
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const double count = static_cast<double>(plot.lines.size());
    const double shift =
        count < 2 ? 0 : std::min(0.25 * step, 3.5 * count) * (static_cast<double>(i) / (count - 1) - 0.5);
    std::vector<double> xs;
    for (const double place : plot.x.places) xs.push_back(frame.x(x_of(place)) + shift);
    draw_line(canvas, plot, i, xs, frame, scale);
  }
  if (plot.lines.size() > 1) draw_legend(canvas, plot, frame);
  return canvas.finish();
}

namespace {

/// Dark letters on light cells, light ones on dark cells (relative luminance).
const char* ink_on(const Color& color) {
  return 0.2126 * color.red + 0.7152 * color.green + 0.0722 * color.blue > 120 ? "#111" : "#fff";
}

void draw_color_bar(Canvas& canvas, const Frame& frame, const NumberScale& scale, const std::string& label) {
  constexpr int steps = 48;
  const double x = frame.right() + 22;
  for (int i = 0; i < steps; ++i) {
    const double place = (i + 0.5) / steps;
    canvas.rectangle(x, frame.y((i + 1.0) / steps), 16, frame.height / steps + 0.6,
                     fmt::format("fill=\"{}\"", hex(viridis_at(place))));
  }
  for (const Tick& tick : scale.ticks()) {
    canvas.line(x + 16, frame.y(tick.place), x + 20, frame.y(tick.place), axis_line);
    canvas.words(x + 24, frame.y(tick.place) + 4, "start", tick.label);
  }
  canvas.turned_words(x + 86, frame.top + frame.height / 2, "middle", -90,
                      shortened(label, static_cast<std::size_t>((frame.height + 2 * frame.top) / letter)));
}

std::vector<Tick> cell_ticks(const std::vector<std::string>& names) {
  std::vector<Tick> ticks;
  for (std::size_t i = 0; i < names.size(); ++i) {
    ticks.push_back({(static_cast<double>(i) + 0.5) / static_cast<double>(names.size()), names[i]});
  }
  return ticks;
}

}  // namespace

std::string svg_text(const HeatMap& plot) {
  std::vector<double> numbers;
  for (const auto& row : plot.values) {
    std::copy_if(row.begin(), row.end(), std::back_inserter(numbers), [](double v) { return std::isfinite(v); });
  }
  const double columns = static_cast<double>(plot.columns.size()), rows = static_cast<double>(plot.rows.size());
  double widest = 0;
  for (const std::string& name : plot.rows) widest = std::max(widest, text_width(shortened(name, longest_tick)));
  Frame frame;
  frame.left = 44 + widest;
  frame.width = columns * std::clamp(330 / columns, 10.0, 76.0);
  // One or two rows are made as high as the titles beside them need.
  frame.height = std::max(rows * std::clamp(240 / rows, 10.0, 40.0), 130.0);
  const XLabels labels = x_labels(cell_ticks(plot.columns), frame.width);
  const double width = std::max(frame.right() + 122, frame.left + frame.width / 2 + text_width(plot.x_label) / 2 + 8);
  const double height = frame.bottom() + room_below(labels);
  Canvas canvas(width, std::max(height, 100.0),
                fmt::format("{} over {} and {}", plot.z_label, plot.x_label, plot.y_label));
  if (numbers.empty()) {
    canvas.words(frame.left, frame.top + 30, "start", "no results yet");
    return canvas.finish();
  }
  const NumberScale scale(numbers);
  const double cell_width = frame.width / columns, cell_height = frame.height / rows;
  const bool with_numbers = cell_width >= 34 && cell_height >= 15;
  for (std::size_t row = 0; row < plot.rows.size(); ++row) {
    for (std::size_t column = 0; column < plot.columns.size(); ++column) {
      const double value = plot.values[row][column];
      const double x = frame.left + static_cast<double>(column) * cell_width;
      const double y = frame.bottom() - static_cast<double>(row + 1) * cell_height;
      const bool there = std::isfinite(value);
      const Color color = there ? viridis_at(scale.place(value)) : Color{238, 238, 238};
      canvas.rectangle(x, y, cell_width, cell_height, fmt::format("fill=\"{}\" stroke=\"#fff\"", hex(color)));
      if (with_numbers) {
        canvas.words(x + cell_width / 2, y + cell_height / 2 + 4, "middle", there ? fmt::format("{:.3g}", value) : "–",
                     fmt::format("fill=\"{}\" font-size=\"11\"", ink_on(color)));
      }
    }
  }
  for (const Tick& tick : with_room(cell_ticks(plot.rows), frame.height, 13)) {
    canvas.words(frame.left - 6, frame.y(tick.place) + 4, "end", shortened(tick.label, longest_tick));
  }
  canvas.turned_words(14, frame.top + frame.height / 2, "middle", -90,
                      shortened(plot.y_label, static_cast<std::size_t>(std::max(frame.height, 100.0) / letter)));
  x_axis(canvas, frame, labels, plot.x_label);
  draw_color_bar(canvas, frame, scale, plot.z_label);
  return canvas.finish();
}

std::string svg_text(const ScatterPlot& plot) {
  Frame frame;
  std::vector<double> xs, ys;
  for (const ScatterPlot::Point& point : plot.points) xs.push_back(point.x), ys.push_back(point.y);
  const NumberScale x_scale(xs), y_scale(ys);
  const auto inner = [](double place) { return 0.04 + 0.92 * place; };
  const auto ticks = [&](const NumberScale& scale) {
    std::vector<Tick> made = scale.ticks();
    for (Tick& tick : made) tick.place = inner(tick.place);
    return made;
  };
  const XLabels labels = x_labels(ticks(x_scale), frame.width);
  Canvas canvas(frame.right() + 20, frame.bottom() + room_below(labels),
                fmt::format("Pareto front of {} and {}", plot.y_label, plot.x_label));
  y_axis(canvas, frame, ticks(y_scale), plot.y_label);
  x_axis(canvas, frame, labels, plot.x_label);
  // One dot where several would hide each other.
  std::set<std::pair<long, long>> taken;
  std::vector<std::pair<double, double>> front;
  for (const ScatterPlot::Point& point : plot.points) {
    const double x = frame.x(inner(x_scale.place(point.x))), y = frame.y(inner(y_scale.place(point.y)));
    if (point.front) {
      front.emplace_back(x, y);
    } else if (taken.emplace(std::lround(x / 2), std::lround(y / 2)).second) {
      canvas.circle(x, y, 2.6, "fill=\"#9a9a9a\" fill-opacity=\"0.6\"");
    }
  }
  std::sort(front.begin(), front.end());
  std::string steps;
  for (const auto& [x, y] : front) {
    const std::string corner = steps.empty()      ? ""
                               : plot.x_maximised ? fmt::format("V{:.1f}", y)
                                                  : fmt::format("H{:.1f}", x);
    steps += fmt::format("{}{}{:.1f} {:.1f}", corner, steps.empty() ? 'M' : 'L', x, y);
  }
  canvas.path(steps, "fill=\"none\" stroke=\"#0072b2\" stroke-width=\"1.5\"");
  for (const auto& [x, y] : front) marker(canvas, 0, x, y, "#0072b2");
  return canvas.finish();
}

}  // namespace crossgrid
