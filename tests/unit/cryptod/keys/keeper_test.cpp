#include "cryptod/keys/keeper.h"

#include <gtest/gtest.h>

#include "common/proto/enrolment.h"
#include "common/proto/origin_record.h"

namespace wattle::keys {
namespace {

using key_link::Refusal;

constexpr std::uint64_t kNow = 1790000000123;  // unix ms
constexpr std::uint64_t kNowSeconds = kNow / 1000;

struct MemoryStore : CounterStore {
  std::vector<Counters> written;
  bool works = true;
  bool store(const Counters& counters) override {
    if (works) written.push_back(counters);
    return works;
  }
};

class KeeperTest : public ::testing::Test {
 protected:
  key_link::SignPacketKey request() const {
    key_link::SignPacketKey out;
    out.key = packet.public_key();
    out.not_before = UnixTime{kNowSeconds};
    out.not_after = UnixTime{kNowSeconds + kPacketKeyLife};
    out.serial = 42;
    return out;
  }
  key_link::SignPacketKey timed(std::uint64_t begin, std::uint64_t end) const {
    auto out = request();
    out.not_before = UnixTime{begin};
    out.not_after = UnixTime{end};
    return out;
  }
  key_link::SignOrigin origin() const {
    key_link::SignOrigin out;
    out.name = "alice";
    out.serial = 42;
    out.options = 4;
    out.endpoints = {Endpoint::parse("192.0.2.1:8737").value(),
                     Endpoint::parse("[2001:db8::1]:8737").value()};
    return out;
  }
  Keeper keeper(const Counters& stored = {}) { return Keeper(identity, network, stored, store); }

