// Whether a posted origin record is that member's own word. Pure.
#pragma once

#include "common/proto/origin_record.h"
#include "registry/core/join_request.h"
#include "registry/core/store.h"

namespace wattle::registry {

// The record, if it parses and is of this network. The signature is not looked at.
Result<OriginRecord> open_origin(const OriginPost& post, const NetworkId& network);

// Denied if it is not by this member (address, name); BadSignature if its signature is wrong.
Result<void> check_origin(const OriginRecord& record, const OriginPost& post,
                          const StoredMember& member);

}  // namespace wattle::registry
