#include "crossgrid/sweep/grid.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>

#include "crossgrid/sweep/effective_hardware.hpp"
#include "sample_sweep.hpp"

namespace crossgrid {
namespace {

using testing::HasSubstr;

const char* const noisy =
    R"("hardware": {"adc.model": "quantizer", "dac.model": "quantizer", "device.programming_error.model": "normal_independent"})";

std::string with_noise(const std::string& rest) {
  return std::string("{") + noisy + ", " + rest + "}";
}

/// A random choice of axes that meet each other in every way: models with their magnitudes, sizes with partitions,
/// patterns, layers' own values, named settings, digital layers.
Json random_members(std::mt19937& random) {
  const std::vector<std::pair<std::string, Json>> axes{
      {"adc.bits", {4, 6, 8}},
      {"adc.bits@/conv1/*", {4, 6}},
      {"adc.bits@/fc*", {4, 6}},
      {"adc.model", {"ideal", "quantizer", "sign_magnitude"}},
      {"adc.range", {"calibrated", "max", {-2, 2}}},
      {"dac.model", {"ideal", "quantizer"}},
      {"dac.signed", {"auto", true, false}},
      {"device.programming_error.model", {"none", "normal_independent", "normal_proportional"}},
      {"device.programming_error.magnitude", {0, 0.1, 0.2}},
      {"device.read_noise.model", {"none", "normal_proportional"}},
      {"device.read_noise.sampling", {"auto", "per_cell"}},
      {"device.clip", {false, true}},
      {"device.on_off_ratio", {10, 100, "infinite"}},
      {"array.rows_max", {8, 36, 40, 64, "unlimited"}},
      {"array.rows_partition", {"equal", "max"}},
      {"array.cols_max@/conv*", {5, 8, "unlimited"}},
      {"analog@/fc1/*", {true, false}},
      {"mapping",
       parse_json(
           R"({"one": {"core.style": "offset"}, "two": {"core.weight_bits": 4}, "three": {"core.style": "offset"}})",
           "test")}};
  std::vector<std::pair<std::string, Json>> chosen;
  for (const auto& axis : axes) {
    if (random() % 3 == 0) {
      chosen.push_back(axis);
    }
  }
  Json members{{"hardware",
                {{"device.read_noise.magnitude", random() % 2 == 0 ? 0.0 : 0.05},
                 {"device.programming_error.magnitude", 0.1},
                 {"adc.model", random() % 2 == 0 ? "ideal" : "quantizer"}}},
               {"trials", 5},
               {"grid", Json::object()}};
  if (random() % 2 == 0) {
    members["layers"] = Json::array({{{"match", "/conv1/*"}, {"adc.bits", 10}, {"device.clip", true}}});
  }
  for (const auto& [name, values] : chosen) {
    members["grid"][name] = values;
  }
  return members;
}

/// A grid, or none where an axis has no effect.
std::optional<Grid> try_grid(const Json& members) {
  try {
    return Grid(sample_sweep(members), sample_context());
  } catch (const Error&) {
    return std::nullopt;
  }
}

TEST(Grid, WalksTheFirstAxisSlowest) {
  const Grid grid = sample_grid(with_noise(R"("grid": {"adc.bits": [4, 6], "array.rows_max": [32, 64, "unlimited"]})"));
  ASSERT_EQ(grid.size(), 6u);
  EXPECT_EQ(grid.columns(), (std::vector<std::string>{"adc.bits", "array.rows_max"}));
  EXPECT_EQ(grid.point(4).axes[0].second, 6);
  EXPECT_EQ(grid.point(4).axes[1].second, 64);
  EXPECT_EQ(grid.point(4).hardware[2].adc.bits, 6);
  EXPECT_EQ(grid.point(4).hardware[2].array.rows_max, 64);
  EXPECT_EQ(grid.point(5).axes[1].second, "unlimited");
}

TEST(Grid, WithoutAxesIsOnePoint) {
  const Grid grid = sample_grid("{}");
  EXPECT_EQ(grid.size(), 1u);
  EXPECT_TRUE(grid.point(0).deterministic);
  EXPECT_TRUE(grid.columns().empty());
}

TEST(Grid, EqualIdsAreEqualChipsAndTheOtherWayRound) {
  std::mt19937 random(11);
  int grids = 0, equal_pairs = 0;
  for (int attempt = 0; attempt < 400; ++attempt) {
    const auto grid = try_grid(random_members(random));
    if (!grid || grid->size() > 400) {
      continue;
    }
    ++grids;
    std::vector<Point> points;
    std::vector<Json> resolved;
    for (std::uint64_t i = 0; i < grid->size(); ++i) {
      points.push_back(grid->point(i));
      resolved.push_back(grid->resolved(i));
      ASSERT_EQ(points[i].id, grid->id(i));
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const bool equal = points[i].hardware == points[j].hardware;
        equal_pairs += equal ? 1 : 0;
        ASSERT_EQ(points[i].id == points[j].id, equal) << resolved[i].dump(1) << resolved[j].dump(1);
        ASSERT_EQ(resolved[i] == resolved[j], equal) << resolved[i].dump(1) << resolved[j].dump(1);
      }
    }
  }
  EXPECT_GT(grids, 30);
  EXPECT_GT(equal_pairs, 1000);
}

TEST(Grid, KnowsWhichPointsRepeatAnEarlierOne) {
  // An ideal converter has no bits; without errors nothing is random.
  for (const char* exclude : {"", R"(, "exclude": [{"adc.bits": 5, "adc.model": "quantizer"}])"}) {
    const Grid grid = sample_grid(std::string(R"({"hardware": {"device.programming_error.model": "normal_independent"},
        "trials": 3, "grid": {"adc.model": ["quantizer", "ideal"], "adc.bits": [4, 5, 6],
                              "device.programming_error.magnitude": [0, 0.1]})") +
                                  exclude + "}");
    std::set<std::pair<std::uint64_t, std::uint64_t>> ids;
    std::uint64_t repeated = 0;
    for (std::uint64_t index = 0; index < grid.size(); ++index) {
      const Point point = grid.point(index);
      EXPECT_EQ(grid.identity(index).id, point.id);
      EXPECT_EQ(grid.identity(index).trials, point.trials);
      EXPECT_EQ(grid.repeats(index), !ids.insert({point.id.high, point.id.low}).second) << index;
      repeated += grid.repeats(index) ? 1 : 0;
    }
    EXPECT_EQ(repeated, 4u);
  }
  const Grid distinct = sample_grid(R"({"grid": {"adc.bits": [4, 5]}, "hardware": {"adc.model": "quantizer"}})");
  EXPECT_FALSE(distinct.repeats(0) || distinct.repeats(1));
}

TEST(Grid, HardwareIsWhatTheSettingsSayUpToParametersWithoutEffect) {
  std::mt19937 random(12);
  for (int attempt = 0; attempt < 200; ++attempt) {
    const auto grid = try_grid(random_members(random));
    if (!grid) {
      continue;
    }
    for (int draw = 0; draw < 10; ++draw) {
      const Point point = grid->point(random() % grid->size());
      for (std::size_t layer = 0; layer < 3; ++layer) {
        const LayerHardware& hardware = point.hardware[layer];
        ASSERT_EQ(effective_hardware(hardware, sample_context().layers[layer]), hardware) << "normal form is final";
        ASSERT_EQ(point.deterministic,
                  std::none_of(point.hardware.begin(), point.hardware.end(),
                               [](const LayerHardware& each) { return draws_random_numbers(each); }));
      }
    }
  }
}

TEST(Grid, IdsDoNotDependOnTheOrderOfAxes) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 first(seed);
    Json members = random_members(first);
    const auto grid = try_grid(members);
    Json reversed = Json::object();
    std::vector<std::string> names;
    for (const auto& [name, values] : members["grid"].items()) {
      names.insert(names.begin(), name);
    }
    for (const std::string& name : names) {
      reversed[name] = members["grid"][name];
    }
    members["grid"] = reversed;
    const auto other = try_grid(members);
    ASSERT_EQ(grid.has_value(), other.has_value());
    if (!grid || grid->size() > 2000) {
      continue;
    }
    std::multiset<Id128> ids, other_ids;
    for (std::uint64_t i = 0; i < grid->size(); ++i) {
      ids.insert(grid->id(i));
      other_ids.insert(other->id(i));
    }
    ASSERT_EQ(ids, other_ids);
  }
}

