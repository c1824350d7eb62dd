// A compromised metad and a compromised cryptod against the real wattle-keyd: signatures of the
// fixed kinds, limited and logged, and nothing else (security.md 2.2 T4, T5).
#include <chrono>

#include "common/proto/enrolment.h"
#include "common/proto/origin_record.h"
#include "tests/proc/hostile/attacker.h"
#include "tests/proc/keyd_process.h"

namespace wattle::test {
namespace {

using namespace std::chrono_literals;
using namespace key_link;  // NOLINT: the messages

class HostileKeyd : public KeydTest {
 protected:
  Attacker metad() { return Attacker::on<FromMetad, ToMetad>(folder.file("key.sock")); }
  static SignOrigin origin() {
    SignOrigin out;
    out.serial = 77;
    out.name = "alice";
    out.endpoints = {{IpAddress::v4({192, 0, 2, 1}), 8737}};
    return out;
  }
  // The answer to `request`: skips the greeting, which is of two messages.
  template <typename M>
  std::optional<ToMetad::Message> ask(Attacker& liar, const M& request) {
    if (!liar.say(FromMetad::pack(request))) return std::nullopt;
    for (;;) {
      const Bytes bytes = liar.hear();
      if (bytes.empty()) return std::nullopt;
      auto message = ToMetad::unpack(bytes);
      if (message && !std::holds_alternative<Identity>(*message) &&
          !std::holds_alternative<DocumentVersion>(*message))
        return std::move(*message);
    }
  }
  void expect_refused(Attacker& liar, const SignOrigin& request, Refusal why, const char* rule) {
    const auto answer = ask(liar, request);
    ASSERT_TRUE(answer);
    const auto* refused = std::get_if<Refused>(&*answer);
    ASSERT_NE(refused, nullptr) << rule;
    EXPECT_EQ(refused->why, why) << rule;
    EXPECT_GE(
        count_lines(log_text(), {"refused to sign an origin record", std::string("rule=") + rule}),
        1u)
        << log_text();
  }
  // The same process, and it signs for cryptod and for metad.
  void expect_served(pid_t was) {
    EXPECT_EQ(pid, was);
    ASSERT_TRUE(is_alive(was)) << log_text();
    EXPECT_NE(sign_one(), 0u);
    auto honest = metad();
    std::optional<ToMetad::Message> answer;
    for (int i = 0; i < 20; ++i) {  // what the liar has used up comes back
      answer = ask(honest, origin());
      ASSERT_TRUE(answer) << log_text();
      if (std::holds_alternative<Origin>(*answer)) break;
      usleep(200'000);
    }
    const auto* signed_one = std::get_if<Origin>(&*answer);
    ASSERT_NE(signed_one, nullptr) << log_text();
    const auto record = parse_origin_body(signed_one->body);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->address, address());
    EXPECT_TRUE(verify_origin(*record, signed_one->signature));
  }
};

TEST_F(HostileKeyd, MetadGetsNothingButItsOwnRecordsAndFewOfThem) {
  ASSERT_NO_FATAL_FAILURE(start());
  auto liar = metad();
  SignOrigin bad = origin();
  bad.name = "../etc\n";
  expect_refused(liar, bad, Refusal::BadField, "field");
  bad = origin();
  bad.endpoints.assign(kMaxEndpoints + 1, bad.endpoints.front());
  expect_refused(liar, bad, Refusal::BadField, "field");
  bad = origin();
  bad.endpoints = {{IpAddress::v4({224, 0, 0, 1}), 8737}};
  expect_refused(liar, bad, Refusal::BadField, "field");
  bad.endpoints = {{IpAddress::v4({192, 0, 2, 1}), 0}};
  expect_refused(liar, bad, Refusal::BadField, "field");

  // Every signature is about this node, and their numbers rise.
  std::uint64_t last = 0;
  std::size_t granted = 0;
  const Instant began = os::now();
  for (int i = 0; i < 40; ++i) {
    SignOrigin claim = origin();
    claim.name = "name" + std::to_string(i);
    claim.serial = UINT64_MAX;
    const auto answer = ask(liar, claim);
    ASSERT_TRUE(answer);
    const auto* given = std::get_if<Origin>(&*answer);
    if (given == nullptr) continue;
    ++granted;
    const auto record = parse_origin_body(given->body);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->network, network());
    EXPECT_EQ(record->address, address());
    EXPECT_GT(record->seqno, last);
    last = record->seqno;
  }
  EXPECT_GE(granted, 20u);
  EXPECT_LE(granted, 21u + static_cast<std::size_t>((os::now() - began) / 500ms));
  expect_refused(liar, origin(), Refusal::TooFast, "rate");
  // An enrolment is a renewal of this node, whatever hash it is about.
  const auto answer = ask(liar, SignEnrolment{{1, 2, 3}, {4, 5}});
  ASSERT_TRUE(answer);
  const auto* enrolment = std::get_if<Enrolment>(&*answer);
  ASSERT_NE(enrolment, nullptr);
  EnrolmentClaim claim;
  claim.network = network();
  claim.address = address();
  claim.csr_hash = {1, 2, 3};
  claim.nonce = {4, 5};
  EXPECT_TRUE(verify_enrolment(claim, enrolment->signature));
  claim.token = {1};
  EXPECT_FALSE(verify_enrolment(claim, enrolment->signature));
  expect_served(pid);
}

TEST_F(HostileKeyd, CryptodGetsNoPastFutureOrLongRecord) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto refused = [&](const char* rule, auto change) {
    SignPacketKey asked = request();
    change(asked);
    cryptod.send(asked);
    ASSERT_TRUE(cryptod.next<PacketKeyRefused>()) << rule;
    EXPECT_GE(count_lines(log_text(),
                          {"refused to sign a packet-key record", std::string("rule=") + rule}),
              1u)
        << log_text();
  };
  refused("time", [](auto& m) { m.not_before.seconds -= 300, m.not_after.seconds -= 300; });
  refused("time", [](auto& m) { m.not_before.seconds += 300, m.not_after.seconds += 300; });
  refused("time", [](auto& m) { m.not_after.seconds += 1; });
  refused("time", [](auto& m) { m.not_after = {UINT64_MAX}; });
  refused("time", [](auto& m) { m.not_after = m.not_before; });
  refused("field", [](auto& m) { m.key = {5, 1, 1}; });
  refused("field", [](auto& m) { m.key = {}; });
  std::size_t granted = 0;
  std::uint64_t last = 0;
  for (int i = 0; i < 30; ++i) {
    cryptod.send(request());
    const auto message = key_link::ToCryptod::unpack(cryptod.raw());
    ASSERT_TRUE(message);
    const auto* given = std::get_if<PacketKey>(&*message);
    if (given == nullptr) continue;
    ++granted;
    const auto record = decode_packet_key(given->record);
    EXPECT_EQ(record->owner, address());
    EXPECT_GT(record->epoch, last);
    last = record->epoch;
  }
  EXPECT_LE(granted, 22u);
  EXPECT_GE(count_lines(log_text(), {"refused to sign a packet-key record", "rule=rate"}), 1u);
  EXPECT_TRUE(is_alive(pid));
}

