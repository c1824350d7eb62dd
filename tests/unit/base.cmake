wattle_test(base_test
  SOURCES
    unit/common/base/hex_test.cpp
    unit/common/base/parse_test.cpp unit/common/base/parse_rate_test.cpp
    unit/common/base/reader_test.cpp
    unit/common/base/result_test.cpp
    unit/common/base/secret_test.cpp
    unit/common/base/token_bucket_test.cpp
  LINKS wattle_base)
wattle_test(ipc_test
  SOURCES unit/common/ipc/field_codec_test.cpp unit/common/ipc/lane_test.cpp
  LINKS wattle_ipc wattle_proto)
