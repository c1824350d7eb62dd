// Cuts what comes over a link into lines and packets (wattle-meta(7)): behind the line `PACKET n`
// stand exactly n raw bytes, 1 to kMaxCarried. A PACKET line with another number is handed out as a
// line; whoever gets it must end the stream, as nobody knows what follows it. Memory: one line or
// one packet, and what was fed last.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/proto/line.h"

namespace wattle::metad {

inline constexpr std::size_t kMaxCarried = 4095;

// n of a line `PACKET n` (or `17 n`) that is in its bounds; 0: any other line.
std::size_t packet_length(std::string_view line);

class StreamCutter {
 public:
  // packets: false on connections that carry lines only (control socket, clear text).
  explicit StreamCutter(bool packets) : packets_(packets) {}

  struct Piece {
    std::string line;
    Bytes packet;  // not empty: `line` was its PACKET
  };
  void feed(std::string_view bytes) { lines_.feed(bytes); }
  std::optional<Piece> next();
  bool overlong() const { return lines_.overlong(); }  // as LineBuffer
  std::size_t buffered() const { return lines_.buffered(); }

 private:
  LineBuffer lines_;
  bool packets_;
  std::string line_;  // the PACKET line whose bytes are awaited
  std::size_t wanted_ = 0;
};

}  // namespace wattle::metad
