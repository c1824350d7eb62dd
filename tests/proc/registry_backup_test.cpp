// Backup and restore of the real registry and signer.
#include <future>

#include "common/proto/network_document.h"
#include "registry/core/journal_chain.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

class Backup : public RegistryTest {
 protected:
  std::string saved() const { return folder.file("saved"); }
  std::string journal() const { return state() + "/signer/journal"; }

  static Bytes credential_bytes(const HttpAnswer& answer) {
    return parse_base64(answer.json()["credential"].get<std::string>()).value();
  }
  static Credential credential_of(const HttpAnswer& answer) {
    return decode_credential(credential_bytes(answer)).value();
  }
  HttpAnswer enrol(const Joiner& joiner, const std::string& name) const {
    HttpAnswer answer = join(joiner, invite(name).token);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer;
  }
  HttpAnswer come_back(Joiner& joiner, ByteView credential, const std::string& name,
                       std::uint8_t nonce) const {
    joiner.csr = crypto::make_csr(joiner.tls).value();
    const std::string body = joiner.renewal_json(network(), {nonce}, credential, name);
    return http("renew", &body);
  }
  NetworkDocument document() const {
    return parse_network_document(http("document").body, genesis().document_key, network()).value();
  }
  // name -> state
  std::map<std::string, std::string> nodes() const {
    const Output list = admin("node list --json");
    EXPECT_EQ(list.code, 0) << admin_error();
    std::map<std::string, std::string> out;
    const auto parsed = nlohmann::json::parse(list.text);
    for (const auto& node : parsed["nodes"]) out[node["name"]] = node["state"];
    return out;
  }
  void stop() {
    end(registry, SIGTERM);
    end(signer, SIGTERM);
  }
  void audit() const { EXPECT_EQ(admin("audit").code, 0) << admin_error(); }
  std::uint64_t entries() const {
    return registry::walk_journal(os::read_file(journal(), 1 << 24).value()).entries;
  }
  // The verb refuses with this exit code and one line that has this part.
  void refused(const std::string& line, int code, const std::string& part) const {
    const Output out = admin(line);
    EXPECT_EQ(out.code, code) << out.text;
    const std::string error = admin_error();
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
  }
};

TEST_F(Backup, is_taken_under_load_and_brings_everything_back) {
  start();
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  const HttpAnswer first = join(alice, token);
  ASSERT_EQ(first.status, 200);
  // Joins go on meanwhile.
  std::vector<std::string> bodies;
  for (int i = 0; i < 40; ++i)
    bodies.push_back(Joiner().json(network(), invite("n" + std::to_string(i)).token));
  auto joins = std::async(std::launch::async, [&] { return join_all(bodies); });
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(admin("backup " + saved() + std::to_string(i) + "/").code, 0) << admin_error();
  for (const HttpAnswer& answer : joins.get()) EXPECT_EQ(answer.status, 200) << answer.body;
  const Output out = admin("backup " + saved());
  ASSERT_EQ(out.code, 0) << admin_error();
  EXPECT_NE(out.text.find("and its database"), std::string::npos) << out.text;
  EXPECT_EQ(shell("stat -c %a " + saved()).text, "700\n");
  const auto before = nodes();
  audit();
  stop();
  // The backups under load are whole, each a beginning of the last.
  const Bytes all = os::read_file(saved() + "/journal", 1 << 24).value();
  for (int i = 0; i < 3; ++i) {
    const Bytes part = os::read_file(saved() + std::to_string(i) + "/journal", 1 << 24).value();
    EXPECT_NE(registry::compare_journals(part, all), registry::Lineage::Parted);
    EXPECT_EQ(registry::walk_journal(part).end, part.size());
  }
  // All but the journal is gone, then comes back.
  ASSERT_EQ(shell("rm -rf " + state() + "/registry/* " + state() + "/signer/*.key " + etc() +
                  "/genesis " + etc() + "/registry.conf")
                .code,
            0);
  const Output restored = admin("restore " + saved());
  ASSERT_EQ(restored.code, 0) << admin_error();
  EXPECT_NE(restored.text.find("wattle up test"), std::string::npos) << restored.text;
  for (const char* key : {"ca.key", "credential.key", "document.key", "../registry/https.key"})
    EXPECT_EQ(shell("stat -c '%U %a' " + state() + "/signer/" + key).text, "nobody 400\n") << key;
  EXPECT_FALSE(os::exists(state() + "/restore"));
  start();
  EXPECT_EQ(nodes(), before);
  const HttpAnswer again = join(alice, token);
  EXPECT_EQ(again.json()["certificate"], first.json()["certificate"]);
  audit();
}

