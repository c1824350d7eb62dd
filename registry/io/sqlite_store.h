// Store on SQLite: /var/lib/wattle/NET/registry/registry.db.
#pragma once

#include <memory>

#include "registry/core/store.h"
#include "registry/io/sqlite.h"

namespace wattle::registry {

inline constexpr std::uint64_t kSchemaVersion = 3;

class SqliteStore : public Store {
 public:
  // Makes the tables in a new file, and anew in a file of an older version (it is a view). A file
  // of a newer version is refused with a sentence that says what to do; a damaged one is removed
  // and made anew, and the log says so.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path);

  std::uint64_t next_sequence() const override { return next_sequence_; }
  const crypto::Hash& last_hash() const override { return last_hash_; }
  Result<void> apply(const std::vector<Entry>& entries) override;
  Result<void> clear() override;
  Result<std::string> genesis() override { return text_of("genesis"); }
  Result<std::string> document() override { return text_of("document"); }
  Result<std::uint64_t> lifetime() override;
  Result<std::optional<LostEntry>> lost() override;
  Result<std::optional<StoredInvite>> find_invite(const TokenId& token) override;
  Result<std::optional<StoredMember>> find_member(const NodeAddress& address) override;
  Result<void> each_member(const std::function<void(const StoredMember&)>& visit) override;
  // Everything that the journal says, a line for each row: "position N", then the others, sorted.
  Result<std::vector<std::string>> rows() const;
  Result<bool> put_origin(const StoredOrigin& origin) override;
  Result<std::vector<StoredOrigin>> origins(std::size_t count, const NodeAddress& except) override;

 private:
  SqliteStore(std::unique_ptr<Database> database, std::string path)
      : database_(std::move(database)), path_(std::move(path)) {}
  static Result<std::unique_ptr<SqliteStore>> open_whole(const std::string& path);
  Result<void> prepare_tables(const std::string& path);
  Result<void> make_anew();
  Result<void> load_position();
  Result<void> put(const char* key, ByteView value);
  Result<std::string> text_of(const char* key);
  Result<void> apply_one(const Entry& entry);
  Result<void> apply_body(const Entry& entry, const GenesisEntry& e);
  Result<void> apply_body(const Entry& entry, const DocumentEntry& e);
  Result<void> apply_body(const Entry& entry, const InviteEntry& e);
  Result<void> apply_body(const Entry& entry, const IssueEntry& e);
  Result<void> apply_body(const Entry& entry, const RenewEntry& e);
  Result<void> apply_body(const Entry& entry, const RenameEntry& e);
  Result<void> apply_body(const Entry& entry, const RevokeEntry& e);
  Result<void> apply_body(const Entry& entry, const FlagsEntry& e);
  Result<void> apply_body(const Entry& entry, const PolicyEntry& e);
  Result<void> apply_body(const Entry& entry, const LostEntry& e);
  Result<void> apply_body(const Entry& entry, const AdoptEntry& e);
  Result<void> apply_body(const Entry& entry, const RotateEntry& e);
  Result<void> apply_body(const Entry& entry, const RetireEntry& e);
  Result<void> apply_body(const Entry& entry, const PendingEntry& e);
  Result<void> apply_body(const Entry& entry, const ApproveEntry& e);

  std::unique_ptr<Database> database_;
  std::string path_;
  std::uint64_t next_sequence_ = 0;
  crypto::Hash last_hash_{};
};

// rows() of a database that may be in use; nothing is changed in it.
Result<std::vector<std::string>> view_rows(const std::string& path);

}  // namespace wattle::registry
