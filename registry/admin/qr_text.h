// A QR code for a terminal: two rows of its modules in one line of UTF-8 half blocks.
#pragma once

#include <string>

#include "common/base/result.h"

namespace wattle::registry {

// With a quiet zone of four modules around it. `colours`: with escape sequences that make light
// modules white and dark ones black whatever the terminal's colours; else light modules are drawn
// as blocks, as on a dark terminal. Full if the text is longer than a QR code holds.
Result<std::string> qr_text(const std::string& text, bool colours);

}  // namespace wattle::registry