// The journal is the truth: what came after the backup is not forgotten, and nothing is handed out
// twice.
TEST_F(Backup, an_older_one_forgets_nothing_where_the_journal_is_there) {
  start();
  Joiner alice, bob, carol;
  const Credential alices = credential_of(enrol(alice, "alice"));
  const Credential bobs = credential_of(enrol(bob, "bob"));
  ASSERT_EQ(admin("backup " + saved()).code, 0) << admin_error();
  const Credential carols = credential_of(enrol(carol, "carol"));
  const HttpAnswer renewal = come_back(bob, {}, "", 1);
  const Credential renewed = credential_of(renewal);
  ASSERT_EQ(admin("node revoke alice").code, 0) << admin_error();
  for (int i = 0; i < 50 && document().revoked.empty(); ++i) usleep(100000);
  const NetworkDocument newest = document();
  ASSERT_EQ(newest.revoked.size(), 1u);
  stop();
  const Output out = admin("restore " + saved());
  ASSERT_EQ(out.code, 0) << admin_error();
  EXPECT_NE(out.text.find("the journal here is newer and is kept"), std::string::npos) << out.text;
  start();
  const Credential daves = credential_of(enrol(Joiner(), "dave"));
  const auto all = nodes();
  EXPECT_EQ(all.at("alice"), "revoked");
  EXPECT_EQ(all.at("carol"), "member");
  std::set<std::string> ipv4, ipv6;
  std::set<std::uint64_t> serials{renewed.serial};
  for (const Credential& c : {alices, bobs, carols, daves}) {
    ipv4.insert(c.ipv4.text());
    ipv6.insert(c.ipv6.text());
    serials.insert(c.serial);
  }
  EXPECT_EQ(ipv4.size(), 4u);
  EXPECT_EQ(ipv6.size(), 4u);
  EXPECT_EQ(serials.size(), 5u);
  EXPECT_GT(daves.serial, renewed.serial);
  EXPECT_EQ(document().revoked, newest.revoked);  // a join catches up
  EXPECT_GE(document().version, newest.version);
  ASSERT_EQ(admin("network set mtu 1300").code, 0);
  for (int i = 0; i < 50 && document().version <= newest.version; ++i) usleep(100000);
  EXPECT_GT(document().version, newest.version);
  const HttpAnswer refused = come_back(alice, {}, "", 2);
  EXPECT_EQ(refused.json()["error"], "revoked");
  // Bob's renewal is remembered: the same request gets the same bytes.
  EXPECT_EQ(renew(bob, 1).json()["certificate"], renewal.json()["certificate"]);
  audit();
}

