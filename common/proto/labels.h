// The labels that keep the uses of a key apart (security.md 2.5.3): each ends with one zero byte.
#pragma once

#include <string_view>

#include "common/base/bytes.h"

namespace wattle {

template <std::size_t N>
constexpr std::string_view with_zero(const char (&text)[N]) {
  return {text, N};  // the literal's own terminator is the zero byte
}

inline constexpr std::string_view kLabelCredential = with_zero("wattle/cred/1");
inline constexpr std::string_view kLabelDocument = with_zero("wattle/document/1");
inline constexpr std::string_view kLabelDocumentKey = with_zero("wattle/document-key/1");
inline constexpr std::string_view kLabelEnrolment = with_zero("wattle/enrol/1");
inline constexpr std::string_view kLabelEther = with_zero("wattle/ether");
inline constexpr std::string_view kLabelGenesis = with_zero("wattle/genesis/1");
inline constexpr std::string_view kLabelInvite = with_zero("wattle/invite");
inline constexpr std::string_view kLabelInviteId = with_zero("wattle/invite-id");
inline constexpr std::string_view kLabelName = with_zero("wattle/name");
inline constexpr std::string_view kLabelOrigin = with_zero("wattle/origin/1");
inline constexpr std::string_view kLabelPacketKey = with_zero("wattle/packet-key/1");

}  // namespace wattle
