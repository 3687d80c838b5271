#pragma once

/// JSON in the form that this program writes it, scanned without a parser.
namespace crossgrid {

/// Whether a byte stands for itself in a JSON text, in whatever encoding.
bool is_plain(char c);

/// The end of the JSON number that begins at `at`; null where there is none, or it has more than 18 digits before the
/// point, 99 behind it or 2 in its exponent: what ends is below 10^18 where it is an integer, and no more than a double
/// can be. The bytes end with one that can be in no number.
const char* after_number(const char* at);

}  // namespace crossgrid
