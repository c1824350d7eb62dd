#include "registry/signer/journal.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <csignal>

#include "common/os/file.h"
#include "registry/signer/store.h"
#include "tests/unit/common/os/child.h"
#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

using signer::Journal;

class JournalFile : public ::testing::Test {
 protected:
  std::string path() const { return folder.file("journal"); }
  void write(ByteView bytes) { ASSERT_TRUE(os::write_file(path(), bytes, 0600)); }
  Bytes content() const { return os::read_file(path(), 1 << 20).value(); }

  // Opens and replays; what came is in `ledger` and `count`.
  Result<Journal> open() {
    ledger = {};
    count = 0;
    return Journal::open(
        path(),
        [this](const registry::Entry& entry) {
          ++count;
          return ledger.apply(entry);
        },
        cut);
  }
  static Bytes joined(const std::vector<Bytes>& entries) {
    Bytes out;
    for (const Bytes& e : entries) out.insert(out.end(), e.begin(), e.end());
    return out;
  }

  TempFolder folder;
  signer::Ledger ledger;
  std::size_t count = 0;
  std::size_t cut = 0;
};

TEST_F(JournalFile, keeps_what_was_appended) {
  SignerBench bench;
  bench.admit(bench.request(Joiner(), bench.invite("alice")));
  {
    auto journal = Journal::create(path());
    ASSERT_TRUE(journal);
    for (const Bytes& bytes : bench.stored) {
      auto entry = registry::decode_entry(bytes, registry::Secrets::Expected).value();
      ASSERT_TRUE(journal->append(entry));
    }
  }
  EXPECT_EQ(content(), joined(bench.stored));
  const auto journal = open();
  ASSERT_TRUE(journal) << journal.error().text();
  EXPECT_EQ(count, bench.stored.size());
  EXPECT_EQ(cut, 0u);
  EXPECT_EQ(ledger.last_hash(), bench.ledger.last_hash());
}

// A crash may leave any beginning of the last entry: it goes, everything before it stays, and the
// next entry is written in its place.
TEST_F(JournalFile, cuts_off_a_torn_last_entry_at_every_byte) {
  SignerBench bench;
  bench.invite("alice");
  const std::size_t whole = joined(bench.stored).size();
  bench.invite("bob");
  const Bytes all = joined(bench.stored);
  for (std::size_t size = whole; size < all.size(); ++size) {
    write(ByteView(all).first(size));
    auto journal = open();
    ASSERT_TRUE(journal) << size << ": " << journal.error().text();
    EXPECT_EQ(count, 3u);
    EXPECT_EQ(cut, size - whole);
    EXPECT_EQ(content().size(), whole);
    if (size % 16 != 0) continue;
    auto entry = registry::decode_entry(bench.stored[3], registry::Secrets::Expected).value();
    ASSERT_TRUE(journal->append(entry));
    EXPECT_EQ(content(), all);
  }
}

TEST_F(JournalFile, refuses_damage_before_the_end_and_changes_nothing) {
  SignerBench bench;
  bench.invite("alice");
  bench.invite("bob");
  const Bytes all = joined(bench.stored);
  const std::size_t last = all.size() - bench.stored.back().size();
  for (std::size_t at = 0; at < last; at += 7) {
    Bytes wrong = all;
    wrong[at] ^= 0x10;
    write(wrong);
    const auto journal = open();
    ASSERT_FALSE(journal) << at;
    EXPECT_EQ(content(), wrong);
    EXPECT_NE(journal.error().text().find(path()), std::string::npos) << journal.error().text();
  }
}

TEST_F(JournalFile, refuses_a_missing_entry) {
  SignerBench bench;
  bench.invite("alice");
  bench.invite("bob");
  auto entries = bench.stored;
  entries.erase(entries.begin() + 2);
  write(joined(entries));
  EXPECT_FALSE(open());
}

TEST_F(JournalFile, is_one_signers_at_a_time) {
  SignerBench bench;
  write(joined(bench.stored));
  const auto first = open();
  ASSERT_TRUE(first);
  EXPECT_EQ(open().error().code, Errc::Exists);
}

