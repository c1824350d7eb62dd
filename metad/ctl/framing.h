// The tiny format between `wattle join` and its two helpers: one message each way over a pipe, a
// u32 length and that many bytes; inside, fixed fields and u32-counted strings, all big endian.
#pragma once

#include <string>
#include <string_view>

#include "common/base/reader.h"
#include "common/base/writer.h"

namespace wattle::ctl {

inline constexpr std::size_t kMaxHelperMessage = 1024 * 1024;  // length field included
inline constexpr std::size_t kMaxFetched = 256 * 1024;         // one thing fetched from a registry

// Prepends the length. CHECKs the bound: the makers of messages keep it.
Bytes frame_message(ByteView body);
// The body of exactly one framed message; Truncated, Trailing, or Full for a length over the bound.
Result<ByteView> unframe_message(ByteView bytes);

void write_counted(Writer& out, ByteView bytes);
inline void write_counted(Writer& out, std::string_view text) {
  write_counted(out, as_bytes(text));
}
// At most `max` bytes; fails the reader (which then yields empty views) when there are more.
ByteView read_counted(Reader& in, std::size_t max);
std::string read_counted_text(Reader& in, std::size_t max);

// True if every byte is printable ASCII (0x20..0x7e): what may reach a terminal.
bool is_printable(std::string_view text);
// The text cut to `max` bytes with every other byte replaced by '?'.
std::string printable(std::string_view text, std::size_t max);

}  // namespace wattle::ctl
