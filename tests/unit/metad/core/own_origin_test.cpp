// What a node says of itself, and when it has that signed anew.
#include "metad/core/own_origin.h"

#include <gtest/gtest.h>

#include "tests/support/meta_realm.h"

namespace wattle::metad::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart(seconds(100));

TEST(OwnOrigin, AnnouncesUsefulAddressesOnly) {
  const Realm realm;
  metad::Setup setup = realm.setup(1, "n1");
  setup.own_endpoints.clear();
  OwnOrigin own(setup, kStart);
  own.keyd_up();
  EXPECT_FALSE(own.due(kStart).has_value()) << "addresses may come yet";
  const auto ip = [](std::string_view text) { return WATTLE_MUST(IpAddress::parse(text)); };
  meta_link::LocalEndpoints local;
  local.addresses = {ip("127.0.0.1"), ip("fe80::1"),     ip("169.254.1.1"), ip("10.9.0.1"),
                     ip("fd00::1"),   ip("192.168.1.5"), ip("203.0.113.5"), ip("2001:db8::5")};
  local.port4 = 8737;
  own.local(local);
  own.observed(ip("198.51.100.7"));
  own.observed(ip("127.0.0.1"));
  const auto request = own.due(kStart);
  ASSERT_TRUE(request.has_value());
  std::vector<std::string> texts;
  for (const Endpoint& endpoint : request->endpoints) texts.push_back(endpoint.text());
  EXPECT_EQ(texts, (std::vector<std::string>{"203.0.113.5:8737", "198.51.100.7:8737",
                                             "192.168.1.5:8737"}));
  EXPECT_FALSE(own.due(kStart + seconds(1)).has_value()) << "one request is under way";
  // What neighbours see replaces the guess, with its own port.
  local.seen = {WATTLE_MUST(Endpoint::parse("198.51.100.9:40123"))};
  own.local(local);
  texts.clear();
  for (const Endpoint& endpoint : own.endpoints()) texts.push_back(endpoint.text());
  EXPECT_EQ(texts, (std::vector<std::string>{"203.0.113.5:8737", "198.51.100.9:40123",
                                             "192.168.1.5:8737"}));
}

TEST(OwnOrigin, HasTheLastRecordAfterARestartIfItIsOurs) {
  const Realm realm;
  const auto with = [&](const SignedOrigin& origin) {
    metad::Setup setup = realm.setup(1, "n1");
    setup.origin = print_request(print_origin(origin)) + "\n";
    return OwnOrigin(setup, kStart).current();
  };
  const SignedOrigin mine = realm.origin(1, "n1", 7);
  EXPECT_EQ(with(mine), mine);
  SignedOrigin forged = mine;
  forged.record.seqno = 8;
  EXPECT_FALSE(with(forged));
  EXPECT_FALSE(with(realm.origin(2, "n1", 7)));
  EXPECT_FALSE(with(realm.origin(1, "n2", 7)));
}

TEST(OwnOrigin, IsRaisedByOneAndNoMoreThanTheNetworkBears) {
  const Realm realm;
  metad::Setup setup = realm.setup(1, "n1");
  setup.origin = print_request(print_origin(realm.origin(1, "n1", 7)));
  OwnOrigin own(setup, kStart);
  own.keyd_up();
  Instant now = kStart;
  const auto sign = [&] {
    key_link::Origin out;
    const SignedOrigin next = realm.origin(1, "n1", own.current()->record.seqno + 1);
    out.body = build_origin_body(next.record);
    out.signature = next.signature;
    EXPECT_TRUE(own.signed_one(out));
  };
  own.raise(7);
  EXPECT_FALSE(own.due(now)) << "it has that";
  own.raise(9);
  EXPECT_FALSE(own.due(now)) << "nobody needs more than the next one";
  int signings = 0;
  for (int i = 0; i < 100; ++i, now += milliseconds(600)) {
    own.raise(own.current()->record.seqno + 1);
    if (!own.due(now)) continue;
    ++signings;
    sign();
  }
  EXPECT_GE(signings, 30);
  EXPECT_LE(signings, 10 + 31) << "ten at once, then one in two seconds";
}

TEST(OwnOrigin, SaysTheOptionsOfTheConfiguration) {
  const Realm realm;
  metad::Setup setup = realm.setup(1, "n1");
  setup.options = kOptionIndirect | kOptionTcpOnly;
  setup.origin = print_request(print_origin(realm.origin(1, "n1", 7)));
  OwnOrigin own(setup, kStart);
  own.keyd_up();
  const auto request = own.due(kStart);
  ASSERT_TRUE(request) << "the record of before says other options";
  EXPECT_EQ(request->options, 3u);
}

TEST(OwnOrigin, TakesOnlyItsOwnNewerRecords) {
  const Realm realm;
  OwnOrigin own(realm.setup(1, "n1"), kStart);
  const auto answer = [](const SignedOrigin& origin) {
    key_link::Origin out;
    out.body = build_origin_body(origin.record);
    out.signature = origin.signature;
    return out;
  };
  own.keyd_up();
  Instant now = kStart;
  const auto is_taken = [&](const SignedOrigin& origin) {
    own.want_again();
    now += seconds(60);
    EXPECT_TRUE(own.due(now));
    return own.signed_one(answer(origin));
  };
  EXPECT_FALSE(own.signed_one(answer(realm.origin(1, "n1", 4)))) << "not asked for";
  EXPECT_FALSE(is_taken(realm.origin(2, "n2", 5)));
  SignedOrigin forged = realm.origin(1, "n1", 5);
  forged.signature[5] ^= 1;
  EXPECT_FALSE(is_taken(forged));
  EXPECT_TRUE(is_taken(realm.origin(1, "n1", 5)));
  EXPECT_FALSE(own.signed_one(answer(realm.origin(1, "n1", 6)))) << "asked for once";
  EXPECT_FALSE(is_taken(realm.origin(1, "n1", 5)));
  EXPECT_FALSE(is_taken(realm.origin(1, "n1", 4)));
  EXPECT_TRUE(is_taken(realm.origin(1, "n1", 6)));
}

}  // namespace
}  // namespace wattle::metad::test