TEST_F(JournalFile, hands_out_entries_without_keys_in_bounded_pieces) {
  SignerBench bench;
  for (int i = 0; i < 20; ++i) bench.invite("n" + std::to_string(i));
  write(joined(bench.stored));
  const auto journal = open();
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->read(0, 5, 1 << 20)->size(), 5u);
  EXPECT_EQ(journal->read(0, 100, 1)->size(), 1u);
  EXPECT_EQ(journal->read(2, 100, 1 << 20)->size(), 20u);
  EXPECT_TRUE(journal->read(22, 100, 1 << 20)->empty());
  const auto entries = journal->read(2, 100, 1 << 20);
  ASSERT_TRUE(entries);
  for (const Bytes& bytes : *entries) {
    const auto entry = registry::decode_entry(bytes, registry::Secrets::Removed);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->size, bytes.size());
    EXPECT_FALSE(std::get<registry::InviteEntry>(entry->body).has_key);
  }
}

// A full disk, played by a file size limit: the entry is refused, nothing of it stays, and when
// there is room again it is written.
TEST_F(JournalFile, a_full_disk_refuses_and_leaves_nothing) {
  SignerBench bench;
  write(joined(bench.stored));
  const Bytes before = content();
  const Ending ending = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    auto journal = open();
    if (!journal) return 1;
    registry::InviteEntry invite;
    invite.name = "alice";
    invite.has_key = true;
    invite.token = token_id(invite.key);
    auto entry = bench.next(invite);
    rlimit limit{before.size() + 50, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    if (journal->append(entry)) return 3;
    if (content() != before) return 4;
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 5;
    if (!journal->append(entry)) return 6;
    return 0;
  });
  EXPECT_EQ(ending.code, 0);
  ASSERT_TRUE(open());
  EXPECT_EQ(count, 3u);
}

class SignerStore : public JournalFile {
 protected:
  signer::NetworkPlan plan() const {
    signer::NetworkPlan out;
    out.network = "home";
    out.prefix = SignerBench::prefix("fd12:3456:789a::/48");
    out.ipv4 = SignerBench::prefix("10.91.4.0/22");
    return out;
  }
};

TEST_F(SignerStore, is_made_once_and_opens) {
  const auto made = signer::make_store(folder.path(), plan(), SignerBench::kNow);
  ASSERT_TRUE(made) << made.error().text();
  {
    const auto opened = signer::open_store(folder.path(), "home");
    ASSERT_TRUE(opened) << opened.error().text();
    EXPECT_EQ(opened->ledger.genesis_text(), *made);
    EXPECT_EQ(opened->ledger.document().version, 1u);
  }
  EXPECT_EQ(signer::make_store(folder.path(), plan(), SignerBench::kNow).error().code,
            Errc::Exists);
  EXPECT_EQ(signer::open_store(folder.path(), "other").error().code, Errc::Config);
}

TEST_F(SignerStore, refuses_keys_that_others_may_read_or_that_are_anothers) {
  ASSERT_TRUE(signer::make_store(folder.path(), plan(), SignerBench::kNow));
  ASSERT_EQ(chmod(folder.file("ca.key").c_str(), 0440), 0);
  EXPECT_EQ(signer::open_store(folder.path(), "home").error().code, Errc::Config);
  ASSERT_EQ(chmod(folder.file("ca.key").c_str(), 0400), 0);
  ASSERT_TRUE(signer::open_store(folder.path(), "home"));
  const std::string pem = crypto::PrivateKey::generate().to_pem();
  ASSERT_TRUE(os::write_file(folder.file("document.key"), as_bytes(pem), 0400));
  EXPECT_EQ(signer::open_store(folder.path(), "home").error().code, Errc::Config);
}

TEST_F(SignerStore, refuses_a_damaged_journal) {
  ASSERT_TRUE(signer::make_store(folder.path(), plan(), SignerBench::kNow));
  Bytes bytes = content();
  bytes[100] ^= 1;
  write(bytes);
  const auto opened = signer::open_store(folder.path(), "home");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text().find("damaged"), std::string::npos) << opened.error().text();
}

}  // namespace
}  // namespace wattle::test
