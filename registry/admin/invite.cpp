#include <unistd.h>
#include <cstdio>

#include "common/base/parse.h"
#include "common/base/secret.h"
#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/random.h"
#include "common/proto/credential.h"
#include "common/proto/genesis.h"
#include "common/proto/invite.h"
#include "registry/admin/admin_link.h"
#include "registry/admin/qr_text.h"
#include "registry/admin/verbs.h"
#include "registry/io/socket_address.h"

namespace wattle::registry {
namespace {

// What an invite says where the registry is.
Result<std::string> base_url(const Settings& settings) {
  if (!settings.urls.empty()) return settings.urls[0];
  const auto own = own_address();
  if (!own)
    return Error(Errc::Config, own.error().text() + ": write url = https://HOST:8443 into " +
                                   os::Paths(settings.network, settings.root).registry_config());
  return "https://" + Endpoint{*own, kHttpsPort}.text();
}

}  // namespace

Result<std::string> make_invite(const os::Paths& paths, const std::string& network,
                                const std::string& url, const InviteWish& wish) {
  const std::string genesis = WATTLE_TRY(os::read_text(paths.genesis(), kMaxDocument));
  Invite invite;
  invite.base = url;
  invite.network = network;
  invite.genesis = genesis_hash(genesis);
  os::SystemRandom().fill(invite.token);

  sign_link::MakeInvite request;
  request.key = invite_key(invite.token);
  request.name = wish.name;
  request.prefix_length = wish.prefix_length;
  if (wish.relay) request.flags = kFlagRelay;
  request.approved = wish.approved;
  request.expires.seconds = os::unix_now().seconds + wish.life;
  const auto link = WATTLE_TRY(AdminLink::connect(paths, network));
  const auto made = link->order(request);
  wipe(request.key);
  if (!made) return made.error();
  std::string text = build_invite(invite);
  wipe(invite.token);
  return text;
}

int run_invite(const Settings& given) {
  Settings settings = given;
  if (settings.object.empty())
    return fail(Exit::Usage, "say whom to invite: wattle-registry invite NAME");
  if (!settings.detail.empty())
    return fail(Exit::Usage, "invite one name at a time, without \"" + settings.detail + "\"");
  if (!is_node_name(settings.object))
    return fail(Exit::Usage, "\"" + settings.object +
                                 "\" is not a node name: use 1 to 63 of the characters a-z, 0-9 "
                                 "and -");
  if (settings.prefix_length < 1 || settings.prefix_length > 128)
    return fail(Exit::Usage, "--prefix-length counts bits: 1 to 80 in a /48");
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may invite: run it with sudo");
  auto network = choose_network(settings);
  if (!network) return fail(network.error());
  settings.network = *std::move(network);
  if (const auto read = read_config(settings); !read) return fail(read.error());
  const auto url = base_url(settings);
  if (!url) return fail(url.error());
  const InviteWish wish{settings.object, static_cast<std::uint8_t>(settings.prefix_length),
                        settings.expires, settings.relay, settings.approved};
  const auto invite =
      make_invite(os::Paths(settings.network, settings.root), settings.network, *url, wish);
  if (!invite) return fail(invite.error());
  if (isatty(STDOUT_FILENO) != 0)
    std::fprintf(stderr, "On the machine that becomes %s, as root, once:  wattle join '…'\n",
                 settings.object.c_str());
  if (settings.qr) {
    auto code = qr_text(*invite, isatty(STDOUT_FILENO) != 0);
    if (!code) return fail(code.error());
    std::fputs(code->c_str(), stdout);
    wipe({reinterpret_cast<std::uint8_t*>(code->data()), code->size()});
  }
  std::printf("%s\n", invite->c_str());
  return std::fflush(stdout) == 0 ? 0 : fail(Exit::General, "cannot print the invite");
}

}  // namespace wattle::registry
