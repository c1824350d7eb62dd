#include "registry/core/journal_entry.h"

#include <gtest/gtest.h>
#include <algorithm>

namespace wattle::registry {
namespace {

InviteEntry invite() {
  InviteEntry e;
  e.key.fill(7);
  e.has_key = true;
  e.token = token_id(e.key);
  e.name = "alice";
  e.prefix_length = 16;
  e.flags = 1;
  e.expires = {1790000000};
  return e;
}

IssueEntry issue() {
  IssueEntry e;
  e.token = token_id(InviteKey{});
  e.address.bytes[0] = 1;
  e.csr_hash.fill(3);
  e.prefix6 = IpPrefix::parse("fd12:3456:789a:1::/64").value();
  e.ipv4 = IpAddress::parse("10.91.4.1").value();
  e.serial = 0x0102030405060708;
  e.flags = 1;
  e.name = "bob";
  e.credential.fill(9);
  e.certificate = Bytes(700, 0x30);
  return e;
}

RenewEntry renewal() {
  RenewEntry e;
  e.address.bytes[0] = 1;
  e.csr_hash.fill(4);
  e.nonce.fill(5);
  e.serial = 0x0102030405060709;
  e.flags = 1;
  e.name = "bob";
  e.credential.fill(8);
  e.certificate = Bytes(700, 0x31);
  return e;
}

LostEntry loss() {
  LostEntry e;
  e.version = 1048577;
  e.serial = 1790000000000;
  e.last6 = IpAddress::parse("fd12:3456:789a:8000:ffff::1").value();
  e.last4 = IpAddress::parse("10.91.6.0").value();
  return e;
}

AdoptEntry adoption() {
  AdoptEntry e;
  e.address.bytes[0] = 1;
  e.csr_hash.fill(4);
  e.nonce.fill(5);
  e.serial = 0x010203040506070a;
  e.flags = 1;
  e.name = "bob";
  e.before.fill(7);
  e.credential.fill(8);
  e.certificate = Bytes(700, 0x31);
  return e;
}

RotateEntry rotation() {
  const ByteArray<32> scalar = {0, 1, 2, 3};
  RotateEntry e;
  e.kind = KeyKind::Ca;
  e.key = crypto::PrivateKey::from_scalar(scalar).value().public_key();
  e.signature.fill(6);
  e.ca_der = Bytes(600, 0x30);
  e.has_secret = true;
  e.secret = scalar;
  return e;
}

Entry entry_of(EntryBody body) {
  Entry entry;
  entry.sequence = 5;
  entry.time = {1790000001};
  entry.previous.fill(0xaa);
  entry.body = std::move(body);
  return entry;
}

TEST(journal_entry, survives_the_way_there_and_back) {
  for (const EntryBody& body :
       {EntryBody(GenesisEntry{"genesis\n"}), EntryBody(DocumentEntry{"d\n"}), EntryBody(invite()),
        EntryBody(loss()), EntryBody(adoption()), EntryBody(issue()), EntryBody(renewal()),
        EntryBody(RenameEntry{issue().address, "carol"}), EntryBody(RevokeEntry{issue().address}),
        EntryBody(FlagsEntry{issue().address, 1}), EntryBody(PolicyEntry{kMinLifetime}),
        EntryBody(PolicyEntry{kMaxLifetime}), EntryBody(rotation()),
        EntryBody(RetireEntry{KeyKind::Credential}),
        EntryBody(PendingEntry{issue().token, issue().address, issue().csr_hash}),
        EntryBody(ApproveEntry{issue().token, issue().address, true}),
        EntryBody(ApproveEntry{issue().token, {}, false})}) {
    Entry entry = entry_of(body);
    Bytes bytes = build_entry(entry);
    bytes.push_back(0xee);  // what follows is not its business
    const auto back = decode_entry(bytes, Secrets::Expected);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->sequence, 5u);
    EXPECT_EQ(back->time.seconds, 1790000001u);
    EXPECT_EQ(back->previous, entry.previous);
    EXPECT_EQ(back->hash, entry.hash);
    EXPECT_EQ(back->size + 1, bytes.size());
    EXPECT_TRUE(back->body == body);
  }
}

TEST(journal_entry, without_its_secret_has_the_same_hash_and_no_key) {
  Entry entry = entry_of(invite());
  const Bytes whole = build_entry(entry);
  const Bytes open = without_secret(whole);
  EXPECT_EQ(open.size() + 32, whole.size());
  const Bytes key(32, 7);
  EXPECT_EQ(std::search(open.begin(), open.end(), key.begin(), key.end()), open.end());
  const auto back = decode_entry(open, Secrets::Removed);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->hash, entry.hash);
  EXPECT_FALSE(std::get<InviteEntry>(back->body).has_key);
  EXPECT_FALSE(decode_entry(open, Secrets::Expected));
  Entry other = entry_of(issue());
  const Bytes plain = build_entry(other);
  EXPECT_EQ(without_secret(plain), plain);
}

