// PKR and CRED: decoding against building again, and the acceptance list over records as they come
// and over records signed by our keys. Input: one byte of choices, 200 bytes PKR, 216 bytes CRED.
#include <algorithm>

#include "common/proto/acceptance.h"
#include "common/proto/labels.h"
#include "tests/support/test_member.h"

using namespace wattle;

namespace {

enum Choice : std::uint8_t { kSignRecord = 1, kSignCredential = 2, kHasSeen = 4, kRevoked = 8 };

void sign(MutableBytes bytes, std::size_t body, std::string_view label,
          const crypto::PrivateKey& key) {
  const crypto::Signature signature = key.sign({as_bytes(label), ByteView(bytes).first(body)});
  std::copy(signature.begin(), signature.end(), bytes.begin() + static_cast<std::ptrdiff_t>(body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TestMember member;
  const ByteView all(data, size);
  const std::uint8_t choices = size == 0 ? 0 : data[0];
  Bytes pkr = to_bytes(all.subspan(std::min<std::size_t>(size, 1)));
  Bytes cred;
  if (pkr.size() > kPacketKeySize) {
    cred = to_bytes(ByteView(pkr).subspan(kPacketKeySize));
    pkr.resize(kPacketKeySize);
  }
  if (pkr.size() == kPacketKeySize && (choices & kSignRecord) != 0)
    sign(pkr, kPacketKeyBody, kLabelPacketKey, member.identity);
  if (cred.size() == kCredentialSize && (choices & kSignCredential) != 0)
    sign(cred, kCredentialBody, kLabelCredential, member.credential_key);

  if (const auto decoded = decode_packet_key(pkr))
    WATTLE_CHECK(equal(ByteView(build_packet_key(*decoded, member.identity)).first(kPacketKeyBody),
                       ByteView(pkr).first(kPacketKeyBody)));
  if (const auto decoded = decode_credential(cred))
    WATTLE_CHECK(
        equal(ByteView(build_credential(*decoded, member.credential_key)).first(kCredentialBody),
              ByteView(cred).first(kCredentialBody)));

  Trust trust = member.trust;
  if ((choices & kRevoked) != 0) trust.revoked = {member.credential.serial};
  SeenRecord seen;
  seen.epoch = member.record.epoch;
  seen.serial = member.credential.serial;
  const SeenRecord* const before = (choices & kHasSeen) != 0 ? &seen : nullptr;
  const NodeAddress& asked = member.credential.address;
  Accepted out;
  if (accept_record(trust, pkr, cred, asked, kTestNow, before, out) == Check::Accept) {
    WATTLE_CHECK(out.record.owner == asked && out.credential.address == asked);
    WATTLE_CHECK(out.record.serial == out.credential.serial);
    WATTLE_CHECK(!trust.revoked.contains(out.credential.serial));
    WATTLE_CHECK(before == nullptr || out.record.epoch > before->epoch);
    Credential alone;
    WATTLE_CHECK(accept_credential(trust, cred, asked, kTestNow, 0, alone) == Check::Accept);
  }
  return 0;
}
