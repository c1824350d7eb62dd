// What the first bytes of a TCP connection are.
#include "metad/io/listener.h"

#include <gtest/gtest.h>

namespace wattle::metad {
namespace {

using namespace std::string_view_literals;

TEST(FirstBytes, DecideWhatAConnectionIs) {
  EXPECT_EQ(classify(""), FirstBytes::NeedMore);
  EXPECT_EQ(classify("\x16"), FirstBytes::Tls);
  EXPECT_EQ(classify("\x16\x03\x01\x02\x00"sv), FirstBytes::Tls);
  for (int first = 0; first <= 0x0f; ++first) {
    const char c = static_cast<char>(first);
    const bool line_end = c == '\n' || c == '\r';
    EXPECT_EQ(classify({&c, 1}), line_end ? FirstBytes::Text : FirstBytes::Anode) << first;
  }
  for (const char* half : {"P", "PO", "POS", "POST", "G", "GE", "GET"})
    EXPECT_EQ(classify(half), FirstBytes::NeedMore) << half;
  for (const char* whole : {"POST ", "GET ", "GET /"})
    EXPECT_EQ(classify(whole), FirstBytes::Http) << whole;
  for (const char* text : {"PI", "PING\n", "GETX", "POSTX", "TERMREQ", "8\n", "\n", "\x80"})
    EXPECT_EQ(classify(text), FirstBytes::Text) << text;
}

}  // namespace
}  // namespace wattle::metad
