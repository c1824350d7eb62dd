// The small parts of paths: bodies of probes and endpoint information, the history.
#include <gtest/gtest.h>

#include "cryptod/core/endpoint_note.h"
#include "cryptod/core/path_history.h"
#include "cryptod/core/probe_body.h"

namespace wattle::cryptod {
namespace {

using std::chrono::seconds;

const Endpoint kFour{IpAddress::v4({203, 0, 113, 7}), 8737};
const Endpoint kSix{IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 7}), 443};

Bytes built(const ProbeBody& probe) {
  Bytes out(kProbeMost);
  out.resize(build_probe(probe, out));
  return out;
}

TEST(ProbeBody, IsWhatTheManualSays) {
  EXPECT_EQ(built({0x0102030405060708, false, {}}), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 0}));
  EXPECT_EQ(built({7, true, {}}), (Bytes{0, 0, 0, 0, 0, 0, 0, 7, 1}));
  EXPECT_EQ(built({7, true, kFour}),
            (Bytes{0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 203, 0, 113, 7, 0x22, 0x21}));
  EXPECT_EQ(built({7, true, kSix}).size(), kProbeMost);
  for (const ProbeBody& probe : {ProbeBody{1, false, {}}, ProbeBody{2, true, {}},
                                 ProbeBody{3, true, kFour}, ProbeBody{4, true, kSix}})
    EXPECT_EQ(parse_probe(built(probe)), probe);
}

TEST(ProbeBody, NothingElseIsTaken) {
  const Bytes good = built({7, true, kFour});
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_EQ(parse_probe(ByteView(good).first(n)).has_value(), n == kProbeQuestion) << n;
  Bytes bad = good;
  bad.push_back(0);
  EXPECT_FALSE(parse_probe(bad));
  bad = good;
  bad[8] = 0;  // a question that tells an endpoint
  EXPECT_FALSE(parse_probe(bad));
  bad[8] = 2;
  EXPECT_FALSE(parse_probe(bad));
}

TEST(EndpointNote, ThereAndBack) {
  EndpointNote note{{kFour, kSix}, PunchMode::Changing};
  const Bytes body = build_endpoint_note(note);
  EXPECT_EQ(body.size(), 1u + 7 + 19 + 1);
  EXPECT_EQ(parse_endpoint_note(body), note);
  note.endpoints.assign(EndpointNote::kMost, kSix);
  EXPECT_EQ(parse_endpoint_note(build_endpoint_note(note)), note);
}

TEST(EndpointNote, NothingElseIsTaken) {
  const Bytes good = build_endpoint_note({{kFour, kSix}, PunchMode::Simultaneous});
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_FALSE(parse_endpoint_note(ByteView(good).first(n))) << n;
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes bad = good;
    bad[at] = value;
    return parse_endpoint_note(bad).has_value();
  };
  EXPECT_FALSE(with(0, 0));
  EXPECT_FALSE(with(0, 1));
  EXPECT_FALSE(with(0, 3));
  EXPECT_FALSE(with(1, 4));                // no such kind of endpoint
  EXPECT_FALSE(with(good.size() - 1, 0));  // no such mode
  EXPECT_FALSE(with(good.size() - 1, 3));
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(parse_endpoint_note(longer));
  const Bytes many = build_endpoint_note(
      {std::vector<Endpoint>(EndpointNote::kMost + 1, kFour), PunchMode::Simultaneous});
  EXPECT_FALSE(parse_endpoint_note(many));
}

TEST(PathHistory, KeepsTheLastTenAndCountsWhatRepeats) {
  PathHistory history;
  const Instant start(seconds(1000));
  for (int i = 0; i < 14; ++i) history.add(start + seconds(i), "step " + std::to_string(i));
  history.add(start + seconds(20), "step 6");
  history.add(start + seconds(25), "step 6");
  const auto list = history.list(start + seconds(30), UnixTime{1800000000});
  ASSERT_EQ(list.size(), PathHistory::kKept);
  EXPECT_EQ(list.front().sentence, "step 4");
  EXPECT_EQ(list.front().at, 1800000000000u - 26000);
  EXPECT_EQ(list.back().sentence, "step 6 (3 times)");
  EXPECT_EQ(list.back().at, 1800000000000u - 5000);
}

}  // namespace
}  // namespace wattle::cryptod
