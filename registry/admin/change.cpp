// node, network and key: which action is meant, and the ones that change something.
#include <unistd.h>
#include <algorithm>
#include <cstdio>

#include "common/base/parse.h"
#include "common/os/clock.h"
#include "registry/admin/journal_view.h"
#include "registry/admin/verbs.h"

namespace wattle::registry {
namespace {

struct Action {
  const char* name;
  int words;  // that must follow it
};
constexpr Action kNodeActions[] = {{"list", 0},  {"show", 1},    {"rename", 2}, {"revoke", 1},
                                   {"relay", 2}, {"approve", 1}, {"reject", 1}};
constexpr Action kNetworkActions[] = {{"show", 0}, {"set", 2}};
constexpr Action kKeyActions[] = {{"list", 0}, {"rotate", 1}, {"retire", 1}};

constexpr const char* kNodeUsage =
    "say wattle-registry node [NET] list, show NAME, rename OLD NEW, revoke NAME, relay NAME "
    "on|off, approve NAME or reject NAME";
constexpr const char* kNetworkUsage = "say wattle-registry network [NET] show, or set KEY VALUE";

constexpr const char* kKeyUsage =
    "say wattle-registry key [NET] list, rotate document|credential|ca, or retire credential|ca";

template <std::size_t N>
const Action* find_action(const Action (&actions)[N], const std::string& name) {
  const auto* at = std::find_if(std::begin(actions), std::end(actions),
                                [&](const Action& action) { return name == action.name; });
  return at == std::end(actions) ? nullptr : at;
}

// Takes the network out of the words if it stands behind the verb; checks action and their number.
template <std::size_t N>
bool read_words(const Action (&actions)[N], Settings& s) {
  if (find_action(actions, s.object) == nullptr && is_network_name(s.object) &&
      (s.network.empty() || s.network == s.object)) {
    s.network = s.object;
    s.object = std::exchange(s.detail, std::exchange(s.value, std::exchange(s.last, {})));
  }
  const Action* action = find_action(actions, s.object);
  if (action == nullptr || !s.last.empty()) return false;
  const int words = (s.detail.empty() ? 0 : 1) + (s.value.empty() ? 0 : 1);
  return words == action->words;
}

Result<std::unique_ptr<AdminLink>> connect(const Settings& settings) {
  const std::string network = WATTLE_TRY(choose_network(settings));
  return AdminLink::connect(os::Paths(network, settings.root), network);
}

int done(const std::string& sentence) {
  std::printf("%s\n", sentence.c_str());
  return 0;
}

template <typename Request>
int order(const Settings& settings, const Request& request, const std::string& sentence) {
  const auto link = connect(settings);
  if (!link) return fail(link.error());
  const auto made = (*link)->order(request);
  return made ? done(sentence) : fail(made.error());
}

int set_relay(const Settings& settings) {
  if (settings.value != "on" && settings.value != "off")
    return fail(Exit::Usage, "say on or off: wattle-registry node relay NAME on|off");
  const auto link = connect(settings);
  if (!link) return fail(link.error());
  const auto entries = (*link)->read_journal();
  if (!entries) return fail(entries.error());
  const auto view = view_of(*entries, settings.network, os::unix_now());
  if (!view) return fail(view.error());
  sign_link::SetFlags request;
  request.name = settings.detail;
  if (const Node* node = view->find(settings.detail)) request.flags = node->flags;
  if (settings.value == "on")
    request.flags |= kFlagRelay;
  else
    request.flags &= static_cast<std::uint8_t>(~kFlagRelay);
  const auto made = (*link)->order(request);
  if (!made) return fail(made.error());
  return done(settings.detail +
              (settings.value == "on" ? " relays for others" : " relays no more for others") +
              " as soon as it has renewed its certificate; it is told to do so now");
}

// False if the word names none.
bool read_kind(const std::string& word, KeyKind& out) {
  for (const KeyKind kind : {KeyKind::Document, KeyKind::Credential, KeyKind::Ca})
    if (word == key_kind_name(kind)) {
      out = kind;
      return true;
    }
  return false;
}

constexpr const char* kBackUp =
    "; the signer's folder holds the new key, so back it up now: without it nobody can change this "
    "network any more";

int rotate_key(const Settings& settings, KeyKind kind) {
  if (kind == KeyKind::Document)
    return order(settings, sign_link::RotateKey{kind},
                 std::string("the network document is signed with a new key; the old one signs "
                             "nothing any more") +
                     kBackUp);
  const std::string name(key_kind_name(kind));
  return order(settings, sign_link::RotateKey{kind},
               "there is a new " + name +
                   " key; the members are being told to renew their certificates. When "
                   "wattle-registry key list shows none with the older one, retire that with "
                   "wattle-registry key retire " +
                   name + kBackUp);
}

}  // namespace

int run_node(Settings s) {
  if (!read_words(kNodeActions, s)) return fail(Exit::Usage, kNodeUsage);
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may ask the signer: run it with sudo");
  if (s.object == "list" || s.object == "show") return show_nodes(s);
  if (s.object == "rename")
    return order(s, sign_link::Rename{s.detail, s.value},
                 s.detail + " is " + s.value +
                     " as soon as it has renewed its certificate; it is told to do so now");
  if (s.object == "revoke")
    return order(s, sign_link::Revoke{s.detail},
                 s.detail + " is a member no more; the others are being told");
  if (s.object == "approve")
    return order(s, sign_link::Approve{s.detail, true},
                 s.detail +
                     " is a member as soon as its machine asks again, within seconds if it "
                     "waits there");
  if (s.object == "reject")
    return order(s, sign_link::Approve{s.detail, false},
                 s.detail + " is not let in; its machine is told when it asks again");
  return set_relay(s);
}

int run_accept_clock(const Settings& given) {
  Settings s = given;
  if (!s.object.empty())
    return fail(Exit::Usage, "accept-clock stands alone, without \"" + s.object + "\"");
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may ask the signer: run it with sudo");
  return order(s, sign_link::AcceptClock{os::unix_now()},
               "the signer takes this host's clock as it is: " + time_text(os::unix_now()));
}

int run_network(Settings s) {
  if (!read_words(kNetworkActions, s)) return fail(Exit::Usage, kNetworkUsage);
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may ask the signer: run it with sudo");
  if (s.object == "show") return show_network(s);
  return order(s, sign_link::SetDocument{s.detail, s.value},
               s.detail + " is " + s.value + "; the members are being told");
}

int run_key(Settings s) {
  KeyKind kind{};
  const bool is_whole = read_words(kKeyActions, s);
  if (!is_whole || (s.object != "list" && !read_kind(s.detail, kind)))
    return fail(Exit::Usage, kKeyUsage);
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may ask the signer: run it with sudo");
  if (s.object == "list") return show_keys(s);
  if (s.object == "rotate") return rotate_key(s, kind);
  return order(s, sign_link::RetireKey{kind, s.force},
               "nothing that the older " + s.detail +
                   " key signed is good any more; the members are being told");
}

}  // namespace wattle::registry
