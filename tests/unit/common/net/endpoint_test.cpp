#include "common/net/endpoint.h"

#include <gtest/gtest.h>

namespace wattle {
namespace {

TEST(Endpoint, TextAndBack) {
  for (const std::string_view text : {"1.2.3.4:8737", "[fd00::1]:1", "[::]:65535"})
    EXPECT_EQ(WATTLE_MUST(Endpoint::parse(text)).text(), text);
}

TEST(Endpoint, RefusesOtherForms) {
  for (const std::string_view text :
       {"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:+1", "fd00::1:80",
        "[1.2.3.4]:80", "[fd00::1]", "[fd00::1]80", "fd00::1]:80", "[fd00::1:80", "host:80",
        "[]:80", "[:80"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Endpoint, AnodeBytes) {
  Bytes out;
  Writer writer(out);
  build_endpoint(writer, WATTLE_MUST(Endpoint::parse("1.2.3.4:4343")));
  EXPECT_EQ(out, (Bytes{2, 1, 2, 3, 4, 0x10, 0xf7}));  // protocols.md 4.4
  build_endpoint(writer, WATTLE_MUST(Endpoint::parse("[fd00::1]:8737")));
  ASSERT_EQ(out.size(), 7u + 19u);
  Reader in(out);
  EXPECT_EQ(WATTLE_MUST(parse_endpoint(in)).text(), "1.2.3.4:4343");
  EXPECT_EQ(WATTLE_MUST(parse_endpoint(in)).text(), "[fd00::1]:8737");
  EXPECT_TRUE(in.finish());
}

TEST(Endpoint, RefusesBadBytes) {
  const auto refusal = [](const Bytes& bytes) {
    Reader in(bytes);
    return parse_endpoint(in).error().code;
  };
  EXPECT_EQ(refusal({}), Errc::Truncated);
  EXPECT_EQ(refusal({2, 1, 2, 3, 4, 0x10}), Errc::Truncated);
  EXPECT_EQ(refusal({3, 1, 2, 3, 4, 0x10, 0xf7}), Errc::Truncated);
  EXPECT_EQ(refusal({4, 1, 2, 3, 4, 0x10, 0xf7}), Errc::BadValue);
  EXPECT_EQ(refusal({0}), Errc::BadValue);
  EXPECT_EQ(refusal({2, 1, 2, 3, 4, 0, 0}), Errc::BadValue);
}

}  // namespace
}  // namespace wattle
