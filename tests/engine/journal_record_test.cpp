#include "crossgrid/engine/journal_record.hpp"

#include <gtest/gtest.h>

#include "crossgrid/base/error.hpp"
#include "crossgrid/engine/journal_parser.hpp"
#include "engine/storage_sample.hpp"

namespace crossgrid {
namespace {

std::optional<JournalRecord> parse(const std::string& line, std::string* why = nullptr) {
  std::string padded = line.substr(0, line.size() - 1);
  const std::size_t size = padded.size();
  padded.resize(size + journal_padding());
  std::string problem;
  auto record = JournalParser().parse({padded.data(), size}, problem);
  if (why != nullptr) *why = problem;
  return record;
}

std::string unit_line(const UnitResult& result, const std::string& host = "alpha") {
  std::string line;
  append_journal_line(line, sample_id(result.unit.point), result, host);
  return line;
}

// The format is for ever: these bytes, checksums included, were computed by Python's zlib.crc32.
TEST(JournalRecord, LinesAreTheDocumentedBytes) {
  UnitResult result;
  result.unit = {7, 2, 100, 50};
  result.metrics["top1"].sum = static_cast<Int128>(45) << 32;
  result.metrics["top1"].count = 50;
  result.metrics["loss"].sum = -(static_cast<Int128>(1) << 100);
  result.metrics["loss"].count = 48;
  result.metrics["loss"].clamped = 1;
  result.metrics["loss"].not_finite = 2;
  result.seconds = 0.125;
  std::string line;
  append_journal_line(line, Id128{1, 2}, result, "alpha");
  EXPECT_EQ(
      line,
      R"({"crc":"503dfa5f","kind":"unit","point":"00000000000000010000000000000002","trial":2,"first":100,"count":50,)"
      R"("status":"done","metrics":{"loss":{"sum":"-1267650600228229401496703205376","count":48,"clamped":1,)"
      R"("not_finite":2},"top1":{"sum":"193273528320","count":50}},"seconds":0.125,"attempts":1,"host":"alpha"})"
      "\n");
  EXPECT_EQ(journal_line(OwnerRecord{"alpha", 42, "b", "2026-11-24T02:48:39Z", "2026-11-24T02:49:39Z", true}),
            R"({"crc":"eb47d688","kind":"owner","host":"alpha","pid":42,"boot":"b","started":"2026-11-24T02:48:39Z",)"
            R"("heartbeat":"2026-11-24T02:49:39Z","released":true})"
            "\n");
  EXPECT_EQ(journal_line(PointDefinition{Id128{1, 2}, R"({"adc.bits":6})"}),
            R"({"crc":"75bb987f","kind":"point","id":"00000000000000010000000000000002","parameters":{"adc.bits":6}})"
            "\n");
  const std::string based = journal_line(PointDefinition{Id128{1, 2}, R"({"adc.bits":6})", Id128{3, 4}});
  EXPECT_EQ(based.substr(18),
            R"("kind":"point","id":"00000000000000010000000000000002","base":"00000000000000030000000000000004",)"
            R"("parameters":{"adc.bits":6}})"
            "\n");
}

TEST(JournalRecord, UnitsReadBack) {
  UnitResult result = sample_result(3, 4, 200, 100);
  result.metrics["loss"].sum = -((static_cast<Int128>(1) << 126) + 12345);
  result.metrics["loss"].clamped = 7;
  result.metrics["loss"].not_finite = ~std::uint64_t{0} >> 1;
  const auto record = parse(unit_line(result, "a \"host\"\n\xc3\xa4"));
  ASSERT_TRUE(record);
  const auto& unit = std::get<UnitRecord>(*record);
  EXPECT_EQ(unit.point, sample_id(3));
  EXPECT_EQ(unit.host, "a \"host\"\n\xc3\xa4");
  EXPECT_EQ(unit.result.unit, (Unit{0, 4, 200, 100}));
  EXPECT_EQ(unit.result.metrics, result.metrics);
  EXPECT_EQ(unit.result.seconds, 0.25);
  EXPECT_EQ(unit.result.status, UnitStatus::done);
}

TEST(JournalRecord, FailuresReadBackWithTheirReason) {
  UnitResult result = sample_failure(3, 1, 0, 100);
  result.signal = 11;
  result.log = "line\nlast \"line\"";
  const std::string line = unit_line(result);
  EXPECT_NE(line.find("\"replay\":\"crossgrid replay . --point " + sample_id(3).hex() + " --trial 1 --images 0..99\""),
            std::string::npos)
      << line;
  const auto record = parse(line);
  ASSERT_TRUE(record);
  EXPECT_EQ(std::get<UnitRecord>(*record).result.signal, 11);
  EXPECT_EQ(std::get<UnitRecord>(*record).result.log, result.log);
  const auto& unit = std::get<UnitRecord>(*record);
  EXPECT_EQ(unit.result.status, UnitStatus::failed);
  EXPECT_EQ(unit.result.attempts, 3u);
  EXPECT_EQ(unit.result.reason, "killed by signal 11 (SIGSEGV)\nlast line");
}

TEST(JournalRecord, ALongOrBrokenReasonStillMakesALine) {
  UnitResult result = sample_failure(0, 0, 0, 1);
  result.reason = std::string(3 << 20, 'x') + "\xff";
  EXPECT_LT(unit_line(result).size(), 10'000u);
  result.log = std::string(1 << 20, 'y') + "the last words";
  EXPECT_LT(unit_line(result).size(), 20'000u);
  EXPECT_TRUE(std::get<UnitRecord>(*parse(unit_line(result))).result.log.ends_with("the last words"));
  result.reason = "bytes \xff\xfe that are no text";
  const auto record = parse(unit_line(result));
  ASSERT_TRUE(record);
  EXPECT_TRUE(std::get<UnitRecord>(*record).result.reason.starts_with("bytes "));
}

// As the first programs wrote them: without signal, log and command.
TEST(JournalRecord, FailuresOfOlderProgramsAreRead) {
  const std::string line = unit_line(sample_failure(3, 1, 0, 100));
  const auto record = parse(line.substr(0, line.find(",\"log\"")) + "}\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(std::get<UnitRecord>(*record).result.reason, "killed by signal 11 (SIGSEGV)\nlast line");
  EXPECT_EQ(std::get<UnitRecord>(*record).result.log, "");
}

TEST(JournalRecord, HeadersReadBack) {
  const JournalHeader header = sample_header();
  const auto record = parse(journal_line(header));
  ASSERT_TRUE(record);
  const auto& read = std::get<JournalHeader>(*record);
  EXPECT_EQ(read.format, journal_format_version);
  EXPECT_EQ(read.physics_version, physics_version);
  EXPECT_EQ(read.numeric_class, header.numeric_class);
  EXPECT_EQ(read.seed, 1u);
  EXPECT_EQ(read.images, 200u);
  EXPECT_EQ(read.dataset, header.dataset);
  EXPECT_EQ(read.sweep, header.sweep);
  EXPECT_EQ(journal_line(read), journal_line(header));
}

TEST(JournalRecord, OwnersReadBack) {
  const OwnerRecord owner{"beta", 99, "boot", "2026-11-24T02:48:39Z", "2026-11-24T02:49:39Z", true};
  const auto record = parse(journal_line(owner));
  ASSERT_TRUE(record);
  EXPECT_EQ(std::get<OwnerRecord>(*record), owner);
}

TEST(JournalRecord, DefinitionsReadBack) {
  for (const std::optional<Id128> base : {std::optional<Id128>(), std::optional(sample_id(6))}) {
    const auto record = parse(journal_line(PointDefinition{sample_id(5), R"({"adc.bits":6,"adc.model":"sar"})", base}));
    ASSERT_TRUE(record);
    EXPECT_EQ(std::get<PointDefinition>(*record).id, sample_id(5));
  }
}

TEST(JournalRecord, ChangedParametersAreThoseThatDiffer) {
  const Json base{{"adc.bits", 6}, {"adc.model", "sar"}, {"dac.bits", 4}};
  EXPECT_EQ(changed_parameters(base, base), Json::object());
  EXPECT_EQ(changed_parameters(base, Json{{"adc.bits", 7}, {"adc.model", "sar"}, {"dac.bits", 4}}),
            (Json{{"adc.bits", 7}}));
  EXPECT_EQ(changed_parameters(base, Json{{"adc.bits", 6}, {"seed", 1}, {"dac.bits", 4}}),
            (Json{{"seed", 1}, {"adc.model", nullptr}}));
  EXPECT_EQ(changed_parameters(base, Json{{"dac.bits", 4}, {"adc.model", "sar"}, {"adc.bits", 6}}), Json::object());
  EXPECT_EQ(changed_parameters(base, Json::object()),
            (Json{{"adc.bits", nullptr}, {"adc.model", nullptr}, {"dac.bits", nullptr}}));
}

// It would be read as "not there".
TEST(JournalRecord, AParameterThatBecomesNullIsNoChange) {
  EXPECT_EQ(changed_parameters(Json{{"a", 1}}, Json{{"a", nullptr}}), std::nullopt);
  EXPECT_EQ(changed_parameters(Json::object(), Json{{"a", nullptr}}), std::nullopt);
  EXPECT_EQ(changed_parameters(Json{{"a", nullptr}}, Json{{"a", nullptr}}), Json::object());
}

TEST(JournalRecord, AnUnknownKindIsNamedNotRefused) {
  const auto record = parse("{\"crc\":\"00000000\",\"kind\":\"epoch\",\"loss\":1}\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(std::get<UnknownRecord>(*record).kind, "epoch");
}

TEST(JournalRecord, AUnitWithoutItsMembersIsNoRecord) {
  std::string why;
  EXPECT_FALSE(parse("{\"crc\":\"00000000\",\"kind\":\"unit\",\"trial\":1}\n", &why));
  EXPECT_FALSE(why.empty());
}

TEST(JournalRecord, ChecksumCoversTheRestOfTheLine) {
  const std::string line = unit_line(sample_result(1, 1, 0, 100));
  const std::string text = line.substr(0, line.size() - 1);
  EXPECT_TRUE(journal_checksum_holds(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x01);
    EXPECT_FALSE(journal_checksum_holds(damaged)) << i;
  }
  EXPECT_FALSE(journal_checksum_holds(""));
  EXPECT_FALSE(journal_checksum_holds("{\"crc\":\"00000000\","));
}

TEST(JournalRecord, ALineBeyondTheLimitIsRefusedWhereItIsWritten) {
  EXPECT_THROW(journal_line(PointDefinition{sample_id(0), "{\"x\":\"" + std::string(journal_line_limit, 'x') + "\"}"}),
               Error);
}

}  // namespace
}  // namespace crossgrid