TEST_F(Backup, refuses_with_a_sentence) {
  start();
  enrol(Joiner(), "alice");
  ASSERT_EQ(admin("backup " + saved()).code, 0) << admin_error();
  refused("backup", 2, "into which new folder");
  refused("backup " + saved(), 1, "exists already");
  refused("restore", 2, "from which folder");
  refused("restore " + folder.path(), 1, "is no backup");
  refused("restore " + saved(), 1, "runs on this host: stop it with wattle down test");
  end(signer, SIGTERM);
  refused("restore " + saved(), 1, "runs on this host");  // the registry alone
  end(registry, SIGTERM);
  refused("restore " + saved() + " --net other", 1, "is of network test, not of other");
  refused("restore " + saved() + " --document /dev/null", 2, "--journal-lost");

  // Each file by its name.
  for (const char* name : {"journal", "ca.key", "registry.db", "genesis"}) {
    const std::string path = saved() + "/" + name;
    const Bytes good = os::read_file(path, 1 << 24).value();
    Bytes wrong = good;
    wrong[wrong.size() / 2] ^= 1;
    ASSERT_TRUE(os::write_file(path, wrong, 0600));
    refused("restore " + saved(), 1, path + " is not as the backup's manifest has it");
    ASSERT_TRUE(os::write_file(path, good, 0600));
  }
  const std::string own = os::read_text(etc() + "/genesis").value();
  std::string other = own;
  other.replace(other.find("created 1"), 9, "created 2");
  ASSERT_TRUE(os::write_file(etc() + "/genesis", as_bytes(other), 0644));
  refused("restore " + saved(), 1, "of another network");
  ASSERT_TRUE(os::write_file(etc() + "/genesis", as_bytes(own), 0644));

  // A journal that may have lost entries is not taken in silence.
  const Bytes whole = os::read_file(journal(), 1 << 24).value();
  ASSERT_EQ(rename(journal().c_str(), folder.file("aside").c_str()), 0);
  refused("restore " + saved(), 1, "--journal-lost");
  EXPECT_FALSE(os::exists(journal()));
  Bytes shorter = whole;
  shorter.resize(whole.size() - 10);
  ASSERT_TRUE(os::write_file(journal(), shorter, 0600, 65534, 65534));
  refused("restore " + saved(), 1, "older than the backup's");
  Bytes damaged = whole;
  damaged[whole.size() / 2] ^= 1;
  ASSERT_TRUE(os::write_file(journal(), damaged, 0600, 65534, 65534));
  refused("restore " + saved(), 1, "is damaged after entry");
  EXPECT_EQ(os::read_file(journal(), 1 << 24).value(), damaged);
  ASSERT_TRUE(os::write_file(journal(), whole, 0600, 65534, 65534));
  EXPECT_EQ(admin("restore " + saved()).code, 0) << admin_error();
  start();
  audit();
}

TEST_F(Backup, two_journals_that_went_on_apart_are_not_joined) {
  start();
  ASSERT_EQ(admin("backup " + saved() + "0").code, 0);
  enrol(Joiner(), "alice");
  ASSERT_EQ(admin("backup " + saved()).code, 0);
  stop();
  ASSERT_TRUE(os::write_file(journal(), os::read_file(saved() + "0/journal", 1 << 24).value(), 0600,
                             65534, 65534));
  start();
  enrol(Joiner(), "bob");
  stop();
  refused("restore " + saved(), 1, "have both gone on after a common beginning");
  refused("restore " + saved() + " --journal-lost", 1, "have both gone on");
}

// A broken registry must not have root copy other files for it.
TEST_F(Backup, links_and_others_files_are_not_copied) {
  start();
  const std::string key = state() + "/registry/https.key";
  ASSERT_EQ(rename(key.c_str(), (key + ".own").c_str()), 0);
  ASSERT_EQ(symlink("/etc/shadow", key.c_str()), 0);
  EXPECT_EQ(admin("backup " + saved()).code, 1);
  EXPECT_NE(admin_error().find("https.key"), std::string::npos) << admin_error();
  ASSERT_EQ(unlink(key.c_str()), 0);
  ASSERT_TRUE(os::write_file(key, as_bytes("roots"), 0400));
  refused("backup " + saved(), 1, "is not a plain file of user 65534");
  EXPECT_FALSE(os::exists(saved()));
  ASSERT_EQ(rename((key + ".own").c_str(), key.c_str()), 0);
  EXPECT_EQ(admin("backup " + saved()).code, 0) << admin_error();
}

