#include "metad/ctl/join_install.h"

#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <functional>

#include "common/crypto/certificate.h"
#include "common/os/file.h"
#include "common/os/users.h"
#include "metad/ctl/conf_template.h"
#include "metad/ctl/member_conf.h"

namespace wattle::ctl {

namespace {

// What was done, to be taken back in reverse order unless it is kept.
class Undo {
 public:
  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    while (!steps_.empty()) {
      steps_.back()();
      steps_.pop_back();
    }
  }
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void add_path(const std::string& path) {
    add([path] {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    });
  }
  void keep() { steps_.clear(); }

 private:
  std::vector<std::function<void()>> steps_;
};

struct Users {
  os::User key, meta;
};

Result<Users> make_users(const std::string& network, Undo& undo) {
  bool made = false;
  WATTLE_TRY(os::ensure_group(os::kLookGroup, &made));
  if (made) undo.add([] { static_cast<void>(os::remove_group(os::kLookGroup)); });
  Users out;
  for (const char* part : kMemberParts) {
    const std::string name = os::user_name(network, part);
    const os::User user = WATTLE_TRY(os::ensure_user(name, &made));
    if (made) undo.add([name] { static_cast<void>(os::remove_user(name)); });
    if (std::string_view(part) == "key") out.key = user;
    if (std::string_view(part) == "meta") out.meta = user;
  }
  return out;
}

// A state folder (0700) filled in the pending folder and moved into place whole.
class StagedFolder {
 public:
  StagedFolder(const os::Paths& paths, const std::string& name, os::User owner)
      : staged_(paths.state + "/pending/" + name),
        final_(paths.state + "/" + name),
        owner_(owner) {}

  Result<void> begin() {
    // Left by a join that was killed before it was done; without member.conf nobody uses it.
    std::error_code error;
    std::filesystem::remove_all(staged_, error);
    std::filesystem::remove_all(final_, error);
    if (error) return Error(Errc::System, "cannot remove " + final_ + ": " + error.message());
    return os::make_folder(staged_, 0700, uid(), gid());
  }
  Result<void> put(const char* name, ByteView bytes, mode_t mode) {
    return os::write_file(staged_ + "/" + name, bytes, mode, uid(), gid());
  }
  Result<void> finish(Undo& undo) {
    if (::rename(staged_.c_str(), final_.c_str()) != 0)
      return os::system_error("cannot make " + final_);
    undo.add_path(final_);
    return {};
  }

 private:
  int uid() const { return static_cast<int>(owner_.uid); }
  int gid() const { return static_cast<int>(owner_.gid); }
  std::string staged_, final_;
  os::User owner_;
};

Result<void> install_state(const Installation& what, const os::Paths& paths, const Users& users,
                           Undo& undo) {
  const CheckAnswer& answer = what.answer;
  StagedFolder key(paths, "key", users.key);
  WATTLE_TRY(key.begin());
  WATTLE_TRY(key.put("identity", as_bytes(what.pending.identity.to_pem()), 0400));
  StagedFolder meta(paths, "meta", users.meta);
  WATTLE_TRY(meta.begin());
  WATTLE_TRY(meta.put("tls.key", as_bytes(what.pending.tls.to_pem()), 0400));
  WATTLE_TRY(meta.put("certificate",
                      as_bytes(crypto::der_to_pem(answer.certificate, "CERTIFICATE")), 0600));
  WATTLE_TRY(meta.put("credential", answer.credential, 0600));
  WATTLE_TRY(meta.put("document", as_bytes(answer.document), 0600));
  WATTLE_TRY(meta.put("peers", as_bytes(build_peers_file(answer.peers)), 0600));
  WATTLE_TRY(key.finish(undo));
  return meta.finish(undo);
}

Result<void> put_new(const std::string& path, const std::string& text, Undo& undo) {
  if (os::exists(path)) return {};
  WATTLE_TRY(os::write_file(path, as_bytes(text), 0644));
  undo.add([path] { ::unlink(path.c_str()); });
  return {};
}

Result<void> install_settings(const Installation& what, const os::Paths& paths, Undo& undo) {
  const std::string above = std::filesystem::path(paths.etc).parent_path();
  for (const std::string& folder : {above, paths.etc}) {
    if (os::exists(folder)) continue;
    WATTLE_TRY(os::make_folder(folder, 0755));
    undo.add([folder] { ::rmdir(folder.c_str()); });
  }
  WATTLE_TRY(
      put_new(paths.config(), build_conf_template(what.network, what.port, what.device), undo));
  // A genesis that is there is the registry's own (then the same), or left by a join that was
  // killed.
  if (const auto old = os::read_text(paths.genesis()); old && *old != what.genesis)
    ::unlink(paths.genesis().c_str());
  WATTLE_TRY(put_new(paths.genesis(), what.genesis, undo));
  MemberConf member;
  member.name = what.answer.name;
  member.address = NodeAddress::from_key(what.pending.identity.public_key());
  member.network_id = claim_of(what.pending).network;
  member.mac = what.answer.mac;
  member.ipv4 = what.answer.ipv4;
  member.ipv6 = what.answer.ipv6;
  member.prefix = what.answer.prefix;
  return put_new(paths.member(), build_member_conf(member), undo);
}

}  // namespace

std::string build_peers_file(const std::vector<JoinPeer>& peers) {
  std::string out;
  for (const JoinPeer& peer : peers) {
    out += peer.name + " " + peer.address.text();
    for (const Endpoint& endpoint : peer.endpoints) out += " " + endpoint.text();
    out += "\n";
  }
  return out;
}

Outcome install_member(const Installation& what, const os::Paths& paths) {
  Undo undo;
  const auto users = make_users(what.network, undo);
  if (!users) return general(users.error());
  if (const auto state = install_state(what, paths, *users, undo); !state)
    return general(state.error());
  if (const auto settings = install_settings(what, paths, undo); !settings)
    return general(settings.error());
  undo.keep();
  return {};
}

}  // namespace wattle::ctl
