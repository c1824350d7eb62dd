#include "common/os/sandbox.h"

#include <cap-ng.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/os/file.h"

namespace wattle::os {

namespace {

struct FreeFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FreeFilter>;

Error filter_error(const char* program, const std::string& what, int code) {
  errno = -code;
  return system_error(std::string(program) + ": cannot build the seccomp filter (" + what + ")");
}

// Never above the hard limit there is: an unprivileged process may not raise it.
Result<void> limit(__rlimit_resource resource, rlim_t value, const char* name) {
  rlimit wanted{};
  if (getrlimit(resource, &wanted) != 0) return system_error(std::string("cannot read ") + name);
  wanted.rlim_max = std::min(wanted.rlim_max, value);
  wanted.rlim_cur = wanted.rlim_max;
  if (setrlimit(resource, &wanted) != 0) return system_error(std::string("cannot set ") + name);
  return {};
}

Result<void> drop_capabilities(const Policy& policy) {
  const auto fail = [&](const char* what) {
    return Error(Errc::System, std::string(policy.program) + ": cannot " + what +
                                   "; it needs exactly the capabilities its unit file gives it");
  };
  if (capng_get_caps_process() != 0) return fail("read its capabilities");
  // The bounding set first: libcap-ng looks for CAP_SETPCAP in its own copy of the other sets.
  if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0) {
    capng_clear(CAPNG_SELECT_BOUNDS);
    if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) return fail("drop the bounding set");
  }
  const unsigned last = CAP_LAST_CAP;
  capng_clear(CAPNG_SELECT_ALL);
  for (unsigned cap = 0; cap <= last; ++cap) {
    if ((policy.capabilities >> cap & 1) == 0) continue;
    const auto sets = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
    if (capng_update(CAPNG_ADD, sets, cap) != 0) return fail("choose capabilities");
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail("keep the capabilities of its policy");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return fail("clear ambient");

  if (capng_get_caps_process() != 0) return fail("read its capabilities");
  for (unsigned cap = 0; cap <= last; ++cap) {
    const bool wanted = (policy.capabilities >> cap & 1) != 0;
    if ((capng_have_capability(CAPNG_EFFECTIVE, cap) != 0) != wanted ||
        (capng_have_capability(CAPNG_PERMITTED, cap) != 0) != wanted ||
        capng_have_capability(CAPNG_INHERITABLE, cap) != 0)
      return fail("reach the capabilities of its policy");
  }
  return {};
}

int add_rule(scmp_filter_ctx filter, const AllowedCall& call) {
  std::vector<scmp_arg_cmp> rules;
  if (call.argument >= 0)
    rules.push_back({static_cast<unsigned>(call.argument), SCMP_CMP_EQ, call.value, 0});
  if (call.argument2 >= 0)
    rules.push_back({static_cast<unsigned>(call.argument2), SCMP_CMP_EQ, call.value2, 0});
  if (call.number == SCMP_SYS(mmap) || call.number == SCMP_SYS(mprotect))
    rules.push_back({2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0});
  return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call.number,
                                static_cast<unsigned>(rules.size()), rules.data());
}

Result<void> load_filter(const Policy& policy) {
  const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (!filter) return filter_error(policy.program, "start", -ENOMEM);
  // A call through another ABI (32-bit, x32) dies as well.
  if (const int code =
          seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
      code != 0)
    return filter_error(policy.program, "other architectures", code);
  // A binary tree instead of a list: the data path pays for every call.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);

  std::vector<AllowedCall> calls = base_calls();
  const auto extra = sanitizer_calls();
  calls.insert(calls.end(), extra.begin(), extra.end());
  calls.insert(calls.end(), policy.calls.begin(), policy.calls.end());
  for (const AllowedCall& call : calls) {
    const int code = add_rule(filter.get(), call);
    if (code != 0 && code != -EEXIST)
      return filter_error(policy.program, "call " + std::to_string(call.number), code);
  }
  for (const int number : policy.refused_softly) {
    const int code =
        seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EPERM), number, 0, nullptr);
    if (code != 0 && code != -EEXIST)
      return filter_error(policy.program, "call " + std::to_string(number), code);
  }
  if (const int code = seccomp_load(filter.get()); code != 0) {
    errno = -code;
    return system_error(std::string(policy.program) + ": cannot load the seccomp filter");
  }
  return {};
}

}  // namespace

Result<void> enter(const Policy& policy) {
  uid_t real = 0, effective = 0, saved = 0;
  if (getresuid(&real, &effective, &saved) != 0) return system_error("cannot read the own uid");
  if (real == 0 || effective == 0 || saved == 0)
    return Error(Errc::Denied, std::string(policy.program) +
                                   " never runs as root: start it with `wattle up` or its systemd "
                                   "unit, which give it its own user");
  WATTLE_TRY(limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  WATTLE_TRY(limit(RLIMIT_NOFILE, policy.max_descriptors, "RLIMIT_NOFILE"));
  // LeakSanitizer traces the process at its end, which a process that is not dumpable refuses.
  const bool dumpable = !sanitizer_calls().empty();
  if (!dumpable && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return system_error("cannot make the process undumpable");
  WATTLE_TRY(drop_capabilities(policy));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("cannot set no_new_privs");
  return load_filter(policy);
}

}  // namespace wattle::os
