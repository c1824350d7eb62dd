#include "common/proto/invite.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/net/endpoint.h"

namespace wattle {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr std::size_t kGenesisText = 52;
constexpr std::size_t kTokenText = 26;
constexpr std::size_t kMaxInvite = 512;

Error bad_invite(std::string_view part) {
  return {Errc::BadSyntax, "this is no invite: " + std::string(part) +
                               "; an invite looks like https://HOST:8443/NET#" +
                               "(52 letters and digits).(26 more), all in one line and in quotes"};
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
}

// HOST, HOST:PORT, [v6] or [v6]:PORT
bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::string with_port =
        text.ends_with(']') ? std::string(text) + ":443" : std::string(text);
    return Endpoint::parse(with_port).has_value();
  }
  const std::size_t colon = text.find(':');
  if (!is_host_name(text.substr(0, colon))) return false;
  if (colon == std::string_view::npos) return true;
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  return port && *port != 0;
}

}  // namespace

std::string build_invite(const Invite& invite) {
  return invite.base + '/' + invite.network + '#' + to_base32(invite.genesis) + '.' +
         to_base32(invite.token);
}

Result<Invite> parse_invite(std::string_view url) {
  if (url.size() > kMaxInvite) return bad_invite("it is longer than 512 characters");
  if (!url.starts_with(kScheme)) return bad_invite("it does not begin with https://");
  const std::size_t hash = url.find('#');
  if (hash == std::string_view::npos)
    return bad_invite(
        "the part after # is missing (a shell cuts it off where the quotes are missing)");
  const std::size_t slash = url.find('/', kScheme.size());
  if (slash == std::string_view::npos || slash > hash)
    return bad_invite("the network's name is missing");
  if (!is_authority(url.substr(kScheme.size(), slash - kScheme.size())))
    return bad_invite("host or port is wrong");

  Invite out;
  out.base = url.substr(0, slash);
  out.network = url.substr(slash + 1, hash - slash - 1);
  if (!is_network_name(out.network))
    return bad_invite("the network's name is not 1 to 12 of a-z and 0-9");
  const std::string_view secret = url.substr(hash + 1);
  const std::size_t dot = secret.find('.');
  if (dot != kGenesisText) return bad_invite("the first part after # does not have 52 characters");
  if (secret.size() != kGenesisText + 1 + kTokenText)
    return bad_invite("the last part does not have 26 characters");
  const auto genesis = parse_base32(secret.substr(0, dot));
  if (!genesis) return bad_invite("the first part after # is not base32");
  const auto token = parse_base32(secret.substr(dot + 1));
  if (!token) return bad_invite("the last part is not base32");
  out.genesis = to_array<32>(*genesis);
  out.token = to_array<16>(*token);
  return out;
}

}  // namespace wattle
