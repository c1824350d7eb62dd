#include "metad/ctl/framing.h"

#include <algorithm>

namespace wattle::ctl {

namespace {
bool is_plain(char c) { return c >= 0x20 && c <= 0x7e; }
}  // namespace

Bytes frame_message(ByteView body) {
  WATTLE_CHECK(body.size() + 4 <= kMaxHelperMessage);
  Bytes out;
  out.reserve(body.size() + 4);
  Writer(out).u32(static_cast<std::uint32_t>(body.size())).bytes(body);
  return out;
}

Result<ByteView> unframe_message(ByteView bytes) {
  Reader in(bytes);
  const std::uint32_t length = in.u32();
  if (!in.ok()) return Errc::Truncated;
  if (length > kMaxHelperMessage - 4) return Errc::Full;
  const ByteView body = in.view(length);
  WATTLE_TRY(in.finish());
  return body;
}

void write_counted(Writer& out, ByteView bytes) {
  out.u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
}

ByteView read_counted(Reader& in, std::size_t max) {
  const std::uint32_t length = in.u32();
  if (length > max) {
    in.skip(in.left() + 1);  // makes the error stick
    return {};
  }
  return in.view(length);
}

std::string read_counted_text(Reader& in, std::size_t max) {
  return std::string(as_text(read_counted(in, max)));
}

bool is_printable(std::string_view text) { return std::all_of(text.begin(), text.end(), is_plain); }

std::string printable(std::string_view text, std::size_t max) {
  std::string out(text.substr(0, max));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_plain(c); }, '?');
  return out;
}

}  // namespace wattle::ctl