TEST_F(Backup, a_damaged_database_is_left_out_and_made_anew) {
  start();
  enrol(Joiner(), "alice");
  end(registry, SIGKILL);
  ASSERT_EQ(truncate((state() + "/registry/registry.db").c_str(), 5000), 0);
  for (const char* more : {"-wal", "-shm"})
    unlink((state() + "/registry/registry.db" + more).c_str());
  const Output out = admin("backup " + saved());
  EXPECT_EQ(out.code, 0) << admin_error();
  stop();
  ASSERT_EQ(admin("restore " + saved()).code, 0) << admin_error();
  start();
  EXPECT_EQ(nodes().size(), 1u);
  enrol(Joiner(), "bob");
  audit();
}

// ---- the loss of the journal --------------------------------------------------------------------

class Lost : public Backup {
 protected:
  Joiner alice, bob, carol;
  Credential alices, carols;
  Bytes bobs, carols_bytes;
  InviteToken open{};
  NetworkDocument newest;

  // After the backup bob renews, carol joins, and alice is thrown out.
  void live() {
    start();
    alices = credential_of(enrol(alice, "alice"));
    enrol(bob, "bob");
    open = invite("dave").token;
    ASSERT_EQ(admin("backup " + saved()).code, 0) << admin_error();
    const HttpAnswer renewal = come_back(bob, {}, "", 1);
    ASSERT_EQ(renewal.status, 200) << renewal.body;
    bobs = credential_bytes(renewal);
    const HttpAnswer joined = enrol(carol, "carol");
    carols_bytes = credential_bytes(joined);
    carols = credential_of(joined);
    ASSERT_EQ(admin("node revoke alice").code, 0) << admin_error();
    ASSERT_EQ(admin("network set mtu 1300").code, 0) << admin_error();
    newest = document();
    for (int i = 0; i < 50 && newest.mtu != 1300; ++i) {
      usleep(100000);  // the registry reads on by itself
      newest = document();
    }
    ASSERT_EQ(newest.revoked.size(), 1u);
    ASSERT_TRUE(os::write_file(folder.file("document"), as_bytes(http("document").body), 0600));
    stop();
  }
};

TEST_F(Lost, nothing_is_handed_out_again_and_members_come_back) {
  live();
  ASSERT_EQ(unlink(journal().c_str()), 0);
  const Output out =
      admin("restore " + saved() + " --journal-lost --document " + folder.file("document"));
  ASSERT_EQ(out.code, 0) << admin_error();
  std::printf("%s", out.text.c_str());
  EXPECT_NE(out.text.find("revoked again: alice"), std::string::npos);
  EXPECT_NE(out.text.find("1 open invite is void"), std::string::npos);
  start();
  // The view of the backup catches up first.
  NetworkDocument now = document();
  for (int i = 0; i < 50 && now.version <= newest.version; ++i) {
    usleep(100000);
    now = document();
  }
  EXPECT_GE(now.version, newest.version + (1u << 20));
  EXPECT_EQ(now.mtu, 1300);
  EXPECT_EQ(now.revoked, newest.revoked);
  EXPECT_EQ(come_back(alice, {}, "", 3).json()["error"], "revoked");
  const HttpAnswer used = join(Joiner(), open);
  EXPECT_EQ(used.status, 410) << used.body;

  const Credential erins = credential_of(enrol(Joiner(), "erin"));
  EXPECT_GT(erins.serial, decode_credential(bobs)->serial);
  EXPECT_GT(erins.ipv4.address, carols.ipv4.address);
  EXPECT_GT(erins.ipv6.address, carols.ipv6.address);

  EXPECT_EQ(come_back(carol, {}, "", 1).status, 404);  // an old node's request shows nothing
  EXPECT_EQ(come_back(carol, carols_bytes, "bob", 2).status, 400);
  EXPECT_EQ(come_back(carol, bobs, "carol", 3).status, 403);
  const HttpAnswer returned = come_back(carol, carols_bytes, "carol", 4);
  ASSERT_EQ(returned.status, 200) << returned.body;
  EXPECT_EQ(returned.json()["name"], "carol");
  EXPECT_EQ(credential_of(returned).ipv4, carols.ipv4);
  EXPECT_EQ(credential_of(returned).ipv6, carols.ipv6);
  EXPECT_GT(credential_of(returned).serial, erins.serial);
  ASSERT_EQ(come_back(bob, bobs, "bob", 1).status, 200);
  const auto all = nodes();
  EXPECT_EQ(all.size(), 4u);
  EXPECT_EQ(all.at("carol"), "member");
  audit();
  // A revocation names the certificate that the journal had lost, too.
  ASSERT_EQ(admin("node revoke bob").code, 0) << admin_error();
  for (int i = 0; i < 50 && document().revoked.size() < 4; ++i) usleep(100000);
  EXPECT_EQ(document().revoked.size(), 4u);
  // And it holds over restarts, and with a new view.
  stop();
  ASSERT_EQ(unlink((state() + "/registry/registry.db").c_str()), 0);
  start();
  EXPECT_EQ(nodes().size(), 4u);
  const Credential franks = credential_of(enrol(Joiner(), "frank"));
  EXPECT_GT(franks.ipv4.address, erins.ipv4.address);
  audit();
}

