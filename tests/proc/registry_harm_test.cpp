// What the world does to the real registry and signer: full disk, read-only disk, damaged files, a
// clock that is a year off. Each is named, survived, and nothing is lost.
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "registry/core/journal_chain.h"
#include "registry/signer/store.h"
#include "tests/proc/registry_lab.h"

namespace wattle::test {
namespace {

class Harm : public RegistryTest {
 protected:
  std::string journal() const { return state() + "/signer/journal"; }
  std::string database() const { return state() + "/registry/registry.db"; }
  std::string log() const { return os::read_text(folder.file("log"), 1 << 24).value(); }
  void stop() {
    end(registry, SIGTERM);
    end(signer, SIGTERM);
  }
  // The sealed registry leaves SQLite's log beside the database at its end, and the log alone would
  // heal some damage.
  void fold_log() const {
    ASSERT_EQ(shell("sqlite3 " + database() +
                    " 'PRAGMA wal_checkpoint(TRUNCATE)' && chown nobody " + database() + "*")
                  .code,
              0);
  }
  // A signer that ends by itself, within 10 s.
  Ending failed_signer() {
    signer = spawn({program("wattle-signer"), "--net=test", "--root=" + folder.path(),
                    "--registry-user=nobody"},
                   {sign.raw(), sign_admin.raw()}, "sign:sign.admin");
    const Ending ending = wait_for(signer);
    signer = 0;
    return ending;
  }
  std::size_t members() const {
    const Output list = admin("node list --json");
    EXPECT_EQ(list.code, 0) << admin_error();
    return nlohmann::json::parse(list.text)["nodes"].size();
  }
  void audit() const { EXPECT_EQ(admin("audit").code, 0) << admin_error(); }
};

// ---- full and read-only disks -------------------------------------------------------------------

// Registry and signer on a file system of their own of 1 MiB each, in a mount namespace of the
// test.
class SmallDisk : public Harm {
 protected:
  void SetUp() override {
    Harm::SetUp();
    if (IsSkipped()) return;
    if (unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "cannot make a mount namespace";
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    for (const char* part : {"/signer", "/registry"}) {
      const std::string at = state() + part;
      ASSERT_EQ(shell("cp -a " + at + " " + at + ".keep").code, 0);
      ASSERT_EQ(mount("tmpfs", at.c_str(), "tmpfs", 0, "size=1m,mode=0700,uid=65534,gid=65534"), 0);
      ASSERT_EQ(shell("cp -a " + at + ".keep/. " + at).code, 0);
    }
  }
  void TearDown() override {
    Harm::TearDown();
    for (const char* part : {"/signer", "/registry"}) umount2((state() + part).c_str(), MNT_DETACH);
  }
  // Leaves less room than a page.
  void fill(const std::string& part) const {
    shell("dd if=/dev/zero of=" + state() + part + "/filler bs=4096 2>/dev/null; chown nobody " +
          state() + part + "/filler");
    struct statvfs info {};
    ASSERT_EQ(statvfs((state() + part).c_str(), &info), 0);
    ASSERT_EQ(info.f_bavail, 0u);
  }
  void make_room(const std::string& part) const {
    ASSERT_EQ(unlink((state() + part + "/filler").c_str()), 0);
  }
  void set_mode(const std::string& part, bool read_only) const {
    ASSERT_EQ(mount(nullptr, (state() + part).c_str(), nullptr,
                    MS_REMOUNT | (read_only ? MS_RDONLY : 0), "size=1m"),
              0)
        << strerror(errno);
  }
};

TEST_F(SmallDisk, a_full_one_of_the_signer_is_507_and_recovers_without_restart) {
  start();
  ASSERT_EQ(join(Joiner(), invite("alice").token).status, 200);
  const Joiner bob;
  const InviteToken token = invite("bob").token;
  fill("/signer");
  // The last page of the journal may still take an entry or two.
  HttpAnswer answer;
  const Bytes before = os::read_file(journal(), 1 << 20).value();
  for (int i = 0; i < 8; ++i) {
    answer = join(bob, token);
    if (answer.status == 507) break;
    const Output more = admin("invite filler" + std::to_string(i));
    if (more.code != 0) break;
  }
  answer = join(bob, token);
  if (answer.status == 200) {  // it fitted in; somebody else does not
    EXPECT_NE(admin("invite carol").code, 0);
    EXPECT_NE(admin_error().find("free space"), std::string::npos) << admin_error();
  } else {
    EXPECT_EQ(answer.status, 507) << answer.body;
    EXPECT_EQ(answer.json()["error"], "storage");
    EXPECT_NE(answer.body.find("free space"), std::string::npos) << answer.body;
  }
  EXPECT_EQ(http("document").status, 200);
  // No part of an entry is there.
  const Bytes full = os::read_file(journal(), 1 << 20).value();
  EXPECT_GE(full.size(), before.size());
  EXPECT_EQ(registry::walk_journal(full).end, full.size());
  make_room("/signer");
  EXPECT_EQ(join(bob, token).status, 200);
  EXPECT_EQ(admin("invite dave").code, 0) << admin_error();
  EXPECT_EQ(members(), 2u);
  audit();
  stop();
  start();
  EXPECT_EQ(members(), 2u);
}

TEST_F(SmallDisk, a_full_one_of_the_registry_is_507_and_recovers_without_restart) {
  start();
  ASSERT_EQ(join(Joiner(), invite("alice").token).status, 200);
  ASSERT_EQ(http("document").status, 200);
  fill("/registry");
  // What SQLite has room for in files that it holds goes on; then it is said.
  HttpAnswer answer;
  for (int i = 0; i < 40; ++i) {
    answer = join(Joiner(), invite("bob" + std::to_string(i)).token);
    if (answer.status != 200) break;
  }
  EXPECT_EQ(answer.status, 507) << answer.body;
  EXPECT_EQ(answer.json()["error"], "storage");
  EXPECT_NE(answer.body.find("free space"), std::string::npos) << answer.body;
  EXPECT_EQ(http("document").status, 200);
  make_room("/registry");
  EXPECT_EQ(join(Joiner(), invite("carol").token).status, 200);
  EXPECT_GE(members(), 2u);
  audit();
}

TEST_F(SmallDisk, a_read_only_one_is_named_and_nothing_is_lost) {
  start();
  ASSERT_EQ(join(Joiner(), invite("alice").token).status, 200);
  stop();
  fold_log();
  const Bytes before = os::read_file(journal(), 1 << 20).value();
  set_mode("/signer", true);
  const Ending ending = failed_signer();
  EXPECT_TRUE(ending.exited);
  EXPECT_EQ(ending.code, 1);  // started again, for ever
  EXPECT_NE(log().find("cannot open " + journal() + ": Read-only file system"), std::string::npos)
      << log();
  set_mode("/signer", false);
  set_mode("/registry", true);
  start_signer();
  registry = spawn({program("wattle-registry"), "serve", "--net=test", "--root=" + folder.path()},
                   {https.raw()}, "https");
  const Ending view = wait_for(registry);
  registry = 0;
  EXPECT_TRUE(view.exited);
  EXPECT_EQ(view.code, 1);
  EXPECT_NE(log().find(database()), std::string::npos) << log();
  set_mode("/registry", false);
  start_registry();
  EXPECT_EQ(os::read_file(journal(), 1 << 20).value(), before);
  EXPECT_EQ(join(Joiner(), invite("bob").token).status, 200);
  EXPECT_EQ(members(), 2u);
  audit();
}

// ---- damaged files ------------------------------------------------------------------------------

TEST_F(Harm, a_damaged_database_is_made_anew) {
  start();
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  const HttpAnswer first = join(alice, token);
  ASSERT_EQ(first.status, 200);
  end(registry, SIGTERM);
  fold_log();
  const std::size_t size = os::read_file(database(), 1 << 24)->size();
  const std::string cases[] = {"rm " + database() + "*",
                               "head -c 8192 /dev/urandom > " + database(),
                               ": > " + database(),
                               "truncate -s " + std::to_string(size / 2 + 5) + " " + database(),
                               "head -c 4096 /dev/urandom | dd conv=notrunc bs=1 seek=8192 of=" +
                                   database() + " 2>/dev/null",
                               "head -c 40960 /dev/urandom > " + database() +
                                   "-wal; head -c 32768 "
                                   "/dev/urandom > " +
                                   database() + "-shm; chown nobody " + database() + "-*"};
  for (const std::string& harm : cases) {
    shell(harm);
    start_registry();
    HttpAnswer again;
    for (int i = 0; i < 20 && again.status != 200; ++i) again = join(alice, token);
    EXPECT_EQ(again.status, 200) << harm << again.body;
    EXPECT_EQ(again.json()["certificate"], first.json()["certificate"]) << harm;
    audit();
    end(registry, SIGTERM);
    fold_log();
  }
  EXPECT_NE(log().find("made anew from the signer's journal"), std::string::npos);
}

TEST_F(Harm, a_database_damaged_or_removed_under_a_running_registry_heals) {
  start();
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  ASSERT_EQ(join(alice, token).status, 200);
  shell("dd if=/dev/urandom of=" + database() + " bs=4096 count=12 conv=notrunc 2>/dev/null");
  for (int i = 0; i < 5; ++i) {
    const InviteToken more = invite("n" + std::to_string(i)).token;
    const Joiner joiner;
    HttpAnswer answer;
    for (int tries = 0; tries < 20 && answer.status != 200; ++tries) answer = join(joiner, more);
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  shell("rm -f " + database() + "*");
  EXPECT_EQ(join(Joiner(), invite("last").token).status, 200);
  end(registry, SIGTERM);
  start_registry();
  EXPECT_EQ(join(alice, token).status, 200);
  EXPECT_EQ(members(), 7u);
  audit();
}

TEST_F(Harm, audit_tells_a_view_that_is_not_the_journals) {
  start();
  ASSERT_EQ(join(Joiner(), invite("alice").token).status, 200);
  ASSERT_EQ(http("document").status, 200);
  const Output good = admin("audit");
  EXPECT_EQ(good.code, 0) << admin_error();
  EXPECT_NE(good.text.find("1 members made"), std::string::npos) << good.text;
  end(registry, SIGTERM);
  ASSERT_EQ(shell("sqlite3 " + database() + " \"UPDATE member SET flags = 31\"; chown nobody " +
                  database() + "*")
                .code,
            0);
  EXPECT_EQ(admin("audit").code, 1);
  EXPECT_NE(admin_error().find("differs from the journal in 2 rows"), std::string::npos)
      << admin_error();
  shell("rm " + database() + "*");
  start_registry();
  EXPECT_EQ(http("genesis").status, 200);
  audit();
}

// Each class of damage: named with its place, exit 78, nothing changed, and a restore helps. A torn
// end is cut off.
TEST_F(Harm, a_damaged_journal_is_named_and_not_touched) {
  start();
  ASSERT_EQ(join(Joiner(), invite("alice").token).status, 200);
  ASSERT_EQ(admin("backup " + folder.file("saved")).code, 0) << admin_error();
  invite("bob");
  stop();
  const Bytes good = os::read_file(journal(), 1 << 24).value();
  const std::size_t second = [&] {
    return registry::decode_entry(good, registry::Secrets::Expected)->size;
  }();
  struct Case {
    const char* what;
    std::size_t at;  // byte that is changed
  };
  const Case cases[] = {{"magic", 0},
                        {"kind", second + 4},
                        {"sequence", second + 15},
                        {"size", second + 27},
                        {"hash of the one before", second + 40},
                        {"header check", second + 66},
                        {"body", second + 90}};
  const auto put = [&](ByteView bytes) {
    ASSERT_TRUE(os::write_file(journal(), bytes, 0600, 65534, 65534));
  };
  for (const Case& c : cases) {
    Bytes wrong = good;
    wrong[c.at] ^= 0x20;
    put(wrong);
    const Ending ending = failed_signer();
    EXPECT_EQ(ending.code, 78) << c.what;
    EXPECT_EQ(os::read_file(journal(), 1 << 24).value(), wrong) << c.what;
  }
  EXPECT_NE(log().find(journal() + " is damaged after entry 1"), std::string::npos) << log();
  // An entry left out, one twice, and a hole of zeros.
  Bytes wrong = good;
  wrong.erase(wrong.begin() + static_cast<std::ptrdiff_t>(second),
              wrong.begin() + static_cast<std::ptrdiff_t>(2 * second));
  put(wrong);
  EXPECT_EQ(failed_signer().code, 78);
  wrong = good;
  wrong.insert(wrong.begin(), good.begin(), good.begin() + static_cast<std::ptrdiff_t>(second));
  put(wrong);
  EXPECT_EQ(failed_signer().code, 78);
  wrong = good;
  std::fill(wrong.begin() + static_cast<std::ptrdiff_t>(second),
            wrong.begin() + static_cast<std::ptrdiff_t>(second + 300), std::uint8_t{0});
  put(wrong);
  EXPECT_EQ(failed_signer().code, 78);
  ASSERT_EQ(admin("restore " + folder.file("saved") + " --journal-lost").code, 0) << admin_error();
  start();
  EXPECT_EQ(members(), 1u);
  audit();
}

TEST_F(Harm, a_torn_journal_loses_only_what_nobody_was_told) {
  start();
  const Joiner alice;
  const InviteToken token = invite("alice").token;
  const HttpAnswer first = join(alice, token);
  ASSERT_EQ(first.status, 200);
  stop();
  const Bytes good = os::read_file(journal(), 1 << 24).value();
  for (const Bytes& more : {Bytes{'W'}, Bytes(good.begin(), good.begin() + 40), Bytes(400, 0)}) {
    Bytes bytes = good;
    bytes.insert(bytes.end(), more.begin(), more.end());
    ASSERT_TRUE(os::write_file(journal(), bytes, 0600, 65534, 65534));
    start();
    EXPECT_EQ(join(alice, token).json()["certificate"], first.json()["certificate"]);
    stop();
    EXPECT_EQ(os::read_file(journal(), 1 << 24)->size(), good.size());
  }
  EXPECT_NE(log().find("cut off a last journal entry"), std::string::npos);
}

// ---- the clock ----------------------------------------------------------------------------------

// A journal whose newest entry is a year away from this host's clock, as after a jump of that.
class Clock : public Harm {
 protected:
  static constexpr std::uint64_t kYear = 365ull * 24 * 3600;

  // Instead of the one that SetUp() made; the genesis with it.
  void make_store(UnixTime time) {
    shell("rm -f " + state() + "/signer/*");
    signer::NetworkPlan plan;
    plan.network = "test";
    plan.prefix = IpPrefix::parse(kPrefix).value();
    plan.ipv4 = IpPrefix::parse(kIpv4).value();
    plan.https_key = https_key;
    plan.urls = {base()};
    const auto made = signer::make_store(state() + "/signer", plan, time);
    ASSERT_TRUE(made) << made.error().text();
    genesis_text = *made;
    ASSERT_TRUE(os::write_file(etc() + "/genesis", as_bytes(genesis_text), 0644));
    ASSERT_EQ(shell("chown nobody " + state() + "/signer/*").code, 0);
  }
  void nothing_until_accepted(const std::string& part) {
    const Bytes before = os::read_file(journal(), 1 << 24).value();
    start();
    EXPECT_EQ(admin("invite alice").code, 1);
    EXPECT_NE(admin_error().find(part), std::string::npos) << admin_error();
    EXPECT_NE(admin_error().find("wattle-registry accept-clock"), std::string::npos);
    EXPECT_EQ(admin("network set mtu 1300").code, 1);
    const Joiner stranger;
    HttpAnswer answer = renew(stranger, 1);
    EXPECT_EQ(answer.status, 503) << answer.body;
    EXPECT_EQ(answer.json()["error"], "clock-off");
    EXPECT_EQ(http("document").status, 200);  // what it has, it still says
    EXPECT_EQ(os::read_file(journal(), 1 << 24).value(), before);
    EXPECT_NE(log().find(part), std::string::npos);
    const Output accepted = admin("accept-clock");
    EXPECT_EQ(accepted.code, 0) << admin_error();
    EXPECT_EQ(admin("invite bob").code, 0) << admin_error();
    answer = renew(stranger, 1);
    EXPECT_EQ(answer.status, 404) << answer.body;
    // It is in the journal: a restart asks no more.
    stop();
    start();
    EXPECT_EQ(admin("invite carol").code, 0) << admin_error();
    audit();
  }
};

TEST_F(Clock, a_year_ahead_nothing_is_signed_until_root_says_so) {
  make_store({os::unix_now().seconds - kYear});
  nothing_until_accepted("365 days ahead of the newest entry");
  EXPECT_EQ(join(Joiner(), invite("dave").token).status, 200);
}

TEST_F(Clock, a_year_behind_nothing_is_signed_until_root_says_so) {
  make_store({os::unix_now().seconds + kYear});
  nothing_until_accepted("days behind the newest entry");
}

}  // namespace
}  // namespace wattle::test
