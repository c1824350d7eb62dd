// audit: the signer's journal checked entry by entry, and the registry's database held against it.
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/os/file.h"
#include "registry/admin/admin_link.h"
#include "registry/admin/backup_store.h"
#include "registry/admin/run.h"
#include "registry/admin/verbs.h"
#include "registry/io/sqlite_store.h"

namespace wattle::registry {
namespace {

void line(const char* what, const std::string& value) {
  std::printf("%-12s %s\n", what, value.c_str());
}

void tell_journal(const std::vector<Entry>& entries) {
  std::size_t made = 0, renewed = 0, revoked = 0, losses = 0;
  for (const Entry& entry : entries) {
    made += std::holds_alternative<IssueEntry>(entry.body) ? 1 : 0;
    renewed += std::holds_alternative<RenewEntry>(entry.body) ||
                       std::holds_alternative<AdoptEntry>(entry.body)
                   ? 1
                   : 0;
    revoked += std::holds_alternative<RevokeEntry>(entry.body) ? 1 : 0;
    losses += std::holds_alternative<LostEntry>(entry.body) ? 1 : 0;
  }
  line("journal", std::to_string(entries.size()) + " entries, which hang together; the newest of " +
                      time_text(entries.back().time));
  line("head", to_hex(entries.back().hash));
  line("it has", std::to_string(made) + " members made, " + std::to_string(renewed) +
                     " renewals, " + std::to_string(revoked) + " revocations, " +
                     std::to_string(losses) + " losses");
}

// What a view of these entries says.
Result<std::vector<std::string>> expected_rows(const std::vector<Entry>& entries) {
  const auto store = WATTLE_TRY(SqliteStore::open(":memory:"));
  WATTLE_TRY(store->apply(entries));
  return store->rows();
}

// As its owner: root takes no bytes of the daemon's apart but lines of text.
Result<std::vector<std::string>> actual_rows(const std::string& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) return os::system_error("cannot look at " + folder);
  const auto work = [&folder]() -> Result<Bytes> {
    const std::vector<std::string> rows = WATTLE_TRY(view_rows(folder + "/registry.db"));
    std::string out;
    for (const std::string& row : rows) out += row + "\n";
    return to_bytes(as_bytes(out));
  };
  const Bytes text = WATTLE_TRY(do_as({info.st_uid, info.st_gid}, work, kMaxBackupDatabase));
  std::vector<std::string> out;
  for (const std::string_view row : split(as_text(text), '\n'))
    if (!row.empty()) out.emplace_back(row);
  return out;
}

// "position N" is the first row.
std::uint64_t position_of(const std::vector<std::string>& rows) {
  constexpr std::string_view kPosition = "position ";
  if (rows.empty() || !rows[0].starts_with(kPosition)) return 0;
  const auto number = parse_decimal(std::string_view(rows[0]).substr(kPosition.size()));
  return number ? *number : 0;
}

int compare(const std::vector<Entry>& entries, const std::string& folder) {
  const auto actual = actual_rows(folder);
  const std::string how = ": stop the registry, remove " + folder +
                          "/registry.db, and start it again; it is made anew from the journal";
  if (!actual) return fail(Exit::General, "the database cannot be read" + how);
  const std::uint64_t position = position_of(*actual);
  if (position > entries.size())
    return fail(Exit::General, "the database knows " + std::to_string(position) +
                                   " entries, more than the journal has" + how);
  const auto end = entries.begin() + static_cast<std::ptrdiff_t>(position);
  const auto expected = expected_rows(std::vector<Entry>(entries.begin(), end));
  if (!expected) return fail(expected.error());
  std::vector<std::string> differ;
  std::set_symmetric_difference(actual->begin() + 1, actual->end(), expected->begin() + 1,
                                expected->end(), std::back_inserter(differ));
  if (!differ.empty())
    return fail(Exit::General, "the database differs from the journal in " +
                                   std::to_string(differ.size()) + " rows" + how);
  line("database", "as the journal has it, up to entry " + std::to_string(position));
  return 0;
}

}  // namespace

int run_audit(const Settings& settings) {
  if (!settings.object.empty())
    return fail(Exit::Usage, "audit stands alone, without \"" + settings.object + "\"");
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may ask the signer: run it with sudo");
  const auto network = choose_network(settings);
  if (!network) return fail(network.error());
  const os::Paths paths(*network, settings.root);
  const auto link = AdminLink::connect(paths, *network);
  if (!link) return fail(link.error());
  const auto entries = (*link)->read_journal();
  if (!entries) return fail(entries.error());
  if (entries->empty()) return fail(Exit::General, "the signer's journal is empty");
  tell_journal(*entries);
  std::fflush(stdout);
  return compare(*entries, paths.state + "/registry");
}

}  // namespace wattle::registry