TEST(journal_entry, a_new_key_without_its_secret_likewise) {
  Entry entry = entry_of(rotation());
  const Bytes whole = build_entry(entry);
  const Bytes open = without_secret(whole);
  EXPECT_EQ(open.size() + 32, whole.size());
  const ByteArray<32> scalar = rotation().secret;
  EXPECT_EQ(std::search(open.begin(), open.end(), scalar.begin(), scalar.end()), open.end());
  const auto back = decode_entry(open, Secrets::Removed);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->hash, entry.hash);
  EXPECT_FALSE(std::get<RotateEntry>(back->body).has_secret);
  EXPECT_EQ(std::get<RotateEntry>(back->body).secret, ByteArray<32>{});
}

TEST(journal_entry, refuses_fields_that_are_forbidden) {
  const auto refuses = [](EntryBody body) {
    Entry entry = entry_of(std::move(body));
    return decode_entry(build_entry(entry), Secrets::Expected).error().code == Errc::BadValue;
  };
  EXPECT_TRUE(refuses(PolicyEntry{kMinLifetime - 1}));
  EXPECT_TRUE(refuses(PolicyEntry{kMaxLifetime + 1}));
  EXPECT_TRUE(refuses(RenameEntry{issue().address, "Carol"}));
  EXPECT_TRUE(refuses(RenameEntry{issue().address, ""}));
  RenewEntry bare = renewal();
  bare.certificate.clear();
  EXPECT_TRUE(refuses(bare));
  bare = renewal();
  bare.name = "a_b";
  EXPECT_TRUE(refuses(bare));
  RotateEntry wrong = rotation();
  wrong.kind = static_cast<KeyKind>(3);
  EXPECT_TRUE(refuses(wrong));
  wrong = rotation();
  wrong.key[0] = 5;
  EXPECT_TRUE(refuses(wrong));
  wrong = rotation();
  wrong.ca_der.resize(9000);
  EXPECT_TRUE(refuses(wrong));
  EXPECT_TRUE(refuses(RetireEntry{static_cast<KeyKind>(3)}));
}

TEST(journal_entry, every_changed_byte_is_seen) {
  for (const EntryBody& body : {EntryBody(invite()), EntryBody(issue()), EntryBody(rotation())}) {
    Entry entry = entry_of(body);
    const Bytes bytes = build_entry(entry);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      Bytes wrong = bytes;
      wrong[i] ^= 0x40;
      EXPECT_FALSE(decode_entry(wrong, Secrets::Expected)) << i;
    }
  }
}

TEST(journal_entry, every_shortening_is_seen_and_judged_torn) {
  Entry entry = entry_of(invite());
  const Bytes bytes = build_entry(entry);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const ByteView part = ByteView(bytes).first(size);
    EXPECT_FALSE(decode_entry(part, Secrets::Expected)) << size;
    EXPECT_EQ(judge_tail(part, 5), size == 0 ? Tail::Clean : Tail::Torn) << size;
  }
}

TEST(journal_entry, a_tail_with_a_later_entry_in_it_is_damage) {
  Entry first = entry_of(issue());
  Bytes bytes = build_entry(first);
  Entry second = entry_of(invite());
  second.sequence = 6;
  second.previous = first.hash;
  const Bytes more = build_entry(second);
  bytes.insert(bytes.end(), more.begin(), more.end());
  for (const std::size_t at : {std::size_t{0}, std::size_t{26}, std::size_t{100}, first.size - 1}) {
    Bytes wrong = bytes;
    wrong[at] ^= 1;
    EXPECT_FALSE(decode_entry(wrong, Secrets::Expected));
    EXPECT_EQ(judge_tail(wrong, 5), Tail::Damaged) << at;
  }
  EXPECT_EQ(judge_tail(Bytes(500, 0), 5), Tail::Torn);  // blocks that were never written
  EXPECT_EQ(judge_tail(Bytes(kMaxEntry + 1, 0), 5), Tail::Damaged);
}

}  // namespace
}  // namespace wattle::registry
