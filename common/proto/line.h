// One line of the meta protocol (DESIGN 5): printable ASCII 0x20..0x7e, at most 2048 bytes with its
// LF, words separated by single blanks, first the positional words, then key=value words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace wattle {

// Of the meta protocol: in ID, and what min-protocol of the network document is compared with.
// tinc's of 2001 was 8.
inline constexpr std::uint64_t kMetaVersion = 9;
inline constexpr std::size_t kMaxLine = 2048;  // bytes, LF included

struct Line {
  std::vector<std::string_view> words;  // positional; words[0] is number or name of the request
  std::vector<std::pair<std::string_view, std::string_view>> keys;  // in order of appearance

  std::optional<std::string_view> find(std::string_view key) const;  // the first one
  std::vector<std::string_view> find_all(std::string_view key) const;
};

// Splits a line without its LF. A word is key=value if what stands in front of its first = is 1 to
// 32 of [a-z0-9_-]; others are positional (so padded base64 of more than 32 characters is).
// BadSyntax for any byte outside 0x20..0x7e, empty words (two blanks, blank at an end), an empty
// line, a word that begins with =, a key=value word in front, a positional word after a key=value
// word; Full for over-long. All views point into `text`.
Result<Line> parse_line(std::string_view text);

// Cuts lines out of a byte stream. feed() appends; next() yields complete lines without LF (a CR
// before LF is left in the line, hence refused by parse_line, except that clear-text greetings may
// strip it). After next() came back empty, overlong() is true if the line it waits for exceeds
// kMaxLine: the caller closes the stream; nothing more is taken in.
class LineBuffer {
 public:
  void feed(std::string_view bytes);
  std::optional<std::string> next();
  bool overlong() const { return overlong_; }
  std::size_t buffered() const { return buffer_.size() - begin_; }
  // Takes the next n raw bytes, whatever they are; nothing while there are fewer (PACKET bodies).
  std::optional<std::string> take(std::size_t n);
  // Takes everything not yet cut off (for protocol changes).
  std::string take_rest();

 private:
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet cut off
  bool overlong_ = false;
};

}  // namespace wattle