TEST_F(Lost, the_own_members_document_is_found) {
  live();
  ASSERT_EQ(unlink(journal().c_str()), 0);
  ASSERT_TRUE(os::make_folder(state() + "/meta", 0700));
  ASSERT_EQ(rename(folder.file("document").c_str(), (state() + "/meta/document").c_str()), 0);
  const Output out = admin("restore " + saved() + " --journal-lost");
  ASSERT_EQ(out.code, 0) << admin_error();
  EXPECT_NE(out.text.find("revoked again: alice"), std::string::npos) << out.text;
}

TEST_F(Lost, without_a_document_it_says_what_is_lost) {
  live();
  ASSERT_EQ(unlink(journal().c_str()), 0);
  const Output out = admin("restore " + saved() + " --journal-lost");
  ASSERT_EQ(out.code, 0) << admin_error();
  EXPECT_NE(out.text.find("no newer network document was found"), std::string::npos) << out.text;
}

TEST_F(Lost, a_document_of_another_network_changes_nothing) {
  live();
  ASSERT_EQ(unlink(journal().c_str()), 0);
  std::string text = os::read_text(folder.file("document")).value();
  text.replace(text.find("mtu 1300"), 8, "mtu 1301");
  ASSERT_TRUE(os::write_file(folder.file("document"), as_bytes(text), 0600));
  EXPECT_EQ(
      admin("restore " + saved() + " --journal-lost --document " + folder.file("document")).code,
      1);
  EXPECT_FALSE(os::exists(journal()));
  EXPECT_FALSE(os::exists(state() + "/restore"));
}

// Damage in the middle: what comes before it is kept, what is behind it is read for traces.
TEST_F(Lost, a_damaged_journal_is_kept_aside_and_its_traces_count) {
  live();
  Bytes bytes = os::read_file(journal(), 1 << 24).value();
  const std::size_t before = os::read_file(saved() + "/journal", 1 << 24)->size();
  bytes[before + 100] ^= 1;  // bob's renewal
  ASSERT_TRUE(os::write_file(journal(), bytes, 0600, 65534, 65534));
  const Output out = admin("restore " + saved() + " --journal-lost");
  ASSERT_EQ(out.code, 0) << admin_error();
  EXPECT_NE(out.text.find("carol"), std::string::npos) << out.text;
  EXPECT_NE(out.text.find("revoked again: alice"), std::string::npos) << out.text;
  EXPECT_EQ(shell("cmp " + state() + "/signer/journal.before-* - < /dev/null 2>&1 | wc -l").text,
            "1\n");
  start();
  EXPECT_EQ(come_back(alice, {}, "", 3).json()["error"], "revoked");
  EXPECT_EQ(come_back(carol, carols_bytes, "carol", 4).status, 200);
  audit();
}

}  // namespace
}  // namespace wattle::test
