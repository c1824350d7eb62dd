// The formats between `wattle join` and its helpers.
#include <gtest/gtest.h>

#include "metad/ctl/checker.h"
#include "metad/ctl/fetch_protocol.h"
#include "tests/support/ctl_sample.h"

namespace wattle::ctl {
namespace {

FetchRequest fetch_request() {
  return {"https://192.0.2.1:8443", "home", crypto::sha256(as_bytes("g")), "{}"};
}

FetchAnswer fetch_answer() {
  FetchAnswer answer;
  answer.outcome = FetchOutcome::Answered;
  answer.status = 409;
  answer.date = {1790000001};
  answer.genesis = "genesis\n";
  answer.body = "{\"error\":\"x\"}";
  answer.detail = "said so";
  return answer;
}

CheckAnswer member_answer() {
  static const sample::Network kNetwork;
  static const sample::Joiner kJoiner;
  sample::Parts parts = sample::right_parts(kNetwork, kJoiner);
  parts.peers = R"([{"name":"server","address":")" + sample::Joiner().address.text() +
                R"(","endpoints":["192.0.2.7:8737"]}])";
  return check_join(sample::right_request(kNetwork, kJoiner, parts));
}

// No proper prefix of a message parses, nor the message with a byte more.
template <typename Parse>
void expect_whole(const Bytes& bytes, Parse parse) {
  EXPECT_TRUE(parse(bytes));
  for (std::size_t n = 0; n < bytes.size(); ++n)
    ASSERT_FALSE(parse(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)))) << n;
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(parse(longer));
}

TEST(Framing, HoldsExactlyOneMessage) {
  const Bytes framed = frame_message(as_bytes("hello"));
  expect_whole(framed, [](const Bytes& b) { return unframe_message(b).has_value(); });
  EXPECT_EQ(as_text(unframe_message(framed).value()), "hello");
  EXPECT_EQ(unframe_message(Bytes{0xff, 0xff, 0xff, 0xff}).error().code, Errc::Full);
}

TEST(Framing, CountedBytesKeepTheirBound) {
  Bytes bytes;
  Writer writer(bytes);
  write_counted(writer, std::string_view("four"));
  Reader enough(bytes);
  EXPECT_EQ(read_counted_text(enough, 4), "four");
  Reader small(bytes);
  EXPECT_EQ(read_counted_text(small, 3), "");
  EXPECT_FALSE(small.ok());
}

TEST(FetchProtocol, RequestTravels) {
  const Bytes bytes = build_fetch_request(fetch_request());
  expect_whole(bytes, [](const Bytes& b) { return parse_fetch_request(b).has_value(); });
  const FetchRequest got = parse_fetch_request(bytes).value();
  EXPECT_EQ(got.base, "https://192.0.2.1:8443");
  EXPECT_EQ(got.network, "home");
  EXPECT_EQ(got.genesis, fetch_request().genesis);
  EXPECT_EQ(got.body, "{}");
}

TEST(FetchProtocol, RefusesOtherSchemesAndNames) {
  FetchRequest request = fetch_request();
  request.base = "http://192.0.2.1:8443";
  EXPECT_FALSE(parse_fetch_request(build_fetch_request(request)));
  request = fetch_request();
  request.base = "https://a\nb";
  EXPECT_FALSE(parse_fetch_request(build_fetch_request(request)));
  request = fetch_request();
  request.network = "../x";
  EXPECT_FALSE(parse_fetch_request(build_fetch_request(request)));
}

TEST(FetchProtocol, AnswerTravels) {
  const Bytes bytes = build_fetch_answer(fetch_answer());
  expect_whole(bytes, [](const Bytes& b) { return parse_fetch_answer(b).has_value(); });
  const FetchAnswer got = parse_fetch_answer(bytes).value();
  EXPECT_EQ(got.outcome, FetchOutcome::Answered);
  EXPECT_EQ(got.status, 409);
  EXPECT_EQ(got.date.seconds, 1790000001U);
  EXPECT_EQ(got.genesis, "genesis\n");
  EXPECT_EQ(got.detail, "said so");
}