TEST(Grid, MoreValuesKeepTheOldIds) {
  const auto ids = [](const std::string& values) {
    const Grid grid = sample_grid(with_noise(R"("grid": {"adc.bits": )" + values + R"(, "array.rows_max": [32, 64]})"));
    std::set<Id128> found;
    for (std::uint64_t i = 0; i < grid.size(); ++i) {
      found.insert(grid.id(i));
    }
    return found;
  };
  const auto few = ids("[4, 8]"), more = ids("[3, 8, 4, 5]");
  EXPECT_EQ(few.size(), 4u);
  EXPECT_EQ(more.size(), 8u);
  EXPECT_TRUE(std::includes(more.begin(), more.end(), few.begin(), few.end()));
}

TEST(Grid, HowASweepIsWrittenIsNotInItsIds) {
  const Id128 id =
      sample_grid(R"({"hardware": {"adc": {"model": "quantizer", "bits": 6}, "device.on_off_ratio": 10000}})").id(0);
  EXPECT_EQ(sample_grid(R"({"hardware": {"adc.bits": 6, "adc.model": "quantizer", "device.on_off_ratio": 1e4}})").id(0),
            id);
  EXPECT_EQ(sample_grid(
                R"({"hardware": {"adc.model": "quantizer", "device.on_off_ratio": 10000}, "grid": {"adc.bits": [6]}})")
                .id(0),
            id);
  EXPECT_EQ(sample_grid(R"({"hardware": {"adc.bits": 6, "adc.model": "quantizer", "device.on_off_ratio": 1e4},
    "name": "other", "about": "x", "trials": 7, "metrics": ["loss"]})")
                .id(0),
            id);
  EXPECT_EQ(sample_grid(R"({"hardware": {"adc.model": "quantizer", "device.on_off_ratio": 1e4},
    "layers": [{"match": "*", "adc.bits": 6}]})")
                .id(0),
            id);
}

