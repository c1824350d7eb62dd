#include "registry/io/sqlite_store.h"

#include <sqlite3.h>
#include <unistd.h>

#include "common/os/file.h"
#include "tests/unit/common/os/child.h"
#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

using registry::SqliteStore;

class StoreFile : public ::testing::Test {
 protected:
  std::string path() const { return folder.file("registry.db"); }
  std::unique_ptr<SqliteStore> open() {
    auto store = SqliteStore::open(path());
    EXPECT_TRUE(store) << store.error().text();
    return store ? *std::move(store) : nullptr;
  }
  // What the registry gets: without secrets.
  static std::vector<registry::Entry> entries(const SignerBench& bench, std::size_t from = 0) {
    std::vector<registry::Entry> out;
    for (std::size_t i = from; i < bench.stored.size(); ++i)
      out.push_back(registry::decode_entry(registry::without_secret(bench.stored[i]),
                                           registry::Secrets::Removed)
                        .value());
    return out;
  }
  // Everything in the tables, as text.
  std::string dump() const {
    std::string out;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    const auto row = [](void* into, int n, char** values, char**) {
      for (int i = 0; i < n; ++i) *static_cast<std::string*>(into) += std::string(values[i]) + "|";
      return 0;
    };
    for (const char* sql :
         {"SELECT key, hex(value) FROM fact ORDER BY 1",
          "SELECT hex(token), name, expires, prefix_length, flags, used FROM invite ORDER BY 1",
          "SELECT hex(address), name, hex(prefix6), prefix6_length, hex(ipv4), serial, flags, "
          "joined, hex(token), certified_name, revoked FROM member ORDER BY 1"})
      EXPECT_EQ(sqlite3_exec(db, sql, row, &out, nullptr), SQLITE_OK);
    sqlite3_close(db);
    return out;
  }

  TempFolder folder;
};

SignerBench two_members() {
  SignerBench bench;
  bench.admit(bench.request(Joiner(), bench.invite("alice")));
  bench.admit(bench.request(Joiner(), bench.invite("bob"), "fd12:3456:789a:1::/64", "10.91.4.2"));
  bench.invite("carol");
  return bench;
}

TEST_F(StoreFile, knows_what_the_journal_says) {
  const SignerBench bench = two_members();
  const auto store = open();
  EXPECT_EQ(store->next_sequence(), 0u);
  EXPECT_EQ(store->genesis().error().code, Errc::NotFound);
  ASSERT_TRUE(store->apply(entries(bench)));
  EXPECT_EQ(store->next_sequence(), bench.stored.size());
  EXPECT_EQ(store->last_hash(), bench.ledger.last_hash());
  EXPECT_EQ(*store->genesis(), bench.ledger.genesis_text());
  EXPECT_EQ(*store->document(), bench.ledger.document_text());
  std::vector<std::string> names;
  ASSERT_TRUE(
      store->each_member([&](const registry::StoredMember& m) { names.push_back(m.name); }));
  EXPECT_EQ(names, (std::vector<std::string>{"alice", "bob"}));
  const auto used = *store->find_invite(token_id(invite_key(InviteToken{1})));
  ASSERT_TRUE(used);
  EXPECT_TRUE(used->used);
  const auto open_invite = *store->find_invite(token_id(invite_key(InviteToken{3})));
  ASSERT_TRUE(open_invite);
  EXPECT_FALSE(open_invite->used);
  EXPECT_EQ(open_invite->name, "carol");
  EXPECT_EQ(open_invite->prefix_length, 16);
  EXPECT_FALSE(store->find_invite(TokenId{})->has_value());
}

TEST_F(StoreFile, goes_on_after_a_restart_and_equals_one_rebuilt_from_the_start) {
  SignerBench bench = two_members();
  ASSERT_TRUE(open()->apply(entries(bench)));
  const std::size_t before = bench.stored.size();
  bench.invite("dave");
  {
    const auto again = open();
    EXPECT_EQ(again->next_sequence(), before);
    ASSERT_TRUE(again->apply(entries(bench, before)));
  }
  const std::string grown = dump();
  {
    const auto store = open();
    ASSERT_TRUE(store->clear());
    EXPECT_EQ(store->next_sequence(), 0u);
    ASSERT_TRUE(store->apply(entries(bench)));
  }
  EXPECT_EQ(dump(), grown);
}

