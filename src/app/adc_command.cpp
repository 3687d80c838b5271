#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "crossgrid/app/command_line.hpp"
#include "crossgrid/app/commands.hpp"
#include "crossgrid/base/error.hpp"
#include "crossgrid/base/random_stream.hpp"
#include "crossgrid/circuit/adc_linearity.hpp"
#include "crossgrid/sweep/bare_hardware.hpp"

namespace crossgrid {

namespace {

namespace po = boost::program_options;

constexpr CommandHelp help{
    "adc", "--set adc.model=MODEL [--set adc.NAME=VALUE ...] [options]",
    "Reports the linearity of a converter: differential (DNL) and integral (INL) nonlinearity and missing codes, by "
    "the\n"
    "code density under a slow ramp with an end-point fit (IEEE Std 1241). Each trial is another converter with its "
    "own\n"
    "mismatch, that of column 0 in a sweep's trials of the same seed. Parameters are those of sweep files (adc.*); "
    "the\n"
    "range is adc.range=[lo,hi], else [-1,1]. Levels of 'levels' are unequal by design and have no linearity.",
    "  crossgrid adc --set adc.model=sar --set adc.bits=8 --set adc.sigma_capacitor=0.02\n"
    "  crossgrid adc --set adc.model=pipeline --set adc.gain_db=60 --trials 1 --csv\n"
    "  crossgrid adc --set adc.model=table --set adc.table=measured.csv --trials 20"};

/// Mean and standard deviation (n - 1) of what comes one by one (Welford 1962).
class Spread {
 public:
  void add(double value) {
    ++count_;
    const double before = value - mean_;
    mean_ += before / static_cast<double>(count_);
    squares_ += before * (value - mean_);
    largest_ = std::max(largest_, value);
  }
  double mean() const { return mean_; }
  double deviation() const { return count_ > 1 ? std::sqrt(squares_ / static_cast<double>(count_ - 1)) : 0; }
  double largest() const { return largest_; }

 private:
  std::size_t count_ = 0;
  double mean_ = 0, squares_ = 0, largest_ = 0;
};

/// Over trials.
struct Report {
  Spread dnl, inl, missing;  ///< largest magnitudes [LSB]; share of codes
  std::vector<Spread> code_dnl, code_inl, code_missing;
};

void add_codes(std::vector<Spread>& spreads, const auto& values) {
  spreads.resize(values.size());
  for (std::size_t k = 0; k < values.size(); ++k) spreads[k].add(values[k]);
}

Report measure(const AdcConfig& adc, int trials, std::uint64_t seed, int samples) {
  const Interval range = adc.range == RangeRule::fixed ? adc.fixed_ranges.front() : Interval{-1, 1};
  Report report;
  for (int trial = 0; trial < trials; ++trial) {
    const auto t = static_cast<std::uint32_t>(trial);
    const AdcStreams streams{stream_key(seed, t, DrawPurpose::adc_mismatch, 0, 0),
                             stream_key(seed, t, DrawPurpose::adc_draw, 0, 0)};
    const AdcLinearity found = measure_linearity(adc, range, streams, samples);
    report.dnl.add(largest_magnitude(found.dnl));
    report.inl.add(largest_magnitude(found.inl));
    const auto missing = std::count(found.missing.begin(), found.missing.end(), true);
    report.missing.add(static_cast<double>(missing) / static_cast<double>(found.missing.size()));
    add_codes(report.code_dnl, found.dnl);
    add_codes(report.code_inl, found.inl);
    add_codes(report.code_missing, found.missing);
  }
  return report;
}

void print_report(const Report& report, const AdcConfig& adc, int trials) {
  fmt::print("{} bits, {}\n\n", adc.bits,
             adc_draws(adc) ? fmt::format("{} converters", trials) : "nothing random: one converter");
  fmt::print("{:<24}{:>12}{:>12}{:>12}\n", "", "mean", "std", "largest");
  const auto row = [](const char* name, const Spread& of, double scale) {
    fmt::print("{:<24}{:>12.4f}{:>12.4f}{:>12.4f}\n", name, scale * of.mean(), scale * of.deviation(),
               scale * of.largest());
  };
  row("largest |DNL| [LSB]", report.dnl, 1);
  row("largest |INL| [LSB]", report.inl, 1);
  row("missing codes [%]", report.missing, 100);
}

/// End codes have no width, and code 0 no beginning.
void print_csv(const Report& report) {
  fmt::print("code,dnl_mean,dnl_std,inl_mean,inl_std,missing_rate\n");
  const std::size_t codes = report.code_missing.size();
  const auto cell = [](const Spread& of) { return fmt::format("{:.6g},{:.6g}", of.mean(), of.deviation()); };
  for (std::size_t code = 0; code < codes; ++code) {
    const bool inside = code > 0 && code + 1 < codes;
    fmt::print("{},{},{},{:.6g}\n", code, inside ? cell(report.code_dnl[code - 1]) : ",",
               code > 0 ? cell(report.code_inl[code - 1]) : ",", report.code_missing[code].mean());
  }
}

AdcConfig asked_for(const po::variables_map& values) {
  std::vector<std::string> settings;
  if (values.count("set")) settings = values["set"].as<std::vector<std::string>>();
  AdcConfig adc = bare_hardware(settings).adc;
  if (adc.model == ConverterModel::ideal || adc.model == ConverterModel::levels) {
    throw Error(ExitCode::usage,
                adc.model == ConverterModel::ideal
                    ? "an ideal converter has no codes; say which, such as --set adc.model=sar"
                    : "adc.model \"levels\" has unequal levels by design: DNL and INL say nothing about it");
  }
  if (adc.bits < 2) throw Error(ExitCode::usage, "DNL and INL need adc.bits >= 2");
  return adc;
}

int bounded(const po::variables_map& values, const char* option, int most) {
  const int value = values[option].as<int>();
  if (value < 1 || value > most) {
    throw Error(ExitCode::usage, fmt::format("--{} {}: expected 1 to {}", option, value, most));
  }
  return value;
}

}  // namespace

int adc_command(const Arguments& arguments) {
  po::options_description options("options");
  options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                        "NAME=VALUE: a parameter, e.g. adc.bits=6")("trials", po::value<int>()->default_value(100),
                                                                    "converters")(
      "seed", po::value<std::uint64_t>()->default_value(0), "of the mismatch")(
      "samples", po::value<int>()->default_value(64), "conversions per code; widths are known to 1/samples LSB")(
      "csv", "print one line per code instead: mean and std over trials");
  const auto values = parse_arguments(help, options, "", arguments);
  if (!values) return 0;
  const AdcConfig adc = asked_for(*values);
  const int asked = bounded(*values, "trials", 1'000'000), samples = bounded(*values, "samples", 4096);
  const int trials = adc_draws(adc) ? asked : 1;
  const Report report = measure(adc, trials, (*values)["seed"].as<std::uint64_t>(), samples);
  if (values->count("csv")) {
    print_csv(report);
  } else {
    print_report(report, adc, trials);
  }
  return 0;
}

}  // namespace crossgrid