/// Everything that changes results changes the id, where it has an effect, and only there (rules R2 and R5).
TEST(Grid, EverythingThatCountsIsInTheId) {
  const auto id = [](const std::string& members, auto change) {
    GridContext context = sample_context();
    change(context);
    return Grid(sample_sweep(parse_json(members, "test")), context).id(0);
  };
  const auto same = [](GridContext&) {};
  const auto other_calibration = [](GridContext& context) { context.calibration_data = hash_text("x"); };
  const std::string ideal = "{}";
  const std::string calibrated = R"({"hardware": {"adc.model": "quantizer"}})";
  EXPECT_NE(id(ideal, same), id(ideal, [](GridContext& context) { context.network = hash_text("x"); }));
  EXPECT_NE(id(ideal, same), id(ideal, [](GridContext& context) { context.dataset = hash_text("x"); }));
  EXPECT_EQ(id(ideal, same), id(ideal, other_calibration));
  EXPECT_NE(id(calibrated, same), id(calibrated, other_calibration));
  EXPECT_EQ(id(ideal, same), id(R"({"seed": 9})", same));
  EXPECT_EQ(id(ideal, same), id(R"({"dataset": {"path": "d", "images": {"first": 0, "count": 500}}})", same));
  EXPECT_NE(id(ideal, same), id(R"({"dataset": {"path": "d", "images": {"first": 0, "count": 499}}})", same));
  EXPECT_NE(id(ideal, same), id(R"({"dataset": {"path": "d", "preprocess": {"scale": 0.5}}})", same));
  EXPECT_NE(
      id(calibrated, same),
      id(R"({"hardware": {"adc.model": "quantizer"}, "calibration": {"images": {"first": 0, "count": 255}}})", same));
  EXPECT_NE(id(calibrated, same),
            id(R"({"hardware": {"adc.model": "quantizer"}, "calibration": {"method": "max"}})", same));
  const std::string random =
      R"({"hardware": {"device.read_noise": {"model": "normal_proportional", "magnitude": 0.1}}, "seed": )";
  EXPECT_NE(id(random + "1}", same), id(random + "2}", same));
}

