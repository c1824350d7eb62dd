#include "registry/core/origin_check.h"

#include "common/base/mutant.h"

namespace wattle::registry {

Result<OriginRecord> open_origin(const OriginPost& post, const NetworkId& network) {
  auto record = parse_origin_body(post.body);
  if (!record) return Error(Errc::BadSyntax, "\"body\" is not an origin record");
  if (WATTLE_CHECKED(post_network, record->network != network))
    return Error(Errc::BadSyntax, "the origin record is of another network");
  return record;
}

Result<void> check_origin(const OriginRecord& record, const OriginPost& post,
                          const StoredMember& member) {
  if (WATTLE_CHECKED(post_revoked, member.revoked))
    return Error(Errc::Denied, "this member is revoked");
  // A renamed member uses its old name until it has renewed.
  const bool is_its_name = record.name == member.name || record.name == member.certified_name;
  if (WATTLE_CHECKED(post_address, record.address != member.address) ||
      !WATTLE_CHECKED(post_name, is_its_name))
    return Error(Errc::Denied, "the origin record's name is not that of its address");
  if (!WATTLE_CHECKED(post_signature, verify_origin(record, post.signature)))
    return Error(Errc::BadSignature, "the origin record's signature does not verify");
  return {};
}

}  // namespace wattle::registry
