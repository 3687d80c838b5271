#pragma once

#include <optional>
#include <string_view>

#include "crossgrid/engine/journal_record.hpp"

namespace crossgrid {

/// The record of a unit that is done, read from `members`, the line behind its checksum, without a document of it:
/// nearly all lines are such. Nothing where they are not in the very form that append_journal_line() writes, whether
/// they are a good record or not. Error(bad_input) as JournalParser has it.
std::optional<UnitRecord> plain_unit(std::string_view members);

}  // namespace crossgrid