TEST(Grid, PointsWithoutRandomnessRunOnce) {
  const Grid grid = sample_grid(with_noise(R"("trials": 9, "grid": {"device.programming_error.magnitude": [0, 0.1]})"));
  EXPECT_EQ(grid.trials(0), 1u);
  EXPECT_EQ(grid.trials(1), 9u);
  EXPECT_TRUE(grid.point(0).deterministic);
  EXPECT_FALSE(grid.point(1).deterministic);
}

TEST(Grid, StuckCellsAreRandomWhereThereAreAny) {
  const Grid grid = sample_grid(
      R"({"trials": 9, "grid": {"device.faults.stuck_off": [0.1, 0], "device.faults.stuck_on": [0, 0.2]}})");
  for (const std::uint64_t point : {0, 1, 3}) EXPECT_EQ(grid.trials(point), 9u) << point;
  EXPECT_EQ(grid.trials(2), 1u);
  EXPECT_TRUE(grid.point(2).deterministic);
}

TEST(Grid, LayersAndPatternsBeatPlainAxes) {
  const Grid grid = sample_grid(R"({"hardware": {"adc.model": "quantizer"},
    "layers": [{"match": "/conv*", "adc.bits": 10}, {"match": "/conv2/*", "adc.bits": 11}],
    "grid": {"adc.bits": [4, 6], "dac.model@/fc*": ["ideal", "quantizer"]}})");
  const Point point = grid.point(3);
  EXPECT_EQ(point.hardware[0].adc.bits, 10);
  EXPECT_EQ(point.hardware[1].adc.bits, 11);
  EXPECT_EQ(point.hardware[2].adc.bits, 6);
  EXPECT_EQ(point.hardware[0].dac.model, ConverterModel::ideal);
  EXPECT_EQ(point.hardware[2].dac.model, ConverterModel::quantizer);
  const Json resolved = grid.resolved(3);
  EXPECT_EQ(resolved.at("adc.bits@/conv2/Conv"), 11);
  EXPECT_EQ(resolved.at("adc.model"), "quantizer");
  EXPECT_FALSE(resolved.contains("adc.bits"));
}

TEST(Grid, TheSameValuesInOtherLayersAreAnotherChip) {
  const Grid grid = sample_grid(R"({"hardware": {"adc.model": "quantizer"},
    "grid": {"adc.bits@/conv1/*": [4, 6], "adc.bits@/conv2/*": [4, 6], "adc.bits": [3, 5]}})");
  ASSERT_EQ(grid.size(), 8u);
  std::set<Id128> ids;
  for (std::uint64_t i = 0; i < grid.size(); ++i) {
    ids.insert(grid.id(i));
  }
  EXPECT_EQ(ids.size(), 8u);
  const Point point = grid.point(3);  // 4, 6, 5
  EXPECT_EQ(point.hardware[0].adc.bits, 4);
  EXPECT_EQ(point.hardware[1].adc.bits, 6);
  EXPECT_EQ(point.hardware[2].adc.bits, 5);
}