TEST(FetchProtocol, RefusesUnknownOutcomes) {
  Bytes bytes = build_fetch_answer(fetch_answer());
  bytes[1] = 8;
  EXPECT_FALSE(parse_fetch_answer(bytes));
}

TEST(FetchProtocol, DetailReachesTheTerminalPrintable) {
  FetchAnswer answer = fetch_answer();
  answer.detail = "\x1b[31mred";
  EXPECT_EQ(parse_fetch_answer(build_fetch_answer(answer)).value().detail, "?[31mred");
}

TEST(CheckProtocol, RequestTravels) {
  const sample::Network network;
  const sample::Joiner joiner;
  const CheckRequest request =
      sample::right_request(network, joiner, sample::right_parts(network, joiner));
  const CheckRequest got = parse_check_request(build_check_request(request)).value();
  EXPECT_EQ(got.network, request.network);
  EXPECT_EQ(got.genesis, request.genesis);
  EXPECT_EQ(got.address, request.address);
  EXPECT_EQ(got.csr, request.csr);
  EXPECT_EQ(got.now, request.now);
  EXPECT_EQ(got.genesis_text, request.genesis_text);
  EXPECT_EQ(got.status, request.status);
  EXPECT_EQ(got.body, request.body);
}

TEST(CheckProtocol, AnswerTravels) {
  const CheckAnswer answer = member_answer();
  ASSERT_EQ(answer.outcome, CheckOutcome::Member) << answer.detail;
  const Bytes bytes = build_check_answer(answer);
  expect_whole(bytes, [](const Bytes& b) { return parse_check_answer(b).has_value(); });
  const CheckAnswer got = parse_check_answer(bytes).value();
  EXPECT_EQ(got.name, answer.name);
  EXPECT_EQ(got.serial, answer.serial);
  EXPECT_EQ(got.mac, answer.mac);
  EXPECT_EQ(got.ipv4, answer.ipv4);
  EXPECT_EQ(got.ipv6, answer.ipv6);
  EXPECT_EQ(got.prefix, answer.prefix);
  EXPECT_EQ(got.certificate, answer.certificate);
  EXPECT_EQ(got.credential, answer.credential);
  EXPECT_EQ(got.document, answer.document);
  ASSERT_EQ(got.peers.size(), 1U);
  EXPECT_EQ(got.peers[0].endpoints, answer.peers[0].endpoints);
}

TEST(CheckProtocol, RootTakesOnlyFieldsInTheirRange) {
  const auto refused = [](auto bend) {
    CheckAnswer answer = member_answer();
    bend(answer);
    return !parse_check_answer(build_check_answer(answer)).has_value();
  };
  EXPECT_FALSE(refused([](CheckAnswer&) {}));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.name = "../etc"; }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.name = "a\nprefix = x"; }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.name.clear(); }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.mac.bytes[0] |= 1; }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.ipv4.length = 33; }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.ipv4 = a.ipv6; }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.document += '\x1b'; }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.peers[0].name = "x y"; }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.peers.resize(kMaxJoinPeers + 1, a.peers[0]); }));
  EXPECT_TRUE(refused([](CheckAnswer& a) { a.refusal = Refusal::TokenUsed; }));
}

TEST(CheckProtocol, RefusalsNeedAReason) {
  CheckAnswer answer;
  answer.outcome = CheckOutcome::Refused;
  EXPECT_FALSE(parse_check_answer(build_check_answer(answer)));
  answer.refusal = Refusal::IdClash;
  EXPECT_TRUE(parse_check_answer(build_check_answer(answer)));
}

TEST(CheckProtocol, OnlySomeRefusalsAreDefinite) {
  EXPECT_TRUE(is_definite(Refusal::TokenUsed));
  EXPECT_TRUE(is_definite(Refusal::TokenExpired));
  EXPECT_TRUE(is_definite(Refusal::UnknownToken));
  EXPECT_FALSE(is_definite(Refusal::Busy));
  EXPECT_FALSE(is_definite(Refusal::SignerAway));
  EXPECT_FALSE(is_definite(Refusal::Other));
}

}  // namespace
}  // namespace wattle::ctl
