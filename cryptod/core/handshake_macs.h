// mac1, mac2, cookies and the two sealed notes that may answer a message 1 (vectors' README,
// decisions 6, 9, 10). A "note" is a cookie or a stale message: the trigger's header turned round,
// its index, a random salt, and a few sealed bytes under a key that only holders of the record can
// make.
#pragma once

#include "common/crypto/digest.h"
#include "common/net/endpoint.h"
#include "cryptod/core/wire_header.h"

namespace wattle::cryptod {

using Mac = ByteArray<kMacSize>;

// Key of mac1: the packet-key record (200 bytes) of the datagram's receiver.
crypto::Hash mac1_key(ByteView record);
// `before`: all of the datagram that stands in front of the MAC.
Mac mac1(const crypto::Hash& key, ByteView before);
Mac mac2(const Mac& cookie, ByteView before);  // before: mac1 included

// The cookie of a source: R, its address and port, the relay it came through (zero: direct), and
// the sender id that message 1 claims.
Mac cookie_value(ByteView secret32, const Endpoint& source, const ShortId& relay, ByteView sender);

// `record` keyed mac1 of `message1`; `text` is 16 bytes (cookie) or 8 (stale); `out` holds
// kCookieSize or kStaleSize bytes.
void seal_note(WireType type, ByteView record, ByteView message1, const ByteArray<16>& salt,
               ByteView text, MutableBytes out);
// For the sender of `message1`: checks header, index and sender, opens into `text`.
WireCheck open_note(WireType type, ByteView record, ByteView message1, ByteView note,
                    MutableBytes text);

}  // namespace wattle::cryptod