TEST(Grid, RefusesAnAxisWithoutEffectAndSaysWhy) {
  const auto problem = [](const std::string& members) { return message_of([&] { sample_grid(members); }); };
  EXPECT_EQ(problem(R"({"grid": {"adc.bits": [4, 6]}})"),
            "sweep.json: /grid/adc.bits: has no effect: adc.model is \"ideal\" at every point");
  EXPECT_THAT(problem(R"({"grid": {"device.programming_error.magnitude": [0.1, 0.2]}})"),
              HasSubstr("programming_error.model is \"none\""));
  EXPECT_THAT(problem(R"({"grid": {"device.programming_error.model": ["none", "normal_independent"]}})"),
              HasSubstr("magnitude is 0"));
  EXPECT_THAT(problem(R"({"grid": {"device.r_min": [1e3, 1e4]}})"), HasSubstr("there are no wires"));
  EXPECT_THAT(problem(R"({"grid": {"array.rows_max": [256, 512]}})"), HasSubstr("'/fc1/Gemm' has only 256 rows"));
  EXPECT_THAT(problem(R"({"grid": {"array.rows_partition": ["equal", "max"]}})"), HasSubstr("is not split"));
  EXPECT_THAT(problem(R"({"grid": {"adc.bits": [6]}})"), HasSubstr("adc.model is \"ideal\""));
  EXPECT_THAT(
      problem(
          R"({"hardware": {"adc.model": "quantizer"}, "layers": [{"match": "*", "adc.bits": 4}], "grid": {"adc.bits": [4, 6]}})"),
      HasSubstr("only 'adc.bits@pattern' beats 'layers'"));
  EXPECT_THAT(
      problem(R"({"layers": [{"match": "*", "analog": false}], "grid": {"core.style": ["balanced", "offset"]}})"),
      HasSubstr("is digital"));
  EXPECT_EQ(problem(R"({"grid": {"adc.bits": [4, 6], "adc.model": ["ideal", "quantizer"]}})"), "");
  EXPECT_THAT(
      problem(
          R"({"grid": {"adc.bits": [4, 6], "adc.model": ["ideal", "quantizer"]}, "exclude": [{"adc.model": "quantizer"}]})"),
      HasSubstr("/grid/adc.bits: has no effect"));
}

TEST(Grid, LeavesOutExcludedPointsAndKeepsTheOrder) {
  Json members = parse_json(with_noise(R"("grid": {"adc.bits": {"from": 1, "to": 16, "count": 16},
    "dac.bits": {"from": 1, "to": 16, "count": 16}, "array.rows_max": [16, 32, 64, "unlimited"]},
    "exclude": [{"adc.bits": [1, 3], "array.rows_max": 16}, {"dac.bits": {"above": 12}, "adc.bits": {"at_most": 8}},
                {"array.rows_max": {"at_least": 32}, "dac.bits": 5}])"),
                            "test");
  const Grid grid(sample_sweep(members), sample_context());
  std::vector<std::vector<Json>> expected;
  for (int adc = 1; adc <= 16; ++adc) {
    for (int dac = 1; dac <= 16; ++dac) {
      for (const Json& rows : Json::array({16, 32, 64, "unlimited"})) {
        const bool out = ((adc == 1 || adc == 3) && rows == 16) || (dac > 12 && adc <= 8) ||
                         (rows.is_number() && rows >= 32 && dac == 5);
        if (!out) {
          expected.push_back({adc, dac, rows});
        }
      }
    }
  }
  ASSERT_EQ(grid.size(), expected.size());
  for (std::uint64_t i = 0; i < grid.size(); ++i) {
    const Point point = grid.point(i);
    ASSERT_EQ((std::vector<Json>{point.axes[0].second, point.axes[1].second, point.axes[2].second}), expected[i]);
    ASSERT_EQ(point.index, i);
  }
  members["exclude"].push_back({{"adc.bits", {{"at_least", 1}}}});
  EXPECT_THAT(message_of([&] { Grid(sample_sweep(members), sample_context()); }), HasSubstr("leaves no point of 1024"));
}

