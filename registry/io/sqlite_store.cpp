#include "registry/io/sqlite_store.h"

#include <algorithm>

#include "common/base/parse.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/os/log.h"

namespace wattle::registry {
namespace {

constexpr const char* kTables = R"(
BEGIN IMMEDIATE;
CREATE TABLE fact (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE invite (
  token BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  expires INTEGER NOT NULL,
  prefix_length INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE member (
  address BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  certified_name TEXT NOT NULL,
  revoked INTEGER NOT NULL DEFAULT 0,
  prefix6 BLOB NOT NULL,
  prefix6_length INTEGER NOT NULL,
  ipv4 BLOB NOT NULL UNIQUE,
  serial INTEGER NOT NULL UNIQUE,
  flags INTEGER NOT NULL,
  joined INTEGER NOT NULL,
  token BLOB UNIQUE REFERENCES invite (token),
  UNIQUE (prefix6, prefix6_length)
) STRICT, WITHOUT ROWID;
CREATE TABLE origin (
  address BLOB PRIMARY KEY REFERENCES member (address) ON DELETE CASCADE,
  seqno INTEGER NOT NULL,
  posted INTEGER NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 3;
COMMIT;
)";

constexpr const char* kDropTables = R"(
BEGIN IMMEDIATE;
DROP TABLE origin;
DROP TABLE member;
DROP TABLE invite;
DROP TABLE fact;
PRAGMA user_version = 0;
COMMIT;
)";

constexpr const char* kMemberColumns =
    "SELECT name, address, prefix6, prefix6_length, ipv4, serial, flags, joined, certified_name, "
    "revoked FROM member";

StoredMember member_of(const Statement& row) {
  StoredMember m;
  m.name = row.text(0);
  m.address.bytes = row.array<40>(1);
  m.prefix6.address = IpAddress::v6(row.array<16>(2));
  m.prefix6.length = static_cast<std::uint8_t>(row.number(3));
  m.ipv4 = IpAddress::v4(row.array<4>(4));
  m.serial = row.number(5);
  m.flags = static_cast<std::uint8_t>(row.number(6));
  m.joined.seconds = row.number(7);
  m.certified_name = row.text(8);
  m.revoked = row.number(9) != 0;
  return m;
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path) {
  auto store = open_whole(path);
  if (store || store.error().code != Errc::BadValue) return store;
  os::log::warning("the database is damaged: it is made anew from the signer's journal",
                   {{os::log::Key::Path, path}, {os::log::Key::Err, store.error().text()}});
  WATTLE_TRY(remove_database(path));
  return open_whole(path);
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open_whole(const std::string& path) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(WATTLE_TRY(Database::open(path)), path));
  WATTLE_TRY(store->database_->check());
  WATTLE_TRY(store->prepare_tables(path));
  WATTLE_TRY(store->load_position());
  return store;
}

// The old one is closed first: its log must not be written into the new one.
Result<void> SqliteStore::make_anew() {
  database_.reset();
  WATTLE_TRY(remove_database(path_));
  database_ = WATTLE_TRY(Database::open(path_));
  return prepare_tables(path_);
}

Result<void> SqliteStore::prepare_tables(const std::string& path) {
  const std::uint64_t version = WATTLE_TRY(database_->pragma("PRAGMA user_version"));
  if (version == kSchemaVersion) return {};
  const std::uint64_t tables = WATTLE_TRY(database_->pragma("SELECT count(*) FROM sqlite_schema"));
  if (version == 0 && tables == 0) return database_->execute(kTables);
  if (version != 0 && version < kSchemaVersion) {
    WATTLE_TRY(database_->execute(kDropTables));
    return database_->execute(kTables);
  }
  return Error(Errc::Config, path + " has schema version " + std::to_string(version) +
                                 ", this wattle-registry knows " + std::to_string(kSchemaVersion) +
                                 ": it is only a view of the signer's journal, so move it away and "
                                 "it is made anew");
}

Result<void> SqliteStore::load_position() {
  Statement find = WATTLE_TRY(database_->prepare("SELECT value FROM fact WHERE key = 'position'"));
  if (!WATTLE_TRY(find.step())) return {};
  const Bytes value = find.blob(0);
  Reader in(value);
  next_sequence_ = in.u64();
  last_hash_ = in.array<32>();
  return in.finish();
}

Result<void> SqliteStore::put(const char* key, ByteView value) {
  Statement put =
      WATTLE_TRY(database_->prepare("INSERT INTO fact (key, value) VALUES (?1, ?2) "
                                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"));
  return put.bind(1, std::string_view(key)).bind(2, value).run();
}

Result<std::string> SqliteStore::text_of(const char* key) {
  Statement find = WATTLE_TRY(database_->prepare("SELECT value FROM fact WHERE key = ?1"));
  find.bind(1, std::string_view(key));
  if (!WATTLE_TRY(find.step())) return Errc::NotFound;
  return find.text(0);
}

Result<void> SqliteStore::apply(const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  const std::uint64_t old_sequence = next_sequence_;
  const crypto::Hash old_hash = last_hash_;
  WATTLE_TRY(database_->execute("BEGIN IMMEDIATE"));
  Result<void> done;
  for (const Entry& entry : entries) {
    done = apply_one(entry);
    if (!done) break;
  }
  if (done) {
    Bytes position;
    Writer(position).u64(next_sequence_).bytes(last_hash_);
    done = put("position", position);
  }
  if (done) done = database_->execute("COMMIT");
  if (done) return {};
  next_sequence_ = old_sequence;
  last_hash_ = old_hash;
  static_cast<void>(database_->execute("ROLLBACK").has_value());
  return done;
}

Result<void> SqliteStore::apply_one(const Entry& entry) {
  if (entry.sequence != next_sequence_ || entry.previous != last_hash_)
    return Error(Errc::BadValue, "journal entry " + std::to_string(entry.sequence) +
                                     " does not continue what the registry has");
  WATTLE_TRY(std::visit([&](const auto& body) { return apply_body(entry, body); }, entry.body));
  ++next_sequence_;
  last_hash_ = entry.hash;
  return {};
}

Result<void> SqliteStore::apply_body(const Entry&, const GenesisEntry& e) {
  return put("genesis", as_bytes(e.text));
}

Result<void> SqliteStore::apply_body(const Entry&, const DocumentEntry& e) {
  return put("document", as_bytes(e.text));
}

Result<void> SqliteStore::apply_body(const Entry&, const InviteEntry& e) {
  Statement insert = WATTLE_TRY(
      database_->prepare("INSERT INTO invite (token, name, expires, prefix_length, flags) "
                         "VALUES (?1, ?2, ?3, ?4, ?5)"));
  insert.bind(1, ByteView(e.token)).bind(2, e.name).bind(3, e.expires.seconds);
  return insert.bind(4, std::uint64_t{e.prefix_length}).bind(5, std::uint64_t{e.flags}).run();
}

Result<void> SqliteStore::apply_body(const Entry& entry, const IssueEntry& e) {
  Statement insert = WATTLE_TRY(database_->prepare(
      "INSERT INTO member (address, name, certified_name, prefix6, prefix6_length, ipv4, serial, "
      "flags, joined, token) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
  insert.bind(1, ByteView(e.address.bytes)).bind(2, e.name);
  insert.bind(3, e.prefix6.address.view()).bind(4, std::uint64_t{e.prefix6.length});
  insert.bind(5, e.ipv4.view()).bind(6, e.serial).bind(7, std::uint64_t{e.flags});
  insert.bind(8, entry.time.seconds).bind(9, ByteView(e.token));
  WATTLE_TRY(insert.run());
  Statement use = WATTLE_TRY(database_->prepare("UPDATE invite SET used = 1 WHERE token = ?1"));
  return use.bind(1, ByteView(e.token)).run();
}

Result<void> SqliteStore::apply_body(const Entry&, const RenewEntry& e) {
  Statement update = WATTLE_TRY(database_->prepare(
      "UPDATE member SET serial = ?2, flags = ?3, certified_name = ?4 WHERE address = ?1"));
  update.bind(1, ByteView(e.address.bytes)).bind(2, e.serial);
  return update.bind(3, std::uint64_t{e.flags}).bind(4, e.name).run();
}

Result<void> SqliteStore::apply_body(const Entry&, const RenameEntry& e) {
  Statement update =
      WATTLE_TRY(database_->prepare("UPDATE member SET name = ?2 WHERE address = ?1"));
  return update.bind(1, ByteView(e.address.bytes)).bind(2, e.name).run();
}

Result<void> SqliteStore::apply_body(const Entry&, const RevokeEntry& e) {
  Statement update =
      WATTLE_TRY(database_->prepare("UPDATE member SET revoked = 1 WHERE address = ?1"));
  WATTLE_TRY(update.bind(1, ByteView(e.address.bytes)).run());
  Statement forget = WATTLE_TRY(database_->prepare("DELETE FROM origin WHERE address = ?1"));
  return forget.bind(1, ByteView(e.address.bytes)).run();
}

// The flags of the view are those of the newest certificate: a renewal brings them.
Result<void> SqliteStore::apply_body(const Entry&, const FlagsEntry&) { return {}; }

Result<void> SqliteStore::apply_body(const Entry&, const PolicyEntry& e) {
  return put("lifetime", as_bytes(std::to_string(e.lifetime)));
}

Result<void> SqliteStore::apply_body(const Entry&, const LostEntry& e) {
  Bytes value;
  Writer(value).u64(e.version).u64(e.serial).bytes(e.last6.view()).bytes(e.last4.view());
  return put("lost", value);
}

Result<void> SqliteStore::apply_body(const Entry& entry, const AdoptEntry& e) {
  const auto before = WATTLE_TRY(decode_credential(e.before));
  Statement insert = WATTLE_TRY(database_->prepare(
      "INSERT INTO member (address, name, certified_name, prefix6, prefix6_length, ipv4, serial, "
      "flags, joined) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (address) DO UPDATE "
      "SET serial = excluded.serial, flags = excluded.flags, certified_name = "
      "excluded.certified_name"));
  insert.bind(1, ByteView(e.address.bytes)).bind(2, e.name);
  insert.bind(3, before.ipv6.address.view()).bind(4, std::uint64_t{before.ipv6.length});
  insert.bind(5, before.ipv4.address.view()).bind(6, e.serial);
  return insert.bind(7, std::uint64_t{e.flags}).bind(8, entry.time.seconds).run();
}

Result<std::optional<LostEntry>> SqliteStore::lost() {
  Statement find = WATTLE_TRY(database_->prepare("SELECT value FROM fact WHERE key = 'lost'"));
  if (!WATTLE_TRY(find.step())) return std::optional<LostEntry>();
  const Bytes value = find.blob(0);
  Reader in(value);
  LostEntry out;
  out.version = in.u64();
  out.serial = in.u64();
  out.last6 = IpAddress::v6(in.array<16>());
  out.last4 = IpAddress::v4(in.array<4>());
  WATTLE_TRY(in.finish());
  return std::optional(out);
}

// Keys are told by the network document.
Result<void> SqliteStore::apply_body(const Entry&, const RotateEntry&) { return {}; }
Result<void> SqliteStore::apply_body(const Entry&, const RetireEntry&) { return {}; }

// Who waits is asked of the signer each time.
Result<void> SqliteStore::apply_body(const Entry&, const PendingEntry&) { return {}; }
Result<void> SqliteStore::apply_body(const Entry&, const ApproveEntry&) { return {}; }

Result<std::uint64_t> SqliteStore::lifetime() {
  const auto text = text_of("lifetime");
  if (!text && text.error().code == Errc::NotFound) return kLifetime;
  return parse_decimal(WATTLE_TRY(text_of("lifetime")));
}

namespace {

Result<std::vector<std::string>> rows_of(const Database& database) {
  std::vector<std::string> out;
  for (const char* sql :
       {"SELECT 'fact ' || key || ' ' || hex(value) FROM fact WHERE key != 'position'",
        "SELECT 'invite ' || hex(token) || ' ' || name || ' ' || expires || ' ' || prefix_length "
        "|| ' ' || flags || ' ' || used FROM invite",
        "SELECT 'member ' || hex(address) || ' ' || name || ' ' || certified_name || ' ' || "
        "revoked || ' ' || hex(prefix6) || ' ' || prefix6_length || ' ' || hex(ipv4) || ' ' || "
        "serial || ' ' || flags || ' ' || joined || ' ' || ifnull(hex(token), '-') FROM member"}) {
    Statement all = WATTLE_TRY(database.prepare(sql));
    while (WATTLE_TRY(all.step())) out.push_back(all.text(0));
  }
  std::sort(out.begin(), out.end());
  Statement position =
      WATTLE_TRY(database.prepare("SELECT value FROM fact WHERE key = 'position'"));
  std::uint64_t number = 0;
  if (WATTLE_TRY(position.step())) {
    const Bytes value = position.blob(0);
    number = Reader(value).u64();
  }
  out.insert(out.begin(), "position " + std::to_string(number));
  return out;
}

}  // namespace

Result<std::vector<std::string>> SqliteStore::rows() const { return rows_of(*database_); }

Result<std::vector<std::string>> view_rows(const std::string& path) {
  const auto database = WATTLE_TRY(Database::open_copy(path));
  WATTLE_TRY(database->check());
  return rows_of(*database);
}

Result<void> SqliteStore::clear() {
  const auto cleared = database_->execute(
      "BEGIN IMMEDIATE; DELETE FROM origin; DELETE FROM member; DELETE FROM invite; DELETE FROM "
      "fact; COMMIT");
  if (!cleared && cleared.error().code == Errc::BadValue) WATTLE_TRY(make_anew());
  if (!cleared && cleared.error().code != Errc::BadValue) return cleared;
  next_sequence_ = 0;
  last_hash_ = {};
  return {};
}

Result<std::optional<StoredInvite>> SqliteStore::find_invite(const TokenId& token) {
  Statement find = WATTLE_TRY(database_->prepare(
      "SELECT name, expires, prefix_length, flags, used FROM invite WHERE token = ?1"));
  find.bind(1, ByteView(token));
  if (!WATTLE_TRY(find.step())) return std::optional<StoredInvite>();
  StoredInvite invite;
  invite.token = token;
  invite.name = find.text(0);
  invite.expires.seconds = find.number(1);
  invite.prefix_length = static_cast<std::uint8_t>(find.number(2));
  invite.flags = static_cast<std::uint8_t>(find.number(3));
  invite.used = find.number(4) != 0;
  return std::optional(std::move(invite));
}

Result<std::optional<StoredMember>> SqliteStore::find_member(const NodeAddress& address) {
  const std::string sql = std::string(kMemberColumns) + " WHERE address = ?1";
  Statement find = WATTLE_TRY(database_->prepare(sql.c_str()));
  find.bind(1, ByteView(address.bytes));
  if (!WATTLE_TRY(find.step())) return std::optional<StoredMember>();
  return std::optional(member_of(find));
}

Result<void> SqliteStore::each_member(const std::function<void(const StoredMember&)>& visit) {
  const std::string sql = std::string(kMemberColumns) + " ORDER BY serial";
  Statement all = WATTLE_TRY(database_->prepare(sql.c_str()));
  while (WATTLE_TRY(all.step())) visit(member_of(all));
  return {};
}

Result<bool> SqliteStore::put_origin(const StoredOrigin& origin) {
  if (origin.seqno > INT64_MAX) return Errc::BadValue;
  Statement put = WATTLE_TRY(database_->prepare(
      "INSERT INTO origin (address, seqno, posted, body, signature) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT (address) DO UPDATE SET seqno = excluded.seqno, posted = excluded.posted, "
      "body = excluded.body, signature = excluded.signature WHERE excluded.seqno > seqno"));
  put.bind(1, ByteView(origin.address.bytes)).bind(2, origin.seqno);
  put.bind(3, origin.posted.seconds).bind(4, ByteView(origin.body));
  WATTLE_TRY(put.bind(5, ByteView(origin.signature)).run());
  return database_->changes() != 0;
}

Result<std::vector<StoredOrigin>> SqliteStore::origins(std::size_t count,
                                                       const NodeAddress& except) {
  Statement find = WATTLE_TRY(
      database_->prepare("SELECT o.address, o.seqno, o.posted, o.body, o.signature FROM origin o "
                         "JOIN member m USING (address) WHERE o.address != ?1 "
                         "ORDER BY m.flags & 1 DESC, o.posted DESC LIMIT ?2"));
  find.bind(1, ByteView(except.bytes)).bind(2, std::uint64_t{count});
  std::vector<StoredOrigin> out;
  while (WATTLE_TRY(find.step())) {
    StoredOrigin origin;
    origin.address.bytes = find.array<40>(0);
    origin.seqno = find.number(1);
    origin.posted.seconds = find.number(2);
    origin.body = find.blob(3);
    origin.signature = find.array<64>(4);
    out.push_back(std::move(origin));
  }
  return out;
}

}  // namespace wattle::registry