  // What was refused, or nothing.
  template <typename Answer>
  static std::optional<Refusal> refusal(const Answer& answer) {
    return std::visit(
        [](const auto& m) -> std::optional<Refusal> {
          if constexpr (requires { m.why; }) return m.why;
          return std::nullopt;
        },
        answer);
  }
  static PacketKeyRecord record_of(const Keeper::PacketKeyAnswer& answer) {
    return decode_packet_key(std::get<key_link::PacketKey>(answer).record).value();
  }
  static OriginRecord record_of(const Keeper::OriginAnswer& answer) {
    return parse_origin_body(std::get<key_link::Origin>(answer).body).value();
  }

  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  crypto::PrivateKey packet = crypto::PrivateKey::generate();
  NetworkId network{1, 2, 3};
  MemoryStore store;
};

TEST_F(KeeperTest, TellsWhoTheNodeIs) {
  const auto k = keeper();
  EXPECT_EQ(k.identity().network, network);
  EXPECT_EQ(k.identity().address, NodeAddress::from_key(identity.public_key()).bytes);
}

TEST_F(KeeperTest, BuildsTheRecordItself) {
  auto k = keeper();
  const auto answer = k.sign(request(), kNow);
  const auto record = record_of(answer);
  EXPECT_EQ(record.network, network);
  EXPECT_EQ(record.owner, k.address());
  EXPECT_EQ(record.epoch, kNow);
  EXPECT_EQ(record.not_before.seconds, kNowSeconds);
  EXPECT_EQ(record.not_after.seconds, kNowSeconds + kPacketKeyLife);
  EXPECT_EQ(record.key, packet.public_key());
  EXPECT_EQ(record.serial, 42u);
}

TEST_F(KeeperTest, StoresBeforeItAnswers) {
  auto k = keeper();
  const auto answer = k.sign(request(), kNow);
  ASSERT_EQ(store.written.size(), 1u);
  EXPECT_EQ(store.written[0].epoch, kNow);
  EXPECT_EQ(store.written[0].generation, 1u);
  EXPECT_TRUE(store.written[0].has_record);
  EXPECT_EQ(store.written[0].last_record, std::get<key_link::PacketKey>(answer).record);
  EXPECT_EQ(k.counters(), store.written[0]);
}

TEST_F(KeeperTest, NothingIsSignedThatCannotBeStored) {
  auto k = keeper();
  store.works = false;
  EXPECT_EQ(refusal(k.sign(request(), kNow)), Refusal::Storage);
  EXPECT_EQ(refusal(k.sign(origin(), kNow)), Refusal::Storage);
  EXPECT_EQ(refusal(k.sign(key_link::SignEnrolment{}, kNow)), Refusal::Storage);
  EXPECT_EQ(k.counters(), Counters{});
  store.works = true;
  EXPECT_FALSE(refusal(k.sign(request(), kNow)));
}

TEST_F(KeeperTest, EpochIsTheClockOrOneMoreThanBefore) {
  Counters stored;
  stored.epoch = kNow + 5000;  // the clock was ahead once
  auto k = keeper(stored);
  EXPECT_EQ(record_of(k.sign(request(), kNow)).epoch, kNow + 5001);
  EXPECT_EQ(record_of(k.sign(request(), kNow)).epoch, kNow + 5002);
  EXPECT_EQ(record_of(k.sign(request(), kNow + 6000)).epoch, kNow + 6000);
  EXPECT_EQ(record_of(k.sign(request(), kNow + 6000)).epoch, kNow + 6001);
}

TEST_F(KeeperTest, NoEpochIsLeftAtTheEnd) {
  Counters stored;
  stored.epoch = stored.seqno = UINT64_MAX;
  auto k = keeper(stored);
  EXPECT_EQ(refusal(k.sign(request(), kNow)), Refusal::Storage);
  EXPECT_EQ(refusal(k.sign(origin(), kNow)), Refusal::Storage);
}

TEST_F(KeeperTest, BeginningWithin120Seconds) {
  auto k = keeper();
  const auto life = [](std::uint64_t begin) { return begin + 3600; };
  for (const std::uint64_t good : {kNowSeconds - 120, kNowSeconds, kNowSeconds + 120})
    EXPECT_FALSE(refusal(k.sign(timed(good, life(good)), kNow))) << good;
  for (const std::uint64_t bad :
       {kNowSeconds - 121, kNowSeconds + 121, std::uint64_t{0}, UINT64_MAX - 3600})
    EXPECT_EQ(refusal(k.sign(timed(bad, life(bad)), kNow)), Refusal::BadTime) << bad;
}

TEST_F(KeeperTest, LifeOfAtMost7800Seconds) {
  auto k = keeper();
  EXPECT_FALSE(refusal(k.sign(timed(kNowSeconds, kNowSeconds + 7800), kNow)));
  EXPECT_FALSE(refusal(k.sign(timed(kNowSeconds, kNowSeconds + 1), kNow)));
  EXPECT_EQ(refusal(k.sign(timed(kNowSeconds, kNowSeconds + 7801), kNow)), Refusal::BadTime);
  EXPECT_EQ(refusal(k.sign(timed(kNowSeconds, kNowSeconds), kNow)), Refusal::BadTime);
  EXPECT_EQ(refusal(k.sign(timed(kNowSeconds, kNowSeconds - 1), kNow)), Refusal::BadTime);
  EXPECT_EQ(refusal(k.sign(timed(kNowSeconds, UINT64_MAX), kNow)), Refusal::BadTime);
}

TEST_F(KeeperTest, TheKeyMustBeAPoint) {
  auto k = keeper();
  auto bad = request();
  bad.key[0] = 4;
  EXPECT_EQ(refusal(k.sign(bad, kNow)), Refusal::BadField);
  bad.key = {};
  EXPECT_EQ(refusal(k.sign(bad, kNow)), Refusal::BadField);
  EXPECT_TRUE(store.written.empty());
}

TEST_F(KeeperTest, RecordsAtMostOneIn5SecondsAfterABurstOf20) {
  auto k = keeper();
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(refusal(k.sign(request(), kNow))) << i;
  const auto no = std::get<key_link::PacketKeyRefused>(k.sign(request(), kNow));
  EXPECT_EQ(no.why, Refusal::TooFast);
  EXPECT_EQ(no.retry_ms, 5000u);
  EXPECT_EQ(refusal(k.sign(request(), kNow + 4999)), Refusal::TooFast);
  EXPECT_FALSE(refusal(k.sign(request(), kNow + 5000)));
  EXPECT_EQ(refusal(k.sign(request(), kNow + 5001)), Refusal::TooFast);
  EXPECT_EQ(store.written.size(), 21u);  // refusals write nothing
}

TEST_F(KeeperTest, LimitsSurviveARestart) {
  auto first = keeper();
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(refusal(first.sign(request(), kNow)));
  auto second = keeper(store.written.back());
  EXPECT_EQ(refusal(second.sign(request(), kNow + 4000)), Refusal::TooFast);
  EXPECT_FALSE(refusal(second.sign(request(), kNow + 5000)));
}

TEST_F(KeeperTest, OriginsTwiceASecondAfterABurstOf20) {
  auto k = keeper();
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(refusal(k.sign(origin(), kNow))) << i;
  const auto no = std::get<key_link::Refused>(k.sign(origin(), kNow));
  EXPECT_EQ(no.why, Refusal::TooFast);
  EXPECT_EQ(no.request, 0);
  EXPECT_EQ(no.retry_ms, 500u);
  EXPECT_EQ(refusal(k.sign(origin(), kNow + 499)), Refusal::TooFast);
  EXPECT_FALSE(refusal(k.sign(origin(), kNow + 500)));
  EXPECT_FALSE(refusal(k.sign(request(), kNow)));  // each kind has its own allowance
}

TEST_F(KeeperTest, EnrolmentsAreLimited) {
  auto k = keeper();
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(refusal(k.sign(key_link::SignEnrolment{}, kNow)));
  const auto no = std::get<key_link::Refused>(k.sign(key_link::SignEnrolment{}, kNow));
  EXPECT_EQ(no.why, Refusal::TooFast);
  EXPECT_EQ(no.request, 1);
  EXPECT_EQ(no.retry_ms, 10000u);
}

TEST_F(KeeperTest, OriginRecordIsBuiltAndSigned) {
  auto k = keeper();
  const auto answer = k.sign(origin(), kNow);
  const auto record = record_of(answer);
  EXPECT_EQ(record.network, network);
  EXPECT_EQ(record.address, k.address());
  EXPECT_EQ(record.seqno, kNow);
  EXPECT_EQ(record.options, 4u);
  EXPECT_EQ(record.serial, 42u);
  EXPECT_EQ(record.name, "alice");
  EXPECT_EQ(record.endpoints, origin().endpoints);
  EXPECT_TRUE(verify_origin(record, std::get<key_link::Origin>(answer).signature));
  EXPECT_EQ(store.written.back().seqno, kNow);
  EXPECT_EQ(record_of(k.sign(origin(), kNow - 9)).seqno, kNow + 1);  // the clock went back
}

TEST_F(KeeperTest, OriginFieldsAreChecked) {
  auto k = keeper();
  const auto refused = [&](auto change) {
    auto bad = origin();
    change(bad);
    return refusal(k.sign(bad, kNow)) == Refusal::BadField;
  };
  EXPECT_TRUE(refused([](auto& o) { o.name = ""; }));
  EXPECT_TRUE(refused([](auto& o) { o.name = "Alice"; }));
  EXPECT_TRUE(refused([](auto& o) { o.name = "a b"; }));
  EXPECT_TRUE(refused([](auto& o) { o.name = std::string(64, 'a'); }));
  EXPECT_TRUE(refused([](auto& o) { o.endpoints.resize(kMaxEndpoints + 1, o.endpoints[0]); }));
  EXPECT_TRUE(refused([](auto& o) { o.endpoints[0].port = 0; }));
  EXPECT_TRUE(refused([](auto& o) { o.endpoints[0] = Endpoint::parse("0.0.0.0:1").value(); }));
  EXPECT_TRUE(refused([](auto& o) { o.endpoints[0] = Endpoint::parse("224.0.0.1:1").value(); }));
  EXPECT_TRUE(store.written.empty());
  auto most = origin();
  most.endpoints.resize(kMaxEndpoints, most.endpoints[0]);
  EXPECT_FALSE(refusal(k.sign(most, kNow)));
}

TEST_F(KeeperTest, EnrolmentIsARenewalOnly) {
  auto k = keeper();
  key_link::SignEnrolment request;
  request.csr_hash.fill(9);
  request.nonce.fill(8);
  const auto answer = k.sign(request, kNow);
  EnrolmentClaim claim;
  claim.network = network;
  claim.address = k.address();
  claim.csr_hash = request.csr_hash;
  claim.nonce = request.nonce;
  const auto signature = std::get<key_link::Enrolment>(answer).signature;
  EXPECT_TRUE(verify_enrolment(claim, signature));
  claim.token.fill(1);  // it is no signature under any token
  EXPECT_FALSE(verify_enrolment(claim, signature));
}

TEST_F(KeeperTest, KeepsTheLastRecordAndTheHighestDocument) {
  auto k = keeper();
  EXPECT_FALSE(k.last_record());
  EXPECT_EQ(k.document_version().version, 0u);
  const auto answer = k.sign(request(), kNow);
  EXPECT_TRUE(k.saw({7}));
  const Counters stored = store.written.back();
  auto next = keeper(stored);
  ASSERT_TRUE(next.last_record());
  EXPECT_EQ(next.last_record()->record, std::get<key_link::PacketKey>(answer).record);
  EXPECT_EQ(next.document_version().version, 7u);
}

TEST_F(KeeperTest, TheDocumentVersionIsOnlyRaised) {
  auto k = keeper();
  EXPECT_TRUE(k.saw({7}));
  const std::size_t writes = store.written.size();
  EXPECT_TRUE(k.saw({6}));
  EXPECT_TRUE(k.saw({7}));
  EXPECT_TRUE(k.saw({0}));
  EXPECT_EQ(k.document_version().version, 7u);
  EXPECT_EQ(store.written.size(), writes);  // and costs no write
  store.works = false;
  EXPECT_FALSE(k.saw({8}));
  EXPECT_EQ(k.document_version().version, 7u);
  store.works = true;
  EXPECT_TRUE(k.saw({9}));
  EXPECT_EQ(store.written.back().document, 9u);
}

TEST(Allowance, RefillsToTheBurstAndNoFurther) {
  const Rate rate{1000, 3};
  Allowance a;
  const std::uint64_t start = 1000000;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(a, rate, start), 0u);
  EXPECT_EQ(take(a, rate, start), 1000u);
  EXPECT_EQ(take(a, rate, start + 400), 600u);  // asking does not put it off
  EXPECT_EQ(take(a, rate, start + 1000), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(a, rate, start + 1000000), 0u);
  EXPECT_EQ(take(a, rate, start + 1000000), 1000u);
}

TEST(Allowance, AClockSetBackDoesNotBlockForLong) {
  const Rate rate{1000, 1};
  Allowance a;
  EXPECT_EQ(take(a, rate, 9000000), 0u);
  EXPECT_EQ(take(a, rate, 5000), 1000u);
  EXPECT_EQ(take(a, rate, 6000), 0u);
}

TEST(Allowance, AbsurdStoredCreditIsCapped) {
  const Rate rate{1000, 2};
  Allowance a{UINT64_MAX, 5000};
  EXPECT_EQ(take(a, rate, 5000), 0u);
  EXPECT_EQ(take(a, rate, 5000), 0u);
  EXPECT_EQ(take(a, rate, 5000), 1000u);
}

}  // namespace
}  // namespace wattle::keys
