wattle_test(registry_proc_test
  SOURCES proc/registry_approval_test.cpp proc/registry_join_test.cpp proc/registry_renew_test.cpp
          proc/registry_document_test.cpp proc/registry_serve_test.cpp
  LINKS wattle_proto wattle_crypto wattle_ipc wattle_os PkgConfig::CURL OpenSSL::SSL
        nlohmann_json::nlohmann_json)
add_dependencies(registry_proc_test wattle-registry wattle-signer)
wattle_test(registry_backup_test
  SOURCES proc/registry_backup_test.cpp proc/registry_harm_test.cpp
  LINKS wattle_proto wattle_crypto wattle_ipc wattle_os registry_core signer_io PkgConfig::CURL
        nlohmann_json::nlohmann_json)
add_dependencies(registry_backup_test wattle-registry wattle-signer)
wattle_test(registry_kill_test
  SOURCES proc/registry_kill_test.cpp
  LINKS wattle_proto wattle_crypto wattle_ipc wattle_os registry_core PkgConfig::CURL
        nlohmann_json::nlohmann_json
  LABEL long TIMEOUT 900)
add_dependencies(registry_kill_test wattle-registry wattle-signer)
add_test(NAME proc.registry_init
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/proc/registry_init.sh ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(proc.registry_init PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
