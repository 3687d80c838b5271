#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "crossgrid/base/error.hpp"
#include "crossgrid/sweep/sweep_file.hpp"

/// The corpus: sweep files that schema and parser accept (good), that both refuse (bad), and that only the parser can
/// refuse, because JSON Schema has no word for it (parser_only). Beside each refused file, NAME.txt holds a part of
/// the message.
namespace crossgrid {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> files(const std::string& kind) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(fs::path(CROSSGRID_TEST_SOURCE_DIR) / "tests/sweep" / kind)) {
    if (entry.path().extension() == ".json") {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  EXPECT_FALSE(found.empty()) << kind;
  return found;
}

class SweepSchema : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto document = nlohmann::json::parse(sweep_schema().dump());
    valijson::SchemaParser parser;
    schema_ = new valijson::Schema;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document), *schema_);
  }
  static void TearDownTestSuite() {
    delete schema_;
    schema_ = nullptr;
  }

  /// Empty where the schema accepts the file, else its complaints.
  static std::string schema_problem(const fs::path& path) {
    const auto document = nlohmann::json::parse(text_of(path));
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(*schema_, valijson::adapters::NlohmannJsonAdapter(document), &results)) {
      return "";
    }
    std::string problems = "refused";
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      problems += "\n" + error.description;
    }
    return problems;
  }

  static std::string parser_problem(const fs::path& path) {
    try {
      read_sweep(path);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  static void expect_message(const fs::path& path) {
    std::string expected = text_of(fs::path(path).replace_extension(".txt"));
    ASSERT_FALSE(expected.empty()) << path;
    expected.pop_back();  // the newline
    const std::string problem = parser_problem(path);
    EXPECT_NE(problem.find(expected), std::string::npos) << path << "\nsays: " << problem << "\nexpected: " << expected;
  }

  static valijson::Schema* schema_;
};

valijson::Schema* SweepSchema::schema_ = nullptr;

TEST_F(SweepSchema, AcceptsWhatTheParserAccepts) {
  for (const fs::path& path : files("good")) {
    EXPECT_EQ(parser_problem(path), "") << path;
    EXPECT_EQ(schema_problem(path), "") << path;
  }
}

TEST_F(SweepSchema, RefusesWhatTheParserRefuses) {
  for (const fs::path& path : files("bad")) {
    expect_message(path);
    EXPECT_NE(schema_problem(path), "") << path;
  }
}

TEST_F(SweepSchema, CantSeeWhatIsListedAsTheParsersAlone) {
  for (const fs::path& path : files("parser_only")) {
    expect_message(path);
    EXPECT_EQ(schema_problem(path), "") << path << ": the schema sees it: move it to bad/";
  }
}

TEST_F(SweepSchema, AcceptsTheSweepsThatShip) {
  const fs::path folder = fs::path(CROSSGRID_TEST_SOURCE_DIR) / "sweeps";
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json" && entry.path().filename() != "schema.json") {
      EXPECT_EQ(schema_problem(entry.path()), "") << entry.path();
      EXPECT_EQ(parser_problem(entry.path()), "") << entry.path();
    }
  }
}

TEST_F(SweepSchema, IsTheFileThatShips) {
  const fs::path shipped = fs::path(CROSSGRID_TEST_SOURCE_DIR) / "sweeps/schema.json";
  const std::string made = sweep_schema().dump(2) + "\n";
  if (text_of(shipped) != made) {
    const fs::path fresh = fs::temp_directory_path() / "crossgrid-schema.json";
    std::ofstream(fresh) << made;
    FAIL() << shipped << " is out of date: cp " << fresh << " " << shipped;
  }
}

}  // namespace
}  // namespace crossgrid
