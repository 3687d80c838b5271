#include "crossgrid/sweep/problem_list.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace crossgrid {

namespace {

/// A line for each problem; its further lines stand below it.
std::string text_of(const std::vector<std::string>& list) {
  std::string text = fmt::format("{} problems:", list.size());
  for (const std::string& problem : list) {
    text += "\n  ";
    for (const char c : problem) {
      text += c;
      if (c == '\n') {
        text += "  ";
      }
    }
  }
  return text;
}

}  // namespace

Problems::Problems(std::vector<std::string> list) : Error(ExitCode::bad_input, text_of(list)), list_(std::move(list)) {}

void ProblemList::add(std::string problem) {
  if (std::find(list_.begin(), list_.end(), problem) == list_.end()) {
    list_.push_back(std::move(problem));
  }
}

void ProblemList::throw_if_any() const {
  if (list_.size() == 1) {
    throw Error(ExitCode::bad_input, list_.front());
  }
  if (!list_.empty()) {
    throw Problems(list_);
  }
}

}  // namespace crossgrid
