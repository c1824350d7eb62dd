#include "common/proto/line.h"

#include "common/base/mutant.h"

#include <algorithm>

namespace wattle {
namespace {

constexpr std::size_t kMaxKey = 32;

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= kMaxKey &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

}  // namespace

std::optional<std::string_view> Line::find(std::string_view key) const {
  for (const auto& [name, value] : keys)
    if (name == key) return value;
  return std::nullopt;
}

std::vector<std::string_view> Line::find_all(std::string_view key) const {
  std::vector<std::string_view> out;
  for (const auto& [name, value] : keys)
    if (name == key) out.push_back(value);
  return out;
}

Result<Line> parse_line(std::string_view text) {
  if (WATTLE_CHECKED(line_length, text.size() >= kMaxLine)) return Errc::Full;
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7e; };
  if (!WATTLE_CHECKED(line_printable, std::all_of(text.begin(), text.end(), printable)))
    return Errc::BadSyntax;
  Line out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t blank = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, blank - at);
    at = blank + 1;
    if (word.empty()) return Errc::BadSyntax;
    const std::size_t equals = word.find('=');
    const bool keyed = equals != std::string_view::npos && is_key(word.substr(0, equals));
    if (keyed && !out.words.empty()) {
      out.keys.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    } else if (keyed || !out.keys.empty() || equals == 0) {
      return Errc::BadSyntax;  // no request in front, a positional word behind a key, or no key
    } else {
      out.words.push_back(word);
    }
  }
  return out;
}

void LineBuffer::feed(std::string_view bytes) {
  if (overlong_) return;
  if (begin_ != 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string> LineBuffer::next() {
  if (overlong_) return std::nullopt;
  const std::size_t end = std::string_view(buffer_).substr(begin_, kMaxLine).find('\n');
  if (end == std::string_view::npos) {
    overlong_ = WATTLE_CHECKED(line_overlong, buffered() >= kMaxLine);
    return std::nullopt;
  }
  std::string line = buffer_.substr(begin_, end);
  begin_ += end + 1;
  return line;
}

std::optional<std::string> LineBuffer::take(std::size_t n) {
  if (buffered() < n) return std::nullopt;
  std::string out = buffer_.substr(begin_, n);
  begin_ += n;
  return out;
}

std::string LineBuffer::take_rest() {
  std::string rest = buffer_.substr(begin_);
  buffer_.clear();
  begin_ = 0;
  return rest;
}

}  // namespace wattle
