// A CA and its members for tests: fixed keys, fixed times.
#pragma once

#include "common/crypto/certificate.h"

namespace wattle {

inline constexpr UnixTime kTestStart{1767225600};  // 2026-01-01
inline constexpr UnixTime kTestEnd{1767225600 + 30 * 86400};
inline constexpr UnixTime kTestNow{1767225600 + 3600};

inline crypto::PrivateKey test_key(std::uint8_t number) {
  const ByteArray<32> scalar = {0, 1, 2, 3, number};
  return WATTLE_MUST(crypto::PrivateKey::from_scalar(scalar));
}

inline IpPrefix test_prefix(std::string_view text) { return WATTLE_MUST(IpPrefix::parse(text)); }

struct TestCa {
  crypto::PrivateKey key = test_key(200);
  IpPrefix six = test_prefix("2001:db8:42::/48");
  IpPrefix four = test_prefix("10.91.4.0/22");
  Bytes der;

  TestCa() { der = certificate(); }
  Bytes certificate() const {
    const UnixTime end{kTestStart.seconds + 3650 * 86400};
    return WATTLE_MUST(crypto::make_ca_certificate(key, "home", six, &four, kTestStart, end));
  }

  crypto::MemberCertificate member() const {
    crypto::MemberCertificate out;
    out.common_name = "2/16";
    out.anode_text = "aeaaaaabaaaahwwqwzjziiq47gyfdyp6zjlypuey37tdp7eqxhxziximg5zfqema";
    out.dns_name = "alice";
    out.prefix6 = test_prefix("2001:db8:42:2::/64");
    out.address4 = test_prefix("10.91.4.1/32");
    out.serial = 1767225600123;
    out.not_before = kTestStart;
    out.not_after = kTestEnd;
    return out;
  }
};

}  // namespace wattle
