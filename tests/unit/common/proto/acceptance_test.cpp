// What the vectors do not hold: the credential alone, the borders, what is set on success.
#include "common/proto/acceptance.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/test_member.h"

namespace wattle {
namespace {

TEST(Acceptance, GoodRecordsAreHandedOut) {
  const TestMember m;
  Accepted out;
  ASSERT_EQ(accept_record(m.trust, m.pkr(), m.cred(), m.credential.address, kTestNow, nullptr, out),
            Check::Accept);
  EXPECT_EQ(out.record.epoch, 5000u);
  EXPECT_EQ(out.record.key, m.packet_key.public_key());
  EXPECT_EQ(out.credential.serial, 1000u);
  Credential alone;
  ASSERT_EQ(accept_credential(m.trust, m.cred(), m.credential.address, kTestNow, 1000, alone),
            Check::Accept);
  EXPECT_EQ(alone.mac, m.credential.mac);
}

TEST(Acceptance, RefusalLeavesTheOutputAlone) {
  TestMember m;
  m.record.serial = 999;
  Accepted out;
  out.record.epoch = 77;
  EXPECT_EQ(accept_record(m.trust, m.pkr(), m.cred(), m.credential.address, kTestNow, nullptr, out),
            Check::Serial);
  EXPECT_EQ(out.record.epoch, 77u);
}

TEST(Acceptance, TheRecordNamesWhoWasAsked) {
  TestMember m;
  const NodeAddress asked = m.record.owner;
  m.record.owner.bytes[4] ^= 1;  // of another zone, and signed by the same key
  Accepted out;
  EXPECT_EQ(accept_record(m.trust, m.pkr(), m.cred(), asked, kTestNow, nullptr, out), Check::Owner);
}

TEST(Acceptance, CredentialTimesWithTheirTolerance) {
  const TestMember m;
  EXPECT_EQ(m.judge_credential({kTestStart.seconds - kClockSkew}), Check::Accept);
  EXPECT_EQ(m.judge_credential({kTestStart.seconds - kClockSkew - 1}), Check::CredTime);
  EXPECT_EQ(m.judge_credential({kTestEnd.seconds + kClockSkew - 1}), Check::Accept);
  EXPECT_EQ(m.judge_credential({kTestEnd.seconds + kClockSkew}), Check::CredTime);
}

TEST(Acceptance, TimesDoNotWrap) {
  TestMember m;
  m.credential.not_after = {UINT64_MAX};
  EXPECT_EQ(m.judge_credential(), Check::Accept);
  m.credential.not_before = {UINT64_MAX - 1};
  EXPECT_EQ(m.judge_credential(), Check::CredTime);
  TestMember n;
  n.record.not_before = {UINT64_MAX - 10};
  n.record.not_after = {5};
  EXPECT_EQ(n.judge(), Check::PkrTime);
  n.credential.not_after = {UINT64_MAX};
  n.record.not_before = n.record.not_after = {UINT64_MAX - 10};
  EXPECT_EQ(n.judge({UINT64_MAX - 5}), Check::PkrLife);
}

TEST(Acceptance, CredentialAlone) {
  const TestMember m;
  Credential out;
  const CredentialBytes cred = m.cred();
  const NodeAddress other = NodeAddress::from_key(test_key(9).public_key());
  EXPECT_EQ(
      accept_credential(m.trust, ByteView(cred).first(215), m.credential.address, kTestNow, 0, out),
      Check::Length);
  EXPECT_EQ(accept_credential(m.trust, cred, other, kTestNow, 0, out), Check::Owner);
  Trust elsewhere = m.trust;
  elsewhere.network[0] ^= 1;
  EXPECT_EQ(accept_credential(elsewhere, cred, m.credential.address, kTestNow, 0, out),
            Check::Network);
  Trust stranger = m.trust;
  stranger.credential_keys = {test_key(9).public_key()};
  EXPECT_EQ(accept_credential(stranger, cred, m.credential.address, kTestNow, 0, out),
            Check::CredSignature);
  Trust revoking = m.trust;
  revoking.revoked = {999, 1000, 1001};
  EXPECT_EQ(accept_credential(revoking, cred, m.credential.address, kTestNow, 0, out),
            Check::Revoked);
  revoking.revoked = {999, 1001};
  EXPECT_EQ(accept_credential(revoking, cred, m.credential.address, kTestNow, 0, out),
            Check::Accept);
  EXPECT_EQ(m.judge_credential(kTestNow, 1001), Check::SerialOld);
  CredentialBytes bad = cred;
  bad[4] = 2;
  EXPECT_EQ(accept_credential(m.trust, bad, m.credential.address, kTestNow, 0, out),
            Check::Constants);
}

TEST(Acceptance, AnyCredentialKeyInForceWillDo) {
  TestMember m;
  const crypto::PublicKey older = m.credential_key.public_key(), newer = test_key(9).public_key();
  m.trust.credential_keys = {older, newer};
  Credential out;
  ASSERT_EQ(accept_credential(m.trust, m.cred(), m.credential.address, kTestNow, 0, out),
            Check::Accept);
  EXPECT_EQ(out.signed_by, older);
  m.trust.credential_keys = {newer, older};
  Accepted both;
  ASSERT_EQ(m.judge(kTestNow, nullptr), Check::Accept);
  ASSERT_EQ(
      accept_record(m.trust, m.pkr(), m.cred(), m.credential.address, kTestNow, nullptr, both),
      Check::Accept);
  EXPECT_EQ(both.credential.signed_by, older);
  EXPECT_TRUE(m.trust.has_key(both.credential.signed_by));
  m.trust.credential_keys = {newer};  // the older is retired
  EXPECT_EQ(m.judge_credential(), Check::CredSignature);
  EXPECT_FALSE(m.trust.has_key(both.credential.signed_by));
  m.trust.credential_keys.clear();
  EXPECT_EQ(m.judge_credential(), Check::CredSignature);
}

TEST(Acceptance, AnAddressMustBeGoodEvenIfSigned) {
  TestMember m;
  m.credential.address.bytes[0] = 2;
  m.record.owner = m.credential.address;
  EXPECT_EQ(m.judge(), Check::Address);
  EXPECT_EQ(m.judge_credential(), Check::Address);
}

TEST(Acceptance, EpochsOnlyRise) {
  TestMember m;
  SeenRecord seen;
  seen.body = to_array<kPacketKeyBody>(m.pkr());
  seen.epoch = 5000;
  seen.serial = 1000;
  EXPECT_EQ(m.judge(kTestNow, &seen), Check::Accept);  // the very same body
  m.record.not_after.seconds -= 1;
  EXPECT_EQ(m.judge(kTestNow, &seen), Check::PkrEpoch);
  m.record.epoch = 5001;
  EXPECT_EQ(m.judge(kTestNow, &seen), Check::Accept);
  m.record.epoch = 4999;
  EXPECT_EQ(m.judge(kTestNow, &seen), Check::PkrEpoch);
  m.record.epoch = 5001;
  seen.serial = 1001;  // a newer credential of this address was verified meanwhile
  EXPECT_EQ(m.judge(kTestNow, &seen), Check::SerialOld);
}

TEST(Acceptance, ThePacketKeyIsAPointAndLivesAtMostItsLife) {
  TestMember m;
  m.record.key[0] = 4;
  EXPECT_EQ(m.judge(), Check::PkrPoint);
  TestMember n;
  n.record.not_after.seconds += 1;
  EXPECT_EQ(n.judge(), Check::PkrLife);
  n.record.not_after = n.record.not_before;
  EXPECT_EQ(n.judge(), Check::PkrLife);
}

TEST(Acceptance, NamesDiffer) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Check::PkrSignature); ++i)
    EXPECT_TRUE(names.insert(check_name(static_cast<Check>(i))).second) << i;
}

}  // namespace
}  // namespace wattle