TEST_F(HostileKeyd, FloodsOfMetadCostNothing) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t was = pid;
  EXPECT_NE(sign_one(), 0u);
  const std::size_t before = rss_kb(was);
  for (const bool deaf : {false, true}) {
    auto liar = metad();
    liar.set_deaf(deaf);
    const SignOrigin bad = [] {
      SignOrigin out = origin();
      out.name = std::string(100'000, 'a');
      return out;
    }();
    const Bytes messages[] = {FromMetad::pack(origin()), FromMetad::pack(SignEnrolment{{1}, {2}}),
                              FromMetad::pack(bad)};
    for (std::size_t i = 0; i < flood(40000); ++i)
      ASSERT_TRUE(liar.say(messages[i % 64 == 0 ? 2 : i % 2])) << log_text();
    EXPECT_NE(sign_one(), 0u) << "cryptod is served meanwhile";
    std::printf("deaf %d: resident %zu kB before, %zu kB after %zu messages\n", deaf, before,
                rss_kb(was), flood(40000));
    expect_grown_less(before, rss_kb(was), 6'000);
  }
  EXPECT_LT(count_lines(log_text(), {}), 150u) << "the log grows with a flood";
  expect_served(was);
}

// Each version is a write to the disk: few are, and it never goes back.
TEST_F(HostileKeyd, VersionsOfTheDocumentArePaced) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t was = pid;
  const std::size_t before = rss_kb(was);
  const Instant began = os::now();
  for (std::uint64_t i = 1; i <= 5000; ++i) {
    while (!os::send_message(cryptod.socket(), FromCryptod::pack(DocumentSeen{i}))) usleep(200);
  }
  EXPECT_NE(sign_one(), 0u);
  const auto kept = count_lines(log_text(), {"keeps the version"});
  EXPECT_GE(count_lines(log_text(), {"refused to keep a version", "rule=rate"}), 1u);
  EXPECT_LE(kept, 40u + static_cast<std::size_t>((os::now() - began) / 500ms));
  EXPECT_LT(count_lines(log_text(), {}), 100u);
  expect_grown_less(before, rss_kb(was), 2'000);
  cryptod.send(DocumentSeen{1});
  EXPECT_NE(sign_one(), 0u);
  expect_served(was);
  EXPECT_EQ(stop(SIGTERM).code, 0);
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_GE(document, 20u);
}

// A real conversation of metad's, changed at random: what does not decode ends metad's lane only.
TEST_F(HostileKeyd, AChangedConversationCostsNothing) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t was = pid;
  const std::size_t before = rss_kb(was);
  SignOrigin longer = origin();
  longer.endpoints.assign(16, {IpAddress::v6({0xfd, 1}), 4000});
  Mutator mutator({FromMetad::pack(origin()), FromMetad::pack(longer),
                   FromMetad::pack(SignEnrolment{{1}, {2}})},
                  20261121);
  auto liar = std::make_unique<Attacker>(metad());
  std::size_t wrong_forms = 0, ends = 0;
  for (std::size_t i = 0; i < flood(20000); ++i) {
    const Bytes message = mutator.next();
    const bool decodes = FromMetad::unpack(message).has_value();
    if (!decodes && ++wrong_forms > 60) continue;
    if (!liar->say(message) || (!decodes && liar->ended())) {
      ++ends;
      liar = std::make_unique<Attacker>(metad());
    }
  }
  EXPECT_GE(ends, 50u);
  expect_grown_less(before, rss_kb(was), 4'000);
  EXPECT_LT(count_lines(log_text(), {}), 120u);
  liar.reset();
  expect_served(was);
}

// From cryptod, too: but what does not decode ends keyd with its lane, as it is to.
TEST_F(HostileKeyd, AMalformedMessageOfCryptodIsNamed) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (const Bytes& message :
       {FromMetad::pack(origin()), Bytes(ipc::kMaxMessage, 0), Bytes{0}, Bytes{}})
    if (FromCryptod::unpack(message)) FAIL() << "that is a message";
  cryptod.send_bytes(FromMetad::pack(origin()));
  const Ending end = finish();
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(count_lines(log_text(), {"cryptod's lane ended", "err="}), 1u) << log_text();
  ASSERT_NO_FATAL_FAILURE(start());
  expect_served(pid);
}

// A cryptod, and a metad, that stand still: the other one is served.
TEST_F(HostileKeyd, WhoStandsStillHoldsUpNobody) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t was = pid;
  auto still = metad();
  still.set_deaf(true);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(still.say(FromMetad::pack(origin())));
  for (int i = 0; i < 2000; ++i) {
    const bool sent = os::send_message(cryptod.socket(), FromCryptod::pack(request())).has_value();
    if (!sent) usleep(100);
  }
  const std::size_t before = rss_kb(was);
  sleep(static_cast<unsigned>(stop_seconds()) / 4);
  expect_grown_less(before, rss_kb(was), 1'000);
  while (!cryptod.raw().empty())
    if (!wait_readable(cryptod.socket(), 300)) break;
  EXPECT_GE(still.drain(), 20u);
  usleep(5'200'000);  // one signature of a packet key comes back in 5 s
  expect_served(was);
}

}  // namespace
}  // namespace wattle::test
