#include "registry/signer/store.h"

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <initializer_list>

#include "common/base/parse.h"
#include "common/base/secret.h"
#include "common/os/file.h"
#include "common/os/log.h"
#include "registry/signer/recovery.h"

namespace wattle::signer {
namespace {

constexpr const char* kFiles[] = {"ca.key", "credential.key", "document.key", "journal"};
constexpr std::size_t kMaxPem = 4096;

MutableBytes bytes_of(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

Result<void> save_key(const std::string& path, const crypto::PrivateKey& key) {
  std::string pem = key.to_pem();
  auto written = os::write_file(path, as_bytes(pem), 0400);
  wipe(bytes_of(pem));
  return written;
}

Result<crypto::PrivateKey> load_key(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    return Error(Errc::Config, path + " may be read by others: run chmod 0400 " + path);
  std::string pem = WATTLE_TRY(os::read_text(path, kMaxPem));
  auto key = crypto::PrivateKey::from_pem(pem);
  wipe(bytes_of(pem));
  if (!key) return Error(Errc::Config, path + " holds no P-256 key: restore it from a backup");
  return key;
}

Result<void> append_entry(Journal& journal, Ledger& ledger, registry::EntryBody body,
                          UnixTime now) {
  registry::Entry entry;
  entry.sequence = ledger.next_sequence();
  entry.time = now;
  entry.previous = ledger.last_hash();
  entry.body = std::move(body);
  WATTLE_TRY(journal.append(entry));
  return ledger.apply(entry);
}

Result<std::string> fill_store(const std::string& folder, const NetworkPlan& plan, UnixTime now) {
  const Keys keys{crypto::PrivateKey::generate(), crypto::PrivateKey::generate(),
                  crypto::PrivateKey::generate()};
  const std::string genesis = WATTLE_TRY(make_genesis(keys, plan, now));
  WATTLE_TRY(save_key(folder + "/ca.key", keys.ca));
  WATTLE_TRY(save_key(folder + "/credential.key", keys.credential));
  WATTLE_TRY(save_key(folder + "/document.key", keys.document));
  Journal journal = WATTLE_TRY(Journal::create(folder + "/journal"));
  Ledger ledger;
  WATTLE_TRY(append_entry(journal, ledger, registry::GenesisEntry{genesis}, now));
  const std::string document = make_document(keys, ledger.network(), plan, now);
  WATTLE_TRY(append_entry(journal, ledger, registry::DocumentEntry{document}, now));
  WATTLE_TRY(append_entry(journal, ledger, registry::PolicyEntry{plan.lifetime}, now));
  return genesis;
}

Result<Traces> read_traces(const Ledger& ledger, ByteView input) {
  const auto end = std::find(input.begin(), input.end(), '\n');
  const std::string_view digits =
      as_text(input.first(static_cast<std::size_t>(end - input.begin())));
  const std::uint64_t size = WATTLE_TRY(parse_decimal(digits, kMaxDocument));
  ByteView rest = input.subspan(std::min(digits.size() + 1, input.size()));
  if (rest.size() < size) return Errc::Truncated;
  Traces out;
  if (size != 0) {
    auto document = parse_network_document(as_text(rest.first(size)), ledger.genesis().document_key,
                                           ledger.network());
    if (!document)
      return Error(Errc::BadValue,
                   "the network document given is not this network's: " + document.error().text());
    if (document->document_keys.size() > ledger.keys().newest(KeyKind::Document))
      return Error(Errc::Denied,
                   "the network's document key was changed after this journal was copied: a signer "
                   "without the newest one cannot lead the network; find a newer backup");
    out.document = *std::move(document);
  }
  for (rest = rest.subspan(size); !rest.empty(); rest = rest.subspan(out.entries.back().size))
    out.entries.push_back(WATTLE_TRY(registry::decode_entry(rest, registry::Secrets::Removed)));
  return out;
}

struct NewerKey {  // of the journal; the files hold the first ones
  KeyKind kind;
  Secret<32> scalar;
};

}  // namespace

Result<std::string> record_loss(Opened& opened, ByteView input, std::uint64_t now_ms) {
  const UnixTime now{now_ms / 1000};
  Ledger& ledger = opened.ledger;
  const Traces traces = WATTLE_TRY(read_traces(ledger, input));
  const Ledger before = ledger;
  const NetworkDocument wished = wish_document(ledger, traces);
  WATTLE_TRY(append_entry(opened.journal, ledger, plan_loss(ledger, traces, now_ms), now));
  for (const NodeAddress& address : revoked_since(ledger, traces))
    WATTLE_TRY(append_entry(opened.journal, ledger, registry::RevokeEntry{address}, now));
  const std::string text = sign_document(opened.keys, ledger, wished, now);
  WATTLE_TRY(append_entry(opened.journal, ledger, registry::DocumentEntry{text}, now));
  return describe_loss(before, ledger, traces, now);
}

Result<std::string> make_store(const std::string& folder, const NetworkPlan& plan, UnixTime now) {
  for (const char* file : kFiles)
    if (os::exists(folder + "/" + file))
      return Error(Errc::Exists, folder + "/" + file +
                                     " exists already: this network was made before, and its keys "
                                     "are not overwritten");
  auto genesis = fill_store(folder, plan, now);
  if (!genesis)
    for (const char* file : kFiles) unlink((folder + "/" + file).c_str());
  return genesis;
}

Result<Opened> open_store(const std::string& folder, const std::string& network) {
  Keys keys{WATTLE_TRY(load_key(folder + "/ca.key")),
            WATTLE_TRY(load_key(folder + "/credential.key")),
            WATTLE_TRY(load_key(folder + "/document.key"))};
  Ledger ledger;
  std::vector<NewerKey> newer;
  std::size_t cut = 0;
  Journal journal = WATTLE_TRY(Journal::open(
      folder + "/journal",
      [&](const registry::Entry& entry) {
        if (const auto* e = std::get_if<registry::RotateEntry>(&entry.body))
          newer.push_back({e->kind, Secret<32>(e->secret)});
        return ledger.apply(entry);
      },
      cut));
  if (cut != 0)
    os::log::warning("cut off a last journal entry that a crash left unfinished",
                     {{os::log::Key::Bytes, std::to_string(cut)}});
  if (!ledger.has_genesis() || ledger.document_text().empty())
    return Error(Errc::Config, folder +
                                   "/journal has no genesis and document: restore it from a "
                                   "backup, or run wattle-registry init for a new network");
  if (ledger.genesis().network != network)
    return Error(Errc::Config, folder + "/journal is of network " + ledger.genesis().network +
                                   ", not of " + network);
  WATTLE_TRY(check_keys(keys, ledger.genesis()));
  for (const NewerKey& next : newer)
    use_key(keys, next.kind, WATTLE_TRY(crypto::PrivateKey::from_scalar(next.scalar.view())));
  return Opened{std::move(journal), std::move(ledger), std::move(keys)};
}

}  // namespace wattle::signer
