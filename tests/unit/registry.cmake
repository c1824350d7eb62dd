wattle_test(registry_core_test
  SOURCES unit/registry/core/api_test.cpp unit/registry/core/backup_test.cpp
          unit/registry/core/journal_entry_test.cpp
          unit/registry/core/limits_test.cpp unit/registry/core/prefix_pool_test.cpp
  LINKS registry_core)
wattle_test(signer_core_test
  SOURCES unit/registry/signer/clock_guard_test.cpp unit/registry/signer/recovery_test.cpp
          unit/registry/signer/judge_test.cpp unit/registry/signer/judge_member_test.cpp
          unit/registry/signer/judge_approval_test.cpp unit/registry/signer/keys_test.cpp
          unit/registry/signer/ledger_test.cpp
          unit/registry/signer/notary_test.cpp
  LINKS signer_core)
wattle_test(signer_io_test
  SOURCES unit/registry/signer/journal_test.cpp
  LINKS signer_io)
wattle_test(registry_io_test
  SOURCES unit/registry/io/document_polls_test.cpp unit/registry/io/sqlite_store_test.cpp
  LINKS registry_io signer_core)
