#include "metad/core/stream_cutter.h"

#include <gtest/gtest.h>

namespace wattle::metad {
namespace {

struct Cut {
  std::vector<std::string> lines;
  std::vector<Bytes> packets;
  bool overlong = false;
};

Cut cut(std::string_view stream, std::size_t step, bool packets = true) {
  StreamCutter cutter(packets);
  Cut out;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    cutter.feed(stream.substr(at, step));
    while (auto piece = cutter.next()) {
      if (piece->packet.empty())
        out.lines.push_back(piece->line);
      else
        out.packets.push_back(piece->packet);
    }
  }
  out.overlong = cutter.overlong();
  return out;
}

TEST(StreamCutter, TakesExactlyTheBytesThatWereAnnouncedHoweverTheyArrive) {
  std::string raw;
  for (int i = 0; i < 300; ++i) raw.push_back(static_cast<char>(i));  // LF and NUL among them
  const std::string stream = "PING\nPACKET 300\n" + raw + "17 1\n\npacket 2\nABPONG\n";
  for (const std::size_t step : {1u, 2u, 7u, 100u, 100000u}) {
    const Cut got = cut(stream, step);
    EXPECT_EQ(got.lines, (std::vector<std::string>{"PING", "PONG"})) << step;
    ASSERT_EQ(got.packets.size(), 3u);
    EXPECT_EQ(got.packets[0], to_bytes(as_bytes(raw)));
    EXPECT_EQ(got.packets[1], Bytes{'\n'});
    EXPECT_EQ(got.packets[2], (Bytes{'A', 'B'}));
  }
}

TEST(StreamCutter, AnotherLengthIsALine) {
  for (const char* line : {"PACKET 0", "PACKET 4096", "PACKET -1", "PACKET", "PACKET 5 6",
                           "PACKET 99999999999999999999", "PACKETS 5", "1 5"}) {
    const Cut got = cut(std::string(line) + "\nabcde\n", 3);
    EXPECT_EQ(got.lines, (std::vector<std::string>{line, "abcde"}));
    EXPECT_TRUE(got.packets.empty()) << line;
  }
  EXPECT_EQ(packet_length("PACKET 4095"), kMaxCarried);
}

TEST(StreamCutter, WithoutPacketsEverythingIsALine) {
  EXPECT_EQ(cut("PACKET 3\nabc\n", 4, false).lines, (std::vector<std::string>{"PACKET 3", "abc"}));
}

TEST(StreamCutter, AnEndlessLineIsToldAndAnEndlessPacketIsBounded) {
  EXPECT_TRUE(cut(std::string(5000, 'x'), 1000).overlong);
  StreamCutter cutter(true);
  cutter.feed("PACKET 4095\n");
  EXPECT_FALSE(cutter.next());
  for (int i = 0; i < 4; ++i) {
    cutter.feed(std::string(1000, 'x'));
    EXPECT_FALSE(cutter.next());
    EXPECT_FALSE(cutter.overlong());
  }
  cutter.feed(std::string(95, 'x'));
  EXPECT_TRUE(cutter.next());
  EXPECT_EQ(cutter.buffered(), 0u);
}

}  // namespace
}  // namespace wattle::metad
