#pragma once

#include <string>
#include <utility>
#include <vector>

#include "crossgrid/base/error.hpp"

namespace crossgrid {

/// Several mistakes of one input, told at once.
class Problems : public Error {
 public:
  explicit Problems(std::vector<std::string> list);
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::vector<std::string> list_;
};

/// Collects what parts of an input are refused for, so that the user sees all of it before anything else is done.
class ProblemList {
 public:
  /// Runs one part of the reading. Error(bad_input), or Problems, is kept and false returned; other errors pass.
  template <class Part>
  bool attempt(const Part& part) {
    try {
      part();
      return true;
    } catch (const Problems& several) {
      for (const std::string& problem : several.list()) add(problem);
    } catch (const Error& error) {
      if (error.code() != ExitCode::bad_input) throw;
      add(error.what());
    }
    return false;
  }
  /// Ignores what is there already.
  void add(std::string problem);
  bool empty() const { return list_.empty(); }
  /// One problem is thrown as it was, several as Problems.
  void throw_if_any() const;

 private:
  std::vector<std::string> list_;
};

}  // namespace crossgrid