TEST(Grid, RefusesWhatTheNetworkOrTheDataDoNotHave) {
  const auto problem = [](const std::string& members) { return message_of([&] { sample_grid(members); }); };
  EXPECT_THAT(problem(R"({"layers": [{"match": "/cnov1/Conv", "adc.bits": 4}]})"),
              HasSubstr("matches no layer\n  did you mean '/conv1/Conv'?"));
  EXPECT_THAT(problem(R"({"grid": {"core.style@/x": ["offset", "balanced"]}})"),
              HasSubstr("pattern '/x' matches no layer"));
  EXPECT_THAT(
      problem(
          R"({"grid": {"core.style@/conv*": ["offset", "balanced"], "core.style@/conv1/*": ["offset", "balanced"]}})"),
      HasSubstr("both set core.style in layer '/conv1/Conv'"));
  EXPECT_THAT(problem(R"({"dataset": {"path": "d", "images": {"first": 400, "count": 101}}})"),
              HasSubstr("images 400 to 500 are asked for, but split 'test' has 500"));
  EXPECT_THAT(
      problem(R"({"hardware": {"adc.model": "quantizer"}, "calibration": {"images": {"first": 900, "count": 101}}})"),
      HasSubstr("split 'train' has 1000"));
  EXPECT_THAT(problem(R"({"hardware": {"adc.model": "quantizer"}, "calibration": {"split": "test"}})"),
              HasSubstr("calibration must not see them"));
  EXPECT_EQ(problem(R"({"calibration": {"split": "test"}})"), "") << "nothing is calibrated";
  EXPECT_THAT(problem(R"({"hardware": {"device.cell_bits": 1}, "grid": {"core.style": ["balanced", "offset"]}})"),
              HasSubstr("point 1 (core.style = \"offset\") can't be built"));
  EXPECT_THAT(
      problem(R"({"hardware": {"device.faults.stuck_on": 0.6}, "grid": {"device.faults.stuck_off": [0.4, 0.5]}})"),
      HasSubstr("their sum must not exceed 1"));
  EXPECT_EQ(
      problem(
          R"({"grid": {"device.cell_bits": [1, 2], "core.style": ["balanced", "offset"]}, "exclude": [{"device.cell_bits": 1, "core.style": "offset"}]})"),
      "");
}

/// device.r_min has an effect beside wires only, whichever of them is an axis.
TEST(Grid, TellsResistancesApartWhereThereAreWires) {
  const Grid grid = sample_grid(R"({"grid": {"device.r_min": [5e3, 1e4], "array.wires.r_row": [0, 1]}})");
  ASSERT_EQ(grid.size(), 4u);
  EXPECT_EQ(grid.id(0), grid.id(2)) << "no wires";
  EXPECT_NE(grid.id(1), grid.id(3));
  EXPECT_NE(grid.id(0), grid.id(1));
  EXPECT_THAT(message_of([] { sample_grid(R"({"grid": {"device.r_min": [5e3, 1e4]}})"); }),
              testing::HasSubstr("has no effect: there are no wires"));
}

/// What wires do to other parameters' effects, across groups: which rows an array uses, how its noise is read.
TEST(Grid, TellsArraysWithWiresApart) {
  const std::string gated = R"("dac.model": "sign_magnitude", "dac.bits": 4, "dac.slice_bits": 1)";
  const Grid used = sample_grid(R"({"hardware": {"array.wires.r_col": 2, "array.rows_max": 1000, )" + gated + R"(},
                     "grid": {"array.wires.source": ["input", "separate"], "array.wires.used_rows": ["top", "bottom"]}})");
  ASSERT_EQ(used.size(), 4u);
  EXPECT_EQ(used.id(0), used.id(1)) << "the input source";
  EXPECT_NE(used.id(2), used.id(3));
  EXPECT_NE(used.id(0), used.id(2));
  const Grid noise = sample_grid(R"({"hardware": {"device.read_noise.model": "normal_independent",
                                                  "device.read_noise.magnitude": 0.1},
                     "grid": {"array.wires.r_row": [0, 1], "array.wires.read_noise": ["first_order", "exact"]}})");
  EXPECT_EQ(noise.id(0), noise.id(1)) << "no wires";
  EXPECT_NE(noise.id(2), noise.id(3));
  const auto problem = [](const char* text) { return message_of([&] { sample_grid(text); }); };
  EXPECT_THAT(
      problem(
          R"({"hardware": {"array.wires.r_row": 1}, "grid": {"array.wires.read_noise": ["first_order", "exact"]}})"),
      testing::HasSubstr("has no effect: there is no read noise"));
  EXPECT_THAT(problem(R"({"grid": {"array.wires.source": ["input", "separate"], "array.wires.r_row": [1, 2]}})"),
              testing::HasSubstr("gates the cells, so inputs must come bit by bit: dac.slice_bits 1, or dac.model "
                                 "\"pulse_width\" (/grid/array.wires.source/1"));
  EXPECT_THAT(
      problem(R"({"hardware": {"device.iv.model": "cubic"}, "grid": {"dac.model": ["quantizer", "pulse_width"]}})"),
      testing::HasSubstr("pulse_width\" with nonlinear cells is simulated between wires only"));
}

/// Windows that share arrays are a convolution's, and decide about its rows and columns.
TEST(Grid, TellsWindowsPerArrayApart) {
  const Grid grid = sample_grid(R"({"grid": {"window.x@/conv1/*": [1, 2], "array.rows_max@/conv1/*": [9, "unlimited"],
                                             "array.cols_max@/conv1/*": [8, "unlimited"]}})");
  ASSERT_EQ(grid.size(), 8u);
  for (std::uint64_t point = 1; point < 4; ++point) EXPECT_EQ(grid.id(0), grid.id(point)) << "9 rows, 8 columns";
  for (std::uint64_t a = 4; a < 8; ++a) {
    EXPECT_NE(grid.id(0), grid.id(a));
    for (std::uint64_t b = 4; b < a; ++b) EXPECT_NE(grid.id(a), grid.id(b)) << "18 rows, 16 columns";
  }
  const auto id = [](const std::string& layers) { return sample_grid(R"({"layers": [)" + layers + "]}").id(0); };
  EXPECT_EQ(id(R"({"match": "*", "window.x": 2})"), id(R"({"match": "/conv*", "window.x": 2})")) << "others have none";
  EXPECT_NE(id(R"({"match": "*", "window.x": 2})"), id(R"({"match": "*", "window.y": 2})"));
  EXPECT_EQ(id(R"({"match": "*", "window.x": 1})"), id(""));
  const auto problem = [](const char* text) { return message_of([&] { sample_grid(text); }); };
  EXPECT_THAT(problem(R"({"layers": [{"match": "/conv*", "window.y": 2}, {"match": "/fc*", "window.x": 2}]})"),
              testing::HasSubstr("sweep.json: /layers/1/window.x: no layer that '/fc*' matches can have it: layer "
                                 "'/fc1/Gemm' is no convolution"));
  EXPECT_THAT(problem(R"({"layers": [{"match": "/conv2/*", "window.y": 64, "window.x": 64}]})"),
              testing::HasSubstr("make a matrix of 294912 x 65536 cells, more than 268435456 (/layers/0/window.x, "
                                 "/layers/0/window.y)"));
  EXPECT_THAT(problem(R"({"grid": {"window.x@/fc*": [1, 2]}})"),
              testing::HasSubstr("has no effect: layer '/fc1/Gemm' is no convolution"));
}

/// Ranges of a quantised model become its numbers, so that they are the same chips as those that say them.
TEST(Grid, TakesRangesFromTheModel) {
  GridContext context = sample_context();
  context.layers[0].grids.inputs = QuantizedGrid{0.5, 0, 0, 255};
  context.layers[0].grids.weights = QuantizedGrid{0.25, 0, -128, 127};
  context.layers[1].grids.inputs = QuantizedGrid{0.1, 100, 0, 255};
  context.layers[1].grids.other_scales = true;
  const auto grid = [&](const std::string& members) {
    return Grid(sample_sweep(parse_json(members, "test")), context);
  };
  const auto conv1 = [&](const std::string& settings) {
    return grid(R"({"layers": [{"match": "/conv1/*", "dac.model": "quantizer", )" + settings + "}]}").point(0);
  };
  const Point taken = conv1(R"("dac.range": "from_model", "core.clip": "from_model")");
  EXPECT_EQ(taken.hardware[0].dac.fixed_range, (Interval{0, 127.5}));
  EXPECT_EQ(taken.hardware[0].core.clip, (WeightClip{WeightClip::Rule::limit, 31.75}));
  EXPECT_EQ(taken.id, conv1(R"("dac.range": [0, 127.5], "core.clip": {"limit": 31.75})").id);
  EXPECT_NE(taken.id, conv1(R"("dac.range": [0, 128], "core.clip": {"limit": 31.75})").id);
  const auto conv2 = [&](const std::string& model) {
    return grid(R"({"layers": [{"match": "/conv2/*", "dac.range": "from_model", "dac.model": ")" + model + "\"}]}")
        .point(0)
        .hardware[1]
        .dac.fixed_range;
  };
  EXPECT_NEAR(conv2("quantizer").low, -10, 1e-12);
  EXPECT_NEAR(conv2("quantizer").high, 15.5, 1e-12);
  EXPECT_NEAR(conv2("sign_magnitude").low, -10, 1e-12);
  EXPECT_NEAR(conv2("sign_magnitude").high, 10, 1e-12) << "its symmetric part";
  EXPECT_EQ(grid(R"({"hardware": {"dac.range": "from_model"}})").point(0).hardware[2].dac, DacConfig{}) << "inert";
  // A scale for each output: beside the limit of the largest one.
  context.layers[2].grids.weights = QuantizedGrid{0.25, 0, -128, 127};
  context.layers[2].grids.weight_factors = {1, 0.5, 0.25};
  const Grid scaled = grid(R"({"grid": {"core.clip@/fc1/*": ["from_model", {"limit": 31.75}, 1]}})");
  EXPECT_EQ(scaled.point(0).hardware[2].core.clip.value, 31.75);
  EXPECT_EQ(scaled.point(0).hardware[2].core.column_scales, (std::vector{1.0, 0.5, 0.25}));
  EXPECT_NE(scaled.point(0).id, scaled.point(1).id);
  EXPECT_TRUE(scaled.point(1).hardware[2].core.column_scales.empty());
  EXPECT_TRUE(scaled.point(2).hardware[2].core.column_scales.empty());

  const auto problem = [&](const char* text) { return message_of([&] { grid(text); }); };
  EXPECT_THAT(problem(R"({"hardware": {"dac.model": "quantizer", "dac.range": "from_model"}})"),
              testing::AllOf(testing::HasSubstr("layer '/fc1/Gemm': dac.range \"from_model\": the model gives the "
                                                "layer's inputs no scale"),
                             testing::HasSubstr("it has them for /conv1/Conv, /conv2/Conv (/hardware/dac.range)"),
                             testing::Not(testing::HasSubstr("layer '/conv"))));
  EXPECT_THAT(
      problem(R"({"grid": {"core.clip@/conv2/*": [1, "from_model"]}})"),
      testing::AllOf(testing::HasSubstr("point 1"),
                     testing::HasSubstr("several scales, but not one for each output; it has them for /conv1/Conv")));
}

}  // namespace
}  // namespace crossgrid
