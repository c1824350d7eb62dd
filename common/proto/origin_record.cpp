#include "common/proto/origin_record.h"

#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

constexpr std::string_view kMagic = "MOR1";

}  // namespace

Bytes build_origin_body(const OriginRecord& record) {
  WATTLE_CHECK(is_node_name(record.name) && record.endpoints.size() <= kMaxEndpoints);
  Bytes out;
  Writer writer(out);
  writer.bytes(as_bytes(kMagic)).bytes(record.network).bytes(record.address.bytes);
  writer.u64(record.seqno).u32(record.options).u64(record.serial);
  writer.u8(static_cast<std::uint8_t>(record.name.size())).bytes(as_bytes(record.name));
  writer.u8(static_cast<std::uint8_t>(record.endpoints.size()));
  for (const Endpoint& endpoint : record.endpoints) build_endpoint(writer, endpoint);
  return out;
}

Result<OriginRecord> parse_origin_body(ByteView body) {
  Reader in(body);
  OriginRecord out;
  const ByteView magic = in.view(kMagic.size());
  out.network = in.array<16>();
  const ByteView address = in.view(out.address.bytes.size());
  out.seqno = in.u64();
  out.options = in.u32();
  out.serial = in.u64();
  const ByteView name = in.view(in.u8());
  const std::size_t count = in.u8();
  if (!in.ok()) return Errc::Truncated;
  if (WATTLE_CHECKED(origin_magic, as_text(magic) != kMagic) ||
      !WATTLE_CHECKED(origin_name, is_node_name(as_text(name))) ||
      WATTLE_CHECKED(origin_endpoints, count > kMaxEndpoints))
    return Errc::BadValue;
  out.name = as_text(name);
  for (std::size_t i = 0; i < count; ++i) out.endpoints.push_back(WATTLE_TRY(parse_endpoint(in)));
  WATTLE_TRY(in.finish());
  switch (parse_address(address, out.address)) {  // last: it costs most
    case AddressFault::None:
      return out;
    case AddressFault::Point:
      return Errc::BadPoint;
    default:
      return Errc::BadValue;
  }
}

crypto::Signature sign_origin(const OriginRecord& record, const crypto::PrivateKey& identity) {
  return identity.sign({as_bytes(kLabelOrigin), build_origin_body(record)});
}

bool verify_origin(const OriginRecord& record, ByteView signature64) {
  return WATTLE_CHECKED(origin_signature,
                        crypto::verify(record.address.public_key(),
                                       {as_bytes(kLabelOrigin), build_origin_body(record)},
                                       signature64) == crypto::Verdict::Good);
}

}  // namespace wattle
