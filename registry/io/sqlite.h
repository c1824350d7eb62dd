// A thin layer over SQLite: one connection, prepared statements, errors as Results with a sentence
// that names the file. sqlite_store.cpp uses it, and a backup the copy.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace wattle::registry {

// One prepared statement. bind() positions count from 1, columns from 0; text and blobs are copied.
class Statement {
 public:
  Statement& bind(int at, std::uint64_t value);
  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, ByteView blob);

  // Runs to the next row: true if there is one.
  Result<bool> step();
  // Runs a statement that gives no rows, and makes it ready for the next use.
  Result<void> run();
  void reset();  // ready for the next use, bindings cleared

  std::uint64_t number(int column) const;
  std::string text(int column) const;
  Bytes blob(int column) const;
  template <std::size_t N>
  ByteArray<N> array(int column) const {
    return to_array<N>(blob(column));
  }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const class Database* database_ = nullptr;
};

class Database {
 public:
  // Opens (creates, mode 0600) the file with WAL, synchronous FULL, foreign keys, defensive mode
  // and untrusted schema. Not movable: statements refer to it.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  // A copy in memory of a file that others may be writing to. NotFound if there is none.
  static Result<std::unique_ptr<Database>> open_copy(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<void> execute(const char* sql);
  Result<Statement> prepare(const char* sql) const;
  Result<std::uint64_t> pragma(const char* sql);  // one number
  Result<Bytes> serialize() const;
  int changes() const;
  // SQLite's own look at the whole file: BadValue if it is damaged.
  Result<void> check();
  // Full, BadValue or System, as Store says.
  Error error(const std::string& what) const;

 private:
  Database(sqlite3* handle, std::string path);
  sqlite3* handle_;
  std::string path_;
};

// The file and what SQLite keeps beside it.
Result<void> remove_database(const std::string& path);

// The same as the bytes of a file.
Result<Bytes> copy_database(const std::string& path);

}  // namespace wattle::registry
