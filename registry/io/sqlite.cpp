#include "registry/io/sqlite.h"

#include <sqlite3.h>
#include <unistd.h>
#include <cerrno>

#include "common/os/file.h"

namespace wattle::registry {

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

// A bind fails only for a wrong position or want of memory: both are programming errors here.
Statement& Statement::bind(int at, std::uint64_t value) {
  WATTLE_CHECK(sqlite3_bind_int64(statement_.get(), at, static_cast<sqlite3_int64>(value)) ==
               SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
  WATTLE_CHECK(sqlite3_bind_text64(statement_.get(), at, text.data(), text.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int at, ByteView blob) {
  WATTLE_CHECK(sqlite3_bind_blob64(statement_.get(), at, blob.data(), blob.size(),
                                   SQLITE_TRANSIENT) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = database_->error("cannot use the database");
  reset();
  return error;
}

Result<void> Statement::run() {
  const bool row = WATTLE_TRY(step());
  WATTLE_CHECK(!row);
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

Bytes Statement::blob(int column) const {
  const auto* data =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? Bytes() : Bytes(data, data + size);
}

std::string Statement::text(int column) const {
  const Bytes bytes = blob(column);
  return std::string(as_text(bytes));
}

Database::Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

Database::~Database() { sqlite3_close_v2(handle_); }

Result<void> Database::check() {
  Statement statement = WATTLE_TRY(prepare("PRAGMA integrity_check(1)"));
  const bool row = WATTLE_TRY(statement.step());
  const std::string says = row ? statement.text(0) : std::string();
  if (says == "ok") return {};
  return Error(Errc::BadValue, "damaged: " + says);
}

Result<void> remove_database(const std::string& path) {
  for (const char* more : {"", "-wal", "-shm", "-journal"})
    if (unlink((path + more).c_str()) != 0 && errno != ENOENT)
      return os::system_error("cannot remove " + path + more);
  return {};
}

namespace {

Errc kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
      return Errc::Full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR:  // a table is missing
      return Errc::BadValue;
    default:
      return Errc::System;
  }
}

}  // namespace

Error Database::error(const std::string& what) const {
  return Error(kind_of(sqlite3_extended_errcode(handle_)),
               what + " " + path_ + ": " + sqlite3_errmsg(handle_));
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Database> database(new Database(handle, path));
  if (code != SQLITE_OK) return database->error("cannot open the database");
  sqlite3_busy_timeout(handle, 2000);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  WATTLE_TRY(database->execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"));
  return database;
}

Result<void> Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return error("cannot use the database");
  return {};
}

Result<Statement> Database::prepare(const char* sql) const {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK)
    return error("cannot use the database");
  Statement statement;
  statement.statement_.reset(raw);
  statement.database_ = this;
  return statement;
}

Result<std::uint64_t> Database::pragma(const char* sql) {
  Statement statement = WATTLE_TRY(prepare(sql));
  const bool row = WATTLE_TRY(statement.step());
  return row ? statement.number(0) : 0;
}

int Database::changes() const { return sqlite3_changes(handle_); }

// SQLite's backup API: one moment's pages, while others write.
Result<std::unique_ptr<Database>> Database::open_copy(const std::string& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  const std::unique_ptr<Database> from(new Database(raw, path));
  if (code == SQLITE_CANTOPEN) return Error(Errc::NotFound, "there is no database " + path);
  if (code != SQLITE_OK) return from->error("cannot open the database");
  sqlite3_busy_timeout(raw, 5000);
  sqlite3* copy = nullptr;
  code = sqlite3_open_v2(":memory:", &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
  std::unique_ptr<Database> to(new Database(copy, path));
  if (code != SQLITE_OK) return to->error("cannot copy the database");
  sqlite3_backup* backup = sqlite3_backup_init(copy, "main", raw, "main");
  if (backup == nullptr) return to->error("cannot copy the database");
  sqlite3_backup_step(backup, -1);
  code = sqlite3_backup_finish(backup);
  if (code != SQLITE_OK)
    return Error(Errc::System, "cannot copy the database " + path + ": " + sqlite3_errstr(code));
  sqlite3_db_config(copy, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(copy, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return to;
}

Result<Bytes> Database::serialize() const {
  sqlite3_int64 size = 0;
  unsigned char* const raw = sqlite3_serialize(handle_, "main", &size, 0);
  if (raw == nullptr) return error("cannot copy the database");
  Bytes out(raw, raw + size);
  sqlite3_free(raw);
  return out;
}

Result<Bytes> copy_database(const std::string& path) {
  const auto copy = WATTLE_TRY(Database::open_copy(path));
  return copy->serialize();
}

}  // namespace wattle::registry
