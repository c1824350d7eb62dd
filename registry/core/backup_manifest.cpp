#include "registry/core/backup_manifest.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/proto/document_text.h"

namespace wattle::registry {
namespace {

template <std::size_t N>
Result<ByteArray<N>> take_hex(const DocumentReader& in, std::string_view text) {
  const Bytes bytes = WATTLE_TRY(in_line(in, parse_hex(text), "not hexadecimal"));
  if (bytes.size() != N) return in.error(Errc::BadSyntax, "wrong number of hexadecimal digits");
  return to_array<N>(bytes);
}

Result<std::uint64_t> take_number(DocumentReader& in, std::string_view key) {
  const std::string_view text = WATTLE_TRY(in.value(key));
  return in_line(in, parse_decimal(text), "not a number");
}

Result<void> take_file(DocumentReader& in, BackupManifest& out) {
  const std::string_view value = WATTLE_TRY(in.value("file"));
  const std::size_t blank = value.find(' ');
  if (blank == std::string_view::npos)
    return in.error(Errc::BadSyntax, "not a name, a blank and a hash");
  const std::string name(value.substr(0, blank));
  const bool known = std::any_of(std::begin(kBackupFiles), std::end(kBackupFiles),
                                 [&name](const BackupFile& file) { return name == file.name; });
  if (!known) return in.error(Errc::BadValue, "a backup has no file of this name");
  const auto hash = WATTLE_TRY(take_hex<32>(in, value.substr(blank + 1)));
  if (!out.files.emplace(name, hash).second)
    return in.error(Errc::BadValue, "this file stands here twice");
  return {};
}

}  // namespace

std::string build_backup_manifest(const BackupManifest& manifest) {
  std::string out;
  add_line(out, "wattle-backup", "1");
  add_line(out, "network", manifest.network);
  add_line(out, "network-id", to_hex(manifest.id));
  add_line(out, "time", std::to_string(manifest.time.seconds));
  add_line(out, "entries", std::to_string(manifest.entries));
  add_line(out, "head", to_hex(manifest.head));
  for (const auto& [name, hash] : manifest.files) add_line(out, "file", name + " " + to_hex(hash));
  return out;
}

Result<BackupManifest> parse_backup_manifest(std::string_view text) {
  DocumentReader in("manifest", text);
  BackupManifest out;
  if (WATTLE_TRY(in.value("wattle-backup")) != "1")
    return in.error(Errc::BadValue, "a backup of an unknown format: made by a newer wattle?");
  out.network = WATTLE_TRY(in.value("network"));
  if (!is_network_name(out.network)) return in.error(Errc::BadValue, "not a network's name");
  const std::string_view id = WATTLE_TRY(in.value("network-id"));
  out.id = WATTLE_TRY(take_hex<16>(in, id));
  out.time.seconds = WATTLE_TRY(take_number(in, "time"));
  out.entries = WATTLE_TRY(take_number(in, "entries"));
  const std::string_view head = WATTLE_TRY(in.value("head"));
  out.head = WATTLE_TRY(take_hex<32>(in, head));
  while (!in.peek().empty()) WATTLE_TRY(take_file(in, out));
  for (const BackupFile& file : kBackupFiles)
    if (file.needed && !out.files.contains(file.name))
      return Error(Errc::BadValue, std::string("manifest: there is no line of ") + file.name);
  return out;
}

}  // namespace wattle::registry
