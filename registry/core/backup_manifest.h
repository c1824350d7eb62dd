// What a backup of a registry consists of: the text file `manifest` in its folder. Keys in this
// order, `file` once for each file that is there:
//   wattle-backup 1
//   network home
//   network-id <hex 16>
//   time 1790000000
//   entries 57                 of the journal
//   head <hex 32>              hash of the last of them
//   file journal <hex 32>      SHA-256 of its bytes
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/crypto/digest.h"
#include "common/proto/node_address.h"

namespace wattle::registry {

// Where a file of a backup belongs.
enum class Place { Signer, Registry, Etc };
struct BackupFile {
  const char* name;
  Place place;
  bool needed;  // the database is only a view
  unsigned mode;
};
inline constexpr BackupFile kBackupFiles[] = {{"registry.db", Place::Registry, false, 0600},
                                              {"journal", Place::Signer, true, 0600},
                                              {"ca.key", Place::Signer, true, 0400},
                                              {"credential.key", Place::Signer, true, 0400},
                                              {"document.key", Place::Signer, true, 0400},
                                              {"https.key", Place::Registry, true, 0400},
                                              {"https.crt", Place::Registry, true, 0644},
                                              {"registry.conf", Place::Etc, true, 0644},
                                              {"genesis", Place::Etc, true, 0644}};

struct BackupManifest {
  std::string network;
  NetworkId id{};
  UnixTime time;
  std::uint64_t entries = 0;
  crypto::Hash head{};
  std::map<std::string, crypto::Hash> files;  // by name
};

std::string build_backup_manifest(const BackupManifest& manifest);
// Every needed file once, no other name than those above. Errors name the line or the file.
Result<BackupManifest> parse_backup_manifest(std::string_view text);

}  // namespace wattle::registry