TEST_F(StoreFile, takes_all_entries_of_a_batch_or_none) {
  const SignerBench bench = two_members();
  auto wrong = entries(bench);
  wrong.back().previous[0] ^= 1;
  const auto store = open();
  EXPECT_FALSE(store->apply(wrong));
  EXPECT_EQ(store->next_sequence(), 0u);
  EXPECT_EQ(store->genesis().error().code, Errc::NotFound);
  EXPECT_TRUE(store->apply(entries(bench)));
}

TEST_F(StoreFile, refuses_another_schema_with_a_sentence) {
  open();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const auto store = SqliteStore::open(path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::Config);
  EXPECT_NE(store.error().text().find("99"), std::string::npos);
}

TEST_F(StoreFile, an_older_schema_is_made_anew) {
  const SignerBench bench = two_members();
  ASSERT_TRUE(open()->apply(entries(bench)));
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version = 1", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const auto store = open();
  EXPECT_EQ(store->next_sequence(), 0u);
  EXPECT_TRUE(store->apply(entries(bench)));
}

TEST_F(StoreFile, follows_renewals_names_revocations_and_policy) {
  SignerBench bench;
  Joiner alice;
  bench.admit(bench.request(alice, bench.invite("alice")));
  const auto store = open();
  ASSERT_TRUE(store->apply(entries(bench)));
  EXPECT_EQ(*store->lifetime(), registry::kLifetime);
  ASSERT_TRUE(*store->put_origin({alice.address(), 1, {1}, {1}, {}}));
  const auto grow = [&](registry::EntryBody body) {
    const std::size_t before = bench.stored.size();
    bench.add(std::move(body));
    ASSERT_TRUE(store->apply(entries(bench, before)));
  };
  const auto member = [&] { return store->find_member(alice.address())->value(); };
  grow(registry::PolicyEntry{60});
  EXPECT_EQ(*store->lifetime(), 60u);
  grow(registry::RenameEntry{alice.address(), "carol"});
  grow(registry::FlagsEntry{alice.address(), kFlagRelay});
  EXPECT_EQ(member().name, "carol");
  EXPECT_EQ(member().certified_name, "alice");
  EXPECT_EQ(member().flags, 0);
  alice.csr = crypto::make_csr(alice.tls).value();
  grow(bench.certify(alice.renew(bench.ledger.network(), {1})));
  EXPECT_EQ(member().certified_name, "carol");
  EXPECT_EQ(member().flags, kFlagRelay);
  EXPECT_EQ(member().serial, bench.ledger.last_serial());
  EXPECT_EQ(store->origins(9, NodeAddress{})->size(), 1u);
  grow(registry::RevokeEntry{alice.address()});
  EXPECT_TRUE(member().revoked);
  EXPECT_TRUE(store->origins(9, NodeAddress{})->empty());
}

registry::StoredOrigin origin(const NodeAddress& address, std::uint64_t seqno,
                              std::uint64_t posted) {
  return {address, seqno, {posted}, {1, 2, 3}, {}};
}

TEST_F(StoreFile, keeps_the_newest_origin_and_names_relays_first) {
  SignerBench bench;
  std::vector<NodeAddress> who;
  for (int i = 0; i < 3; ++i) {
    const Joiner joiner;
    who.push_back(joiner.address());
    const std::string n = std::to_string(i + 1);
    auto issue = bench.certify(bench.request(joiner, bench.invite("n" + n),
                                             ("fd12:3456:789a:" + n + "::/64").c_str(),
                                             ("10.91.4." + n).c_str()));
    if (i == 0) issue.flags = kFlagRelay;
    bench.add(issue);
  }
  const auto store = open();
  ASSERT_TRUE(store->apply(entries(bench)));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(*store->put_origin(origin(who[i], 10, 100 + i)));
  EXPECT_FALSE(*store->put_origin(origin(who[2], 10, 500)));
  EXPECT_FALSE(*store->put_origin(origin(who[2], 9, 500)));
  const auto all = *store->origins(10, NodeAddress{});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].address, who[0]);  // the relay, though posted first
  EXPECT_EQ(all[1].address, who[2]);
  EXPECT_EQ(store->origins(1, who[0])->at(0).address, who[2]);
  EXPECT_FALSE(store->put_origin(origin(Joiner().address(), 1, 1)));  // no member
}

