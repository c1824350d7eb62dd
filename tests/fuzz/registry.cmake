wattle_fuzz(registry_backup
  SOURCES fuzz/registry_backup_fuzz.cpp LINKS registry_core)
wattle_fuzz(registry_journal_entry
  SOURCES fuzz/registry_journal_entry_fuzz.cpp LINKS registry_core)
wattle_fuzz(registry_request
  SOURCES fuzz/registry_request_fuzz.cpp LINKS registry_core)
wattle_fuzz(registry_route_table
  SOURCES fuzz/registry_route_table_fuzz.cpp LINKS registry_core)
