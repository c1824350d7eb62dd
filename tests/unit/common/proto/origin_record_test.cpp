#include "common/proto/origin_record.h"

#include <gtest/gtest.h>

#include "tests/support/test_ca.h"

namespace wattle {
namespace {

OriginRecord sample() {
  OriginRecord out;
  out.network = {1, 2};
  out.address = NodeAddress::from_key(test_key(1).public_key());
  out.seqno = 1767225600123;
  out.options = kOptionIndirect;
  out.serial = 1000;
  out.name = "alice-2";
  out.endpoints = {WATTLE_MUST(Endpoint::parse("1.2.3.4:8737")),
                   WATTLE_MUST(Endpoint::parse("[fd00::1]:8737"))};
  return out;
}

TEST(OriginRecord, RoundTrip) {
  OriginRecord record = sample();
  EXPECT_EQ(WATTLE_MUST(parse_origin_body(build_origin_body(record))), record);
  record.endpoints.clear();
  EXPECT_EQ(WATTLE_MUST(parse_origin_body(build_origin_body(record))), record);
  record.endpoints.assign(kMaxEndpoints, sample().endpoints[1]);
  record.name.assign(63, 'x');
  EXPECT_EQ(WATTLE_MUST(parse_origin_body(build_origin_body(record))), record);
}

TEST(OriginRecord, LayoutIsFixed) {
  const Bytes body = build_origin_body(sample());
  ASSERT_EQ(body.size(), 4u + 16 + 40 + 8 + 4 + 8 + 1 + 7 + 1 + 7 + 19);
  EXPECT_EQ(as_text(ByteView(body).first(4)), "MOR1");
  EXPECT_EQ(as_text(ByteView(body).subspan(81, 7)), "alice-2");
  EXPECT_EQ(body[88], 2);
  EXPECT_EQ(body[89], 2);
}

TEST(OriginRecord, EveryCutAndATrailingByteAreRefused) {
  Bytes body = build_origin_body(sample());
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_EQ(parse_origin_body(ByteView(body).first(size)).error().code, Errc::Truncated) << size;
  body.push_back(0);
  EXPECT_EQ(parse_origin_body(body).error().code, Errc::Trailing);
}

TEST(OriginRecord, ValuesAreChecked) {
  const auto refusal = [](std::size_t at, std::uint8_t value) {
    Bytes body = build_origin_body(sample());
    body[at] = value;
    const auto result = parse_origin_body(body);
    return result ? Errc::Again : result.error().code;
  };
  EXPECT_EQ(refusal(0, 'X'), Errc::BadValue);
  EXPECT_EQ(refusal(20, 2), Errc::BadValue);  // address type
  EXPECT_EQ(refusal(25, 1), Errc::BadValue);  // spare byte
  EXPECT_EQ(refusal(27, 4), Errc::BadPoint);
  EXPECT_EQ(refusal(81, 'A'), Errc::BadValue);  // name
  EXPECT_EQ(refusal(89, 9), Errc::BadValue);    // endpoint type
  Bytes body = build_origin_body(sample());
  body.resize(88);
  body.push_back(kMaxEndpoints + 1);
  for (std::size_t i = 0; i <= kMaxEndpoints; ++i) {
    const Bytes endpoint = {2, 1, 2, 3, 4, 0x22, 0x21};
    body.insert(body.end(), endpoint.begin(), endpoint.end());
  }
  EXPECT_EQ(parse_origin_body(body).error().code, Errc::BadValue);
}

TEST(OriginRecord, SignatureCoversEverything) {
  const crypto::PrivateKey identity = test_key(1);
  const crypto::Signature signature = sign_origin(sample(), identity);
  EXPECT_TRUE(verify_origin(sample(), signature));
  const auto refused = [&](auto change) {
    OriginRecord other = sample();
    change(other);
    return !verify_origin(other, signature);
  };
  EXPECT_TRUE(refused([](OriginRecord& r) { r.network[0] ^= 1; }));
  EXPECT_TRUE(refused([](OriginRecord& r) { ++r.seqno; }));
  EXPECT_TRUE(refused([](OriginRecord& r) { r.options = 0; }));
  EXPECT_TRUE(refused([](OriginRecord& r) { ++r.serial; }));
  EXPECT_TRUE(refused([](OriginRecord& r) { r.name = "alice-3"; }));
  EXPECT_TRUE(refused([](OriginRecord& r) { r.endpoints.pop_back(); }));
  EXPECT_TRUE(refused([](OriginRecord& r) { std::swap(r.endpoints[0], r.endpoints[1]); }));
  EXPECT_TRUE(refused(
      [](OriginRecord& r) { r.address = NodeAddress::from_key(test_key(2).public_key()); }));
  EXPECT_FALSE(verify_origin(sample(), sign_origin(sample(), test_key(2))));
  EXPECT_FALSE(verify_origin(sample(), {}));
  // The label: the same body signed without it is nothing.
  EXPECT_FALSE(verify_origin(sample(), identity.sign(build_origin_body(sample()))));
}

}  // namespace
}  // namespace wattle
