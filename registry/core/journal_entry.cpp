#include "registry/core/journal_entry.h"

#include <algorithm>

#include "common/base/parse.h"
#include "common/base/reader.h"
#include "common/base/writer.h"

namespace wattle::registry {
namespace {

enum class Kind : std::uint8_t {
  Genesis = 1,
  Document = 2,
  Invite = 3,
  Issue = 4,
  Renew = 5,
  Rename = 6,
  Revoke = 7,
  Flags = 8,
  Policy = 9,
  Rotate = 10,
  Retire = 11,
  Lost = 14,
  Adopt = 15,
  Pending = 12,
  Approve = 13,
};

constexpr std::size_t kHashed = 64;  // of the header, covered by its own check
constexpr std::size_t kMaxCertificate = 8 * 1024;

void put_text(Writer& out, std::string_view text) {
  out.u8(static_cast<std::uint8_t>(text.size())).bytes(as_bytes(text));
}

template <typename E>
void put_certificate(Writer& out, const E& e) {
  out.bytes(e.credential).u16(static_cast<std::uint16_t>(e.certificate.size()));
  out.bytes(e.certificate);
}

struct BodyBuilder {
  Writer& out;

  Kind operator()(const GenesisEntry& e) const {
    out.bytes(as_bytes(e.text));
    return Kind::Genesis;
  }
  Kind operator()(const DocumentEntry& e) const {
    out.bytes(as_bytes(e.text));
    return Kind::Document;
  }
  Kind operator()(const InviteEntry& e) const {
    out.bytes(e.token).u8(e.prefix_length).u8(e.flags).u64(e.expires.seconds);
    put_text(out, e.name);
    return Kind::Invite;
  }
  Kind operator()(const IssueEntry& e) const {
    out.bytes(e.token).bytes(e.address.bytes).bytes(e.csr_hash);
    out.bytes(e.prefix6.address.bytes).u8(e.prefix6.length);
    out.bytes(ByteView(e.ipv4.bytes).first(4)).u64(e.serial).u8(e.flags);
    put_text(out, e.name);
    put_certificate(out, e);
    return Kind::Issue;
  }
  Kind operator()(const RenewEntry& e) const {
    out.bytes(e.address.bytes).bytes(e.csr_hash).bytes(e.nonce).u64(e.serial).u8(e.flags);
    put_text(out, e.name);
    put_certificate(out, e);
    return Kind::Renew;
  }
  Kind operator()(const RenameEntry& e) const {
    out.bytes(e.address.bytes);
    put_text(out, e.name);
    return Kind::Rename;
  }
  Kind operator()(const RevokeEntry& e) const {
    out.bytes(e.address.bytes);
    return Kind::Revoke;
  }
  Kind operator()(const FlagsEntry& e) const {
    out.bytes(e.address.bytes).u8(e.flags);
    return Kind::Flags;
  }
  Kind operator()(const PolicyEntry& e) const {
    out.u64(e.lifetime);
    return Kind::Policy;
  }
  Kind operator()(const LostEntry& e) const {
    out.u64(e.version).u64(e.serial).bytes(e.last6.bytes);
    out.bytes(ByteView(e.last4.bytes).first(4));
    return Kind::Lost;
  }
  Kind operator()(const AdoptEntry& e) const {
    out.bytes(e.address.bytes).bytes(e.csr_hash).bytes(e.nonce).u64(e.serial).u8(e.flags);
    put_text(out, e.name);
    out.bytes(e.before);
    put_certificate(out, e);
    return Kind::Adopt;
  }
  Kind operator()(const RotateEntry& e) const {
    out.u8(static_cast<std::uint8_t>(e.kind)).bytes(e.key).bytes(e.signature);
    out.u16(static_cast<std::uint16_t>(e.ca_der.size())).bytes(e.ca_der);
    return Kind::Rotate;
  }
  Kind operator()(const RetireEntry& e) const {
    out.u8(static_cast<std::uint8_t>(e.kind));
    return Kind::Retire;
  }
  Kind operator()(const PendingEntry& e) const {
    out.bytes(e.token).bytes(e.address.bytes).bytes(e.csr_hash);
    return Kind::Pending;
  }
  Kind operator()(const ApproveEntry& e) const {
    out.bytes(e.token).bytes(e.address.bytes).u8(e.approved ? 1 : 0);
    return Kind::Approve;
  }
};

Result<std::string> take_name(Reader& in) {
  const std::string_view text = as_text(in.view(in.u8()));
  if (!in.ok()) return Errc::Truncated;
  if (!is_node_name(text)) return Errc::BadValue;
  return std::string(text);
}

// The last fields of an entry.
template <typename E>
Result<void> take_certificate(Reader& in, E& e) {
  e.credential = in.array<kCredentialSize>();
  const std::size_t size = in.u16();
  if (size > kMaxCertificate) return Errc::BadValue;
  e.certificate = to_bytes(in.view(size));
  WATTLE_TRY(in.finish());
  if (e.certificate.empty()) return Errc::BadValue;
  return {};
}

Result<EntryBody> decode_invite(Reader& in) {
  InviteEntry e;
  e.token = in.array<16>();
  e.prefix_length = in.u8();
  e.flags = in.u8();
  e.expires.seconds = in.u64();
  e.name = WATTLE_TRY(take_name(in));
  WATTLE_TRY(in.finish());
  return EntryBody(std::move(e));
}

Result<EntryBody> decode_issue(Reader& in) {
  IssueEntry e;
  e.token = in.array<16>();
  e.address.bytes = in.array<40>();
  e.csr_hash = in.array<32>();
  e.prefix6.address = IpAddress::v6(in.array<16>());
  e.prefix6.length = in.u8();
  e.ipv4 = IpAddress::v4(in.array<4>());
  e.serial = in.u64();
  e.flags = in.u8();
  e.name = WATTLE_TRY(take_name(in));
  WATTLE_TRY(take_certificate(in, e));
  if (e.prefix6.length > 128) return Errc::BadValue;
  return EntryBody(std::move(e));
}

Result<EntryBody> decode_renew(Reader& in) {
  RenewEntry e;
  e.address.bytes = in.array<40>();
  e.csr_hash = in.array<32>();
  e.nonce = in.array<16>();
  e.serial = in.u64();
  e.flags = in.u8();
  e.name = WATTLE_TRY(take_name(in));
  WATTLE_TRY(take_certificate(in, e));
  return EntryBody(std::move(e));
}

Result<EntryBody> decode_rename(Reader& in) {
  RenameEntry e;
  e.address.bytes = in.array<40>();
  e.name = WATTLE_TRY(take_name(in));
  WATTLE_TRY(in.finish());
  return EntryBody(std::move(e));
}

Result<EntryBody> decode_revoke(Reader& in) {
  RevokeEntry e;
  e.address.bytes = in.array<40>();
  WATTLE_TRY(in.finish());
  return EntryBody(e);
}

Result<EntryBody> decode_flags(Reader& in) {
  FlagsEntry e;
  e.address.bytes = in.array<40>();
  e.flags = in.u8();
  WATTLE_TRY(in.finish());
  return EntryBody(e);
}

Result<EntryBody> decode_policy(Reader& in) {
  PolicyEntry e;
  e.lifetime = in.u64();
  WATTLE_TRY(in.finish());
  if (e.lifetime < kMinLifetime || e.lifetime > kMaxLifetime) return Errc::BadValue;
  return EntryBody(e);
}

Result<EntryBody> decode_lost(Reader& in) {
  LostEntry e;
  e.version = in.u64();
  e.serial = in.u64();
  e.last6 = IpAddress::v6(in.array<16>());
  e.last4 = IpAddress::v4(in.array<4>());
  WATTLE_TRY(in.finish());
  return EntryBody(e);
}

Result<EntryBody> decode_adopt(Reader& in) {
  AdoptEntry e;
  e.address.bytes = in.array<40>();
  e.csr_hash = in.array<32>();
  e.nonce = in.array<16>();
  e.serial = in.u64();
  e.flags = in.u8();
  e.name = WATTLE_TRY(take_name(in));
  e.before = in.array<kCredentialSize>();
  WATTLE_TRY(take_certificate(in, e));
  return EntryBody(std::move(e));
}

Result<EntryBody> decode_rotate(Reader& in) {
  RotateEntry e;
  e.kind = static_cast<KeyKind>(in.u8());
  e.key = in.array<33>();
  e.signature = in.array<64>();
  const std::size_t size = in.u16();
  if (size > kMaxCertificate) return Errc::BadValue;
  e.ca_der = to_bytes(in.view(size));
  WATTLE_TRY(in.finish());
  if (!is_valid(e.kind) || !crypto::is_point(e.key)) return Errc::BadValue;
  return EntryBody(std::move(e));
}

Result<EntryBody> decode_retire(Reader& in) {
  RetireEntry e;
  e.kind = static_cast<KeyKind>(in.u8());
  WATTLE_TRY(in.finish());
  if (!is_valid(e.kind)) return Errc::BadValue;
  return EntryBody(e);
}

Result<EntryBody> decode_pending(Reader& in) {
  PendingEntry e;
  e.token = in.array<16>();
  e.address.bytes = in.array<40>();
  e.csr_hash = in.array<32>();
  WATTLE_TRY(in.finish());
  return EntryBody(e);
}

Result<EntryBody> decode_approve(Reader& in) {
  ApproveEntry e;
  e.token = in.array<16>();
  e.address.bytes = in.array<40>();
  const std::uint8_t approved = in.u8();
  WATTLE_TRY(in.finish());
  if (approved > 1) return Errc::BadValue;
  e.approved = approved == 1;
  return EntryBody(e);
}

Result<EntryBody> decode_body(std::uint8_t kind, ByteView body) {
  Reader in(body);
  switch (static_cast<Kind>(kind)) {
    case Kind::Genesis:
      return EntryBody(GenesisEntry{std::string(as_text(body))});
    case Kind::Document:
      return EntryBody(DocumentEntry{std::string(as_text(body))});
    case Kind::Invite:
      return decode_invite(in);
    case Kind::Issue:
      return decode_issue(in);
    case Kind::Renew:
      return decode_renew(in);
    case Kind::Rename:
      return decode_rename(in);
    case Kind::Revoke:
      return decode_revoke(in);
    case Kind::Flags:
      return decode_flags(in);
    case Kind::Policy:
      return decode_policy(in);
    case Kind::Lost:
      return decode_lost(in);
    case Kind::Adopt:
      return decode_adopt(in);
    case Kind::Rotate:
      return decode_rotate(in);
    case Kind::Retire:
      return decode_retire(in);
    case Kind::Pending:
      return decode_pending(in);
    case Kind::Approve:
      return decode_approve(in);
  }
  return Errc::BadValue;
}

constexpr std::size_t kSecret = 32;
constexpr std::size_t secret_size(std::uint8_t kind) {
  return kind == static_cast<std::uint8_t>(Kind::Invite) ||
                 kind == static_cast<std::uint8_t>(Kind::Rotate)
             ? kSecret
             : 0;
}

// What a body has of it; null: nothing.
const ByteArray<kSecret>* secret_of(const EntryBody& body) {
  if (const auto* invite = std::get_if<InviteEntry>(&body)) return &invite->key;
  if (const auto* rotate = std::get_if<RotateEntry>(&body)) return &rotate->secret;
  return nullptr;
}

// The secret must be the one that the body names.
Result<void> take_secret(EntryBody& body, ByteView secret) {
  if (auto* invite = std::get_if<InviteEntry>(&body)) {
    invite->has_key = true;
    invite->key = to_array<kSecret>(secret);
    if (token_id(invite->key) != invite->token) return Errc::BadSignature;
  } else if (auto* rotate = std::get_if<RotateEntry>(&body)) {
    rotate->has_secret = true;
    rotate->secret = to_array<kSecret>(secret);
    const auto key = crypto::PrivateKey::from_scalar(secret);
    if (!key || key->public_key() != rotate->key) return Errc::BadSignature;
  }
  return {};
}

struct Header {
  std::uint8_t kind = 0;
  std::size_t secret = 0;
  std::uint64_t sequence = 0;
  UnixTime time;
  std::size_t body = 0;
  crypto::Hash previous{};
};

Result<Header> decode_header(ByteView bytes) {
  if (bytes.size() < kEntryHeader) return Errc::Truncated;
  const crypto::Hash check = crypto::sha256(bytes.first(kHashed));
  if (!equal(ByteView(check).first(8), bytes.subspan(kHashed, 8))) return Errc::BadSignature;
  Reader in(bytes.first(kHashed));
  const std::string_view magic = as_text(in.view(4));
  Header h;
  h.kind = in.u8();
  const std::uint8_t zero8 = in.u8();
  h.secret = in.u16();
  h.sequence = in.u64();
  h.time.seconds = in.u64();
  h.body = in.u32();
  const std::uint32_t zero32 = in.u32();
  h.previous = in.array<32>();
  if (magic != kEntryMagic || zero8 != 0 || zero32 != 0 || h.secret != secret_size(h.kind) ||
      h.body > kMaxDocument)
    return Errc::BadValue;
  return h;
}

}  // namespace

Bytes build_entry(Entry& entry) {
  Bytes body;
  Writer body_writer(body);
  const Kind kind = std::visit(BodyBuilder{body_writer}, entry.body);
  WATTLE_CHECK(body.size() <= kMaxDocument);
  Bytes out;
  Writer writer(out);
  writer.bytes(as_bytes(kEntryMagic)).u8(static_cast<std::uint8_t>(kind)).u8(0);
  writer.u16(static_cast<std::uint16_t>(secret_size(static_cast<std::uint8_t>(kind))));
  writer.u64(entry.sequence).u64(entry.time.seconds);
  writer.u32(static_cast<std::uint32_t>(body.size())).u32(0).bytes(entry.previous);
  const crypto::Hash check = crypto::sha256(out);
  writer.bytes(ByteView(check).first(8)).bytes(body);
  entry.hash = crypto::sha256(out);
  writer.bytes(entry.hash);
  if (const auto* secret = secret_of(entry.body)) writer.bytes(*secret);
  entry.size = out.size();
  return out;
}

Bytes without_secret(ByteView entry) {
  const std::size_t secret = std::size_t{entry[6]} << 8 | entry[7];
  return to_bytes(entry.first(entry.size() - secret));
}

Result<Entry> decode_entry(ByteView bytes, Secrets secrets) {
  const Header h = WATTLE_TRY(decode_header(bytes));
  const std::size_t secret = secrets == Secrets::Expected ? h.secret : 0;
  const std::size_t hashed = kEntryHeader + h.body;
  if (bytes.size() < hashed + 32 + secret) return Errc::Truncated;
  Entry entry;
  entry.sequence = h.sequence;
  entry.time = h.time;
  entry.previous = h.previous;
  entry.size = hashed + 32 + secret;
  entry.hash = crypto::sha256(bytes.first(hashed));
  if (!equal(entry.hash, bytes.subspan(hashed, 32))) return Errc::BadSignature;
  entry.body = WATTLE_TRY(decode_body(h.kind, bytes.subspan(kEntryHeader, h.body)));
  if (secret != 0) WATTLE_TRY(take_secret(entry.body, bytes.subspan(hashed + 32, secret)));
  return entry;
}

bool is_entry_header(ByteView bytes, std::uint64_t& sequence) {
  const auto header = decode_header(bytes);
  if (!header) return false;
  sequence = header->sequence;
  return true;
}

Tail judge_tail(ByteView rest, std::uint64_t next_sequence) {
  if (rest.empty()) return Tail::Clean;
  if (rest.size() > kMaxEntry) return Tail::Damaged;
  const ByteView magic = as_bytes(kEntryMagic);
  for (auto at = rest.begin();; ++at) {
    at = std::search(at, rest.end(), magic.begin(), magic.end());
    if (at == rest.end()) return Tail::Torn;
    std::uint64_t sequence = 0;
    const auto offset = static_cast<std::size_t>(at - rest.begin());
    if (is_entry_header(rest.subspan(offset), sequence) && sequence > next_sequence)
      return Tail::Damaged;
  }
}

}  // namespace wattle::registry
