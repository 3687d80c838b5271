#pragma once

#include <string>
#include <string_view>

namespace crossgrid {

/// `text` as HTML and SVG show it, between tags and in quoted attributes: & < > " ' escaped, control characters and
/// bytes that are no UTF-8 replaced.
std::string html_text(std::string_view text);

/// At most `characters`, the last one then "…".
std::string shortened(std::string_view text, std::size_t characters);

}  // namespace crossgrid
