#include "common/proto/line.h"

#include <gtest/gtest.h>

#include "common/base/hex.h"

namespace wattle {
namespace {

using Words = std::vector<std::string_view>;

TEST(Line, WordsAndKeys) {
  const std::string text =
      "ADD_HOST alice 1.2.3.4:8737 0 address=abc ep=[fd00::1]:1 ep=2.3.4.5:6 sig=YQ== x=";
  const Line line = WATTLE_MUST(parse_line(text));
  EXPECT_EQ(line.words, (Words{"ADD_HOST", "alice", "1.2.3.4:8737", "0"}));
  EXPECT_EQ(line.find("address"), "abc");
  EXPECT_EQ(line.find("ep"), "[fd00::1]:1");
  EXPECT_EQ(line.find_all("ep"), (Words{"[fd00::1]:1", "2.3.4.5:6"}));
  EXPECT_EQ(line.find("sig"), "YQ==");
  EXPECT_EQ(line.find("x"), "");
  EXPECT_EQ(line.find("absent"), std::nullopt);
  EXPECT_TRUE(line.find_all("absent").empty());
  EXPECT_EQ(line.keys.size(), 5u);
}

TEST(Line, TincLinesOf2001) {
  EXPECT_EQ(WATTLE_MUST(parse_line("10 daemon a329e18c:655 0")).words,
            (Words{"10", "daemon", "a329e18c:655", "0"}));
  EXPECT_EQ(WATTLE_MUST(parse_line("12 daemon 1,0a010100/ffffff00")).words.size(), 3u);
}

TEST(Line, PaddedBase64IsAWord) {
  const std::string record = to_base64(Bytes(416, 7));  // PKR and CRED
  ASSERT_TRUE(record.ends_with('='));
  const std::string text = "ANS_KEY alice bob " + record;
  const Line line = WATTLE_MUST(parse_line(text));
  EXPECT_EQ(line.words.back(), record);
  EXPECT_TRUE(line.keys.empty());
}

TEST(Line, Refusals) {
  for (const std::string_view text :
       {"", " ", " ID", "ID ", "ID  a", "ID a=1 b", "a=1", "=", "ID =1", "ID a\tb", "ID a\r",
        "ID \x7f", "ID \x80", "ID a\nb"})
    EXPECT_EQ(parse_line(text).error().code, Errc::BadSyntax) << text;
  EXPECT_EQ(parse_line(std::string_view("ID a\0b", 6)).error().code, Errc::BadSyntax);
  EXPECT_TRUE(parse_line(std::string(kMaxLine - 1, 'x')));
  EXPECT_EQ(parse_line(std::string(kMaxLine, 'x')).error().code, Errc::Full);
}

TEST(Line, KeysHaveTheirAlphabetAndLength) {
  EXPECT_EQ(WATTLE_MUST(parse_line("ID a-b_9=1")).keys.size(), 1u);
  EXPECT_EQ(WATTLE_MUST(parse_line("ID A=1")).words.size(), 2u);
  const std::string longest = "ID " + std::string(32, 'k') + "=v";
  EXPECT_EQ(WATTLE_MUST(parse_line(longest)).keys.size(), 1u);
  const std::string longer = "ID " + std::string(33, 'k') + "=v";
  EXPECT_EQ(WATTLE_MUST(parse_line(longer)).words.size(), 2u);
}

TEST(LineBuffer, CutsWhereverTheBytesWereCut) {
  const std::string stream = "one\ntwo words\n\nlast";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    LineBuffer buffer;
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      buffer.feed(std::string_view(stream).substr(at, step));
      while (auto line = buffer.next()) lines.push_back(*line);
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two words", ""})) << step;
    EXPECT_EQ(buffer.buffered(), 4u);
    EXPECT_FALSE(buffer.overlong());
    EXPECT_EQ(buffer.take_rest(), "last");
    EXPECT_EQ(buffer.buffered(), 0u);
  }
}

TEST(LineBuffer, KeepsTheBound) {
  LineBuffer buffer;
  buffer.feed(std::string(kMaxLine - 1, 'x'));
  EXPECT_FALSE(buffer.next() || buffer.overlong());
  buffer.feed("\n");  // exactly kMaxLine with its LF
  EXPECT_EQ(buffer.next()->size(), kMaxLine - 1);
  buffer.feed(std::string(kMaxLine, 'x'));
  EXPECT_FALSE(buffer.next());
  EXPECT_TRUE(buffer.overlong());
  const std::size_t held = buffer.buffered();
  buffer.feed(std::string(100000, 'y') + "\n");  // a flood after that is not kept
  EXPECT_FALSE(buffer.next());
  EXPECT_EQ(buffer.buffered(), held);
}

TEST(LineBuffer, GoodLinesBeforeAnOverlongOneComeOut) {
  LineBuffer buffer;
  buffer.feed("good\n" + std::string(kMaxLine, 'x') + "\nlater\n");
  EXPECT_EQ(buffer.next(), "good");
  EXPECT_FALSE(buffer.overlong());
  EXPECT_EQ(buffer.next(), std::nullopt);
  EXPECT_TRUE(buffer.overlong());
  EXPECT_EQ(buffer.next(), std::nullopt);
}

TEST(LineBuffer, TakesTheRestAfterALine) {
  LineBuffer buffer;
  buffer.feed("PACKET 3\nabc");
  EXPECT_EQ(buffer.next(), "PACKET 3");
  EXPECT_EQ(buffer.take_rest(), "abc");
  buffer.feed("next\n");
  EXPECT_EQ(buffer.next(), "next");
}

}  // namespace
}  // namespace wattle
