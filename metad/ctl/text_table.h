// Columns for people. Pure.
#pragma once

#include <string>
#include <vector>

namespace wattle::ctl {

using Row = std::vector<std::string>;

// Columns two blanks apart; no trailing blanks; each row ends with a line feed.
std::string text_table(const std::vector<Row>& rows);
// "-" for nothing.
std::string or_dash(const std::string& text);

}  // namespace wattle::ctl