// The database is only a view: whatever has become of it, it opens, or is made anew, and after the
// journal was read (again, where an entry does not fit) it says what the journal says.
class DamagedStore : public StoreFile {
 protected:
  SignerBench bench = two_members();
  Bytes good;
  std::string expected;

  void SetUp() override {
    {
      const auto store = open();
      ASSERT_TRUE(store->apply(entries(bench)));
    }
    good = os::read_file(path(), 1 << 24).value();
    expected = dump();
  }
  void put(ByteView bytes) {
    for (const char* more : {"-wal", "-shm"}) unlink((path() + more).c_str());
    ASSERT_TRUE(os::write_file(path(), bytes, 0600));
  }
  // As registry/io/signer_link.cpp does it.
  void catch_up(SqliteStore& store) {
    const bool same = store.next_sequence() <= bench.stored.size() &&
                      (store.next_sequence() == 0 ||
                       entries(bench)[store.next_sequence() - 1].hash == store.last_hash());
    auto done = same ? store.apply(entries(bench, store.next_sequence())) : Result<void>();
    if (!same || (!done && done.error().code == Errc::BadValue)) {
      ASSERT_TRUE(store.clear());
      done = store.apply(entries(bench));
    }
    ASSERT_TRUE(done) << done.error().text();
  }
};

TEST_F(DamagedStore, is_made_anew_when_it_was_cut_at_any_place) {
  for (std::size_t size = 0; size < good.size(); size += 509) {
    put(ByteView(good).first(size));
    {
      const auto store = open();
      ASSERT_NE(store, nullptr) << size;
      catch_up(*store);
    }
    EXPECT_EQ(dump(), expected) << size;
  }
}

TEST_F(DamagedStore, is_made_anew_when_it_is_garbage) {
  Bytes noise = good;
  for (std::size_t i = 0; i < noise.size(); ++i)
    noise[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  for (const std::size_t size : {std::size_t{1}, std::size_t{100}, good.size()}) {
    put(ByteView(noise).first(size));
    {
      const auto store = open();
      ASSERT_NE(store, nullptr);
      catch_up(*store);
    }
    EXPECT_EQ(dump(), expected);
  }
}

TEST_F(DamagedStore, never_keeps_the_registry_from_starting_with_a_byte_changed) {
  for (std::size_t at = 0; at < good.size(); at += 127) {
    Bytes wrong = good;
    wrong[at] ^= 0x55;
    put(wrong);
    auto store = SqliteStore::open(path());
    if (!store) {  // only a version of a newer program
      EXPECT_EQ(store.error().code, Errc::Config) << at << store.error().text();
      continue;
    }
    catch_up(**store);
    ASSERT_TRUE((*store)->clear()) << at;
    ASSERT_TRUE((*store)->apply(entries(bench))) << at;
    EXPECT_EQ((*store)->rows()->size(), 8u) << at;
  }
}

TEST_F(DamagedStore, is_cleared_when_it_contradicts_the_journal) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  // As if it had not yet read the last entries, but has their rows.
  ASSERT_EQ(sqlite3_exec(db, "DELETE FROM fact WHERE key = 'position'", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  {
    const auto store = open();
    EXPECT_EQ(store->apply(entries(bench)).error().code, Errc::BadValue);
    catch_up(*store);
  }
  EXPECT_EQ(dump(), expected);
}

TEST_F(DamagedStore, is_made_anew_under_a_running_registry) {
  const auto store = open();
  ASSERT_EQ(truncate(path().c_str(), 4096 * 2 + 17), 0);
  const auto found = store->find_invite({});
  if (!found) {
    EXPECT_EQ(found.error().code, Errc::BadValue) << found.error().text();
  }
  ASSERT_TRUE(store->clear());
  ASSERT_TRUE(store->apply(entries(bench)));
  EXPECT_EQ(store->rows().value(), registry::view_rows(path()).value());
}

TEST_F(DamagedStore, a_changed_row_shows_in_its_rows) {
  const auto before = registry::view_rows(path()).value();
  EXPECT_EQ(before[0], "position " + std::to_string(bench.stored.size()));
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(db, "UPDATE member SET flags = 1 WHERE name = 'bob'", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(db);
  EXPECT_NE(registry::view_rows(path()).value(), before);
}

}  // namespace
}  // namespace wattle::test
