#include "common/proto/invite.h"

#include <gtest/gtest.h>

namespace wattle {
namespace {

Invite sample() {
  Invite out;
  out.base = "https://198.51.100.7:8443";
  out.network = "home";
  for (std::size_t i = 0; i < out.genesis.size(); ++i)
    out.genesis[i] = static_cast<std::uint8_t>(i * 7);
  for (std::size_t i = 0; i < out.token.size(); ++i)
    out.token[i] = static_cast<std::uint8_t>(255 - i);
  return out;
}

TEST(Invite, RoundTrip) {
  for (const std::string_view base :
       {"https://198.51.100.7:8443", "https://[2001:db8::1]:8443", "https://[::1]",
        "https://vpn.example.org", "https://vpn.example.org:1"}) {
    Invite invite = sample();
    invite.base = base;
    const std::string url = build_invite(invite);
    const Invite back = WATTLE_MUST(parse_invite(url));
    EXPECT_EQ(back.base, invite.base);
    EXPECT_EQ(back.network, invite.network);
    EXPECT_EQ(back.genesis, invite.genesis);
    EXPECT_EQ(back.token, invite.token);
    EXPECT_EQ(build_invite(back), url);
  }
}

TEST(Invite, EveryCutIsRefused) {
  const std::string url = build_invite(sample());
  for (std::size_t size = 0; size < url.size(); ++size)
    EXPECT_EQ(parse_invite(std::string_view(url).substr(0, size)).error().code, Errc::BadSyntax)
        << size;
  EXPECT_FALSE(parse_invite(url + "a"));
  EXPECT_FALSE(parse_invite(url + "\n"));
  EXPECT_FALSE(parse_invite(" " + url));
}

TEST(Invite, SaysWhichPartIsWrong) {
  const std::string url = build_invite(sample());
  const auto why = [&](std::string_view what, std::string_view with) {
    std::string bad = url;
    bad.replace(bad.find(what), what.size(), with);
    const auto result = parse_invite(bad);
    return result ? std::string("good") : result.error().sentence;
  };
  const auto has = [](const std::string& sentence, std::string_view part) {
    return sentence.find(part) != std::string::npos &&
           sentence.find("an invite looks like") != std::string::npos;
  };
  EXPECT_TRUE(has(why("https", "http"), "https://"));
  EXPECT_TRUE(has(why("#", ""), "after # is missing"));
  EXPECT_TRUE(has(why("/home", ""), "name is missing"));
  EXPECT_TRUE(has(why("home", "Home"), "not 1 to 12"));
  EXPECT_TRUE(has(why("home", "home/x"), "not 1 to 12"));
  EXPECT_TRUE(has(why("home", ""), "not 1 to 12"));
  EXPECT_TRUE(has(why("198.51.100.7", ""), "host or port"));
  EXPECT_TRUE(has(why("198.51.100.7", "a@b"), "host or port"));
  EXPECT_TRUE(has(why("8443", "0"), "host or port"));
  EXPECT_TRUE(has(why("8443", "65536"), "host or port"));
  EXPECT_TRUE(has(why("8443", ""), "host or port"));
  EXPECT_TRUE(has(why("198.51.100.7", "[::1"), "host or port"));
  EXPECT_TRUE(has(why("198.51.100.7", "[1.2.3.4]"), "host or port"));
  EXPECT_TRUE(has(why("#", "#a"), "52 characters"));
  EXPECT_TRUE(has(parse_invite(url + "a").error().sentence, "26 characters"));
  std::string bad = url;
  bad[bad.find('#') + 3] = '1';
  EXPECT_TRUE(has(parse_invite(bad).error().sentence, "first part after # is not base32"));
  bad = url;
  bad[bad.size() - 3] = '1';
  EXPECT_TRUE(has(parse_invite(bad).error().sentence, "last part is not base32"));
  bad = url;
  bad.back() = 'b';  // bits behind the token's last byte
  EXPECT_TRUE(has(parse_invite(bad).error().sentence, "last part is not base32"));
  EXPECT_TRUE(has(parse_invite(std::string(600, 'x')).error().sentence, "512"));
}

}  // namespace
}  // namespace wattle
