// The meta protocol's lines: LineBuffer against a plain search, parse_line against joining again.
#include <algorithm>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/proto/line.h"

using namespace wattle;

namespace {

void check_line(std::string_view text) {
  const auto line = parse_line(text);
  if (!line) return;
  std::string joined;
  for (const std::string_view word : line->words) joined.append(word).push_back(' ');
  for (const auto& [key, value] : line->keys)
    joined.append(key).append("=").append(value).push_back(' ');
  joined.pop_back();
  WATTLE_CHECK(joined == text && !line->words.empty());
  for (const auto& [key, value] : line->keys) {
    WATTLE_CHECK(line->find(key).has_value());
    const auto all = line->find_all(key);
    WATTLE_CHECK(std::find(all.begin(), all.end(), value) != all.end());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] + std::size_t{1};  // how the stream arrives
  const std::string_view stream = as_text({data + 1, size - 1});
  LineBuffer buffer;
  std::size_t expected = 0;  // where the next line begins
  for (std::size_t at = 0; at < stream.size(); at += step) {
    buffer.feed(stream.substr(at, step));
    while (const auto line = buffer.next()) {
      const std::size_t end = stream.find('\n', expected);
      WATTLE_CHECK(end != std::string_view::npos && end - expected < kMaxLine);
      WATTLE_CHECK(stream.substr(expected, end - expected) == *line);
      expected = end + 1;
      check_line(*line);
    }
  }
  if (buffer.overlong()) {
    WATTLE_CHECK(stream.substr(expected, kMaxLine).find('\n') == std::string_view::npos);
    WATTLE_CHECK(stream.size() - expected >= kMaxLine);
  } else {
    WATTLE_CHECK(stream.substr(expected) == buffer.take_rest());
  }
  check_line(stream);
  return 0;
}
