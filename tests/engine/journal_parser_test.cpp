#include "crossgrid/engine/journal_parser.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace crossgrid {
namespace {

/// What a line is read as, in words.
std::string reading(const std::string& line) {
  std::string padded = line, problem;
  padded.resize(line.size() + journal_padding(), '7');  // a digit: whoever reads on behind the line gets other numbers
  JournalParser parser;
  const auto record = parser.parse(std::string_view(padded).substr(0, line.size()), problem);
  if (!record) return "no record";
  if (const auto* point = std::get_if<PointDefinition>(&*record)) return "point " + point->id.hex();
  const auto* unit = std::get_if<UnitRecord>(&*record);
  if (unit == nullptr) return fmt::format("kind {}", record->index());
  std::string text;
  append_journal_line(text, unit->point, unit->result, unit->host);
  return text + fmt::format("{:a}", unit->result.seconds);
}

/// With a space that none of our lines has: read as any JSON is.
std::string read_by_the_library(const std::string& line) {
  return reading(line.substr(0, 1) + " " + line.substr(1));
}

UnitResult random_result(std::mt19937_64& random) {
  const auto sometimes = [&](std::uint64_t value) { return random() % 4 == 0 ? value : random() % 100; };
  UnitResult result;
  result.unit = {0, static_cast<std::uint32_t>(sometimes(random())), sometimes(random()),
                 static_cast<std::uint32_t>(sometimes(random()))};
  const char* const names[] = {"top1", "loss", "layer_error", "caf\xC3\xA9", "a\"b", ""};
  for (std::uint64_t k = random() % 4; k > 0; --k) {
    MetricSum& sum = result.metrics[names[random() % std::size(names)]];
    sum.sum = static_cast<Int128>(static_cast<std::int64_t>(random())) * static_cast<std::int64_t>(sometimes(random()));
    sum.count = sometimes(random());
    sum.clamped = random() % 3 == 0 ? random() % 5 : 0;
    sum.not_finite = random() % 3 == 0 ? random() % 5 : 0;
  }
  result.seconds =
      random() % 5 == 0 ? 0 : std::ldexp(static_cast<double>(random() % 100'000), static_cast<int>(random() % 60) - 40);
  result.attempts = static_cast<std::uint32_t>(random() % 3);
  if (random() % 10 == 0) result.status = UnitStatus::failed, result.reason = "bang", result.log = "line\n";
  return result;
}

// Lines as they are written are read without a document of each; what that gives must be what JSON's library gives.
TEST(JournalParser, ReadsItsOwnLinesAsTheLibraryDoes) {
  std::mt19937_64 random(17);
  int units = 0;
  for (int k = 0; k < 20'000; ++k) {
    std::string line;
    const Id128 id{random(), random()};
    if (k % 10 == 0) {
      line = journal_line(PointDefinition{id, R"({"adc.bits":8,"device.clip":[1,"a"]})"});
    } else {
      append_journal_line(line, id, random_result(random), k % 7 == 0 ? "h\xC3\xB6st" : "host");
    }
    line.pop_back();
    // A few bytes of most are changed, to what is often in such lines.
    const std::string bytes = "0123456789-+.eE\"{}[]:,\\ \x01nt";
    for (std::uint64_t changes = random() % 3; changes > 0; --changes) {
      const std::size_t at = 20 + random() % (line.size() - 20);
      switch (random() % 3) {
        case 0:
          line[at] = bytes[random() % bytes.size()];
          break;
        case 1:
          line.erase(at, 1);
          break;
        default:
          line.insert(at, 1, bytes[random() % bytes.size()]);
      }
    }
    const std::string found = reading(line);
    // Of definitions nothing but the id is looked at.
    if (found.starts_with("point ") && k % 10 == 0) continue;
    EXPECT_EQ(found, read_by_the_library(line)) << line;
    if (found.starts_with("{")) ++units;
  }
  EXPECT_GT(units, 4'000);
}

TEST(JournalParser, ReadsTheIdOfADefinition) {
  const Id128 id{3, 5};
  std::string line = journal_line(PointDefinition{id, R"({"adc.bits":8})"});
  line.pop_back();
  EXPECT_EQ(reading(line), "point " + id.hex());
  EXPECT_EQ(read_by_the_library(line), "point " + id.hex());
  const auto without = [&](const std::string& part) {
    std::string changed = line;
    return changed.erase(changed.find(part), part.size());
  };
  EXPECT_EQ(reading(without("\"parameters\":{\"adc.bits\":8}")), "no record");
  EXPECT_EQ(reading(without("00000005")), "no record");
}

TEST(JournalParser, KeepsToTheLinesEnd) {
  std::string line;
  UnitResult result;
  result.unit = {0, 1, 2, 3};
  append_journal_line(line, Id128{1, 2}, result, "host");
  line.pop_back();
  for (std::size_t size = 0; size < line.size(); ++size) EXPECT_EQ(reading(line.substr(0, size)), "no record") << size;
  EXPECT_NE(reading(line), "no record");
  EXPECT_EQ(reading(line + "}"), "no record");
}

}  // namespace
}  // namespace crossgrid
