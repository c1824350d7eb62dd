wattle_test(registry_proc_test
  SOURCES proc/registry_join_test.cpp proc/registry_serve_test.cpp
  LINKS wattle_proto wattle_crypto wattle_ipc wattle_os PkgConfig::CURL OpenSSL::SSL
        nlohmann_json::nlohmann_json)
add_dependencies(registry_proc_test wattle-registry wattle-signer)
