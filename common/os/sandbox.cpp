#include "common/os/sandbox.h"

#include <cap-ng.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "common/base/loosened.h"
#include "common/os/file.h"
#include "common/os/log.h"

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

// As capng_get_caps_process() has read them; the ambient set is within these.
bool holds_any_capability() {
  for (unsigned cap = 0; cap <= CAP_LAST_CAP; ++cap)
    for (const capng_type_t set : {CAPNG_EFFECTIVE, CAPNG_PERMITTED, CAPNG_INHERITABLE})
      if (capng_have_capability(set, cap) != 0) return true;
  return false;
}

Result<void> drop_capabilities(const Policy& policy) {
  const auto fail = [&](const char* what) {
    return Error(Errc::System, std::string(policy.program) + ": cannot " + what +
                                   "; it needs exactly the capabilities its unit file gives it");
  };
  if (capng_get_caps_process() != 0) return fail("read its capabilities");
  // Started with nothing: there is nothing to give up, and a unit need not allow capset(2) for it.
  if (policy.capabilities == 0 && !holds_any_capability()) return {};
  // The bounding set first: libcap-ng looks for CAP_SETPCAP in its own copy of the other sets.
  if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0 &&
      !WATTLE_LOOSENED(seal_bounding_set)) {
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
  if (!WATTLE_LOOSENED(seal_ambient) &&
      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return fail("clear ambient");

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

#ifdef WATTLE_MUTANTS
// seal_args_NAME: the rules of that call lose their arguments; seal_call_NAME: one call more.
bool is_loosened(const char* prefix, int number) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
  if (name == nullptr) return false;
  const bool out = mutate((std::string(prefix) + name).c_str(), false);
  std::free(name);
  return out;
}
void loosen(std::vector<AllowedCall>& calls) {
  for (int number = 0; number < 512; ++number)
    if (is_loosened("seal_call_", number)) calls.push_back({number});
}
#else
bool is_loosened(const char*, int) { return false; }
void loosen(std::vector<AllowedCall>&) {}
#endif

int add_rule(scmp_filter_ctx filter, const AllowedCall& call) {
  std::vector<scmp_arg_cmp> rules;
  const auto equal = [&](int argument, std::uint64_t value) {
    if (argument >= 0) rules.push_back({static_cast<unsigned>(argument), SCMP_CMP_EQ, value, 0});
  };
  equal(call.argument, call.value);
  equal(call.argument2, call.value2);
  equal(call.argument3, call.value3);
  if (call.number == SCMP_SYS(mmap) || call.number == SCMP_SYS(mprotect))
    rules.push_back({2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0});
  if (is_loosened("seal_args_", call.number)) rules.clear();
  return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call.number,
                                static_cast<unsigned>(rules.size()), rules.data());
}

Result<void> load_filter(const Policy& policy) {
  const Filter filter(
      seccomp_init(WATTLE_LOOSENED(seal_filter) ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS));
  if (!filter) return filter_error(policy.program, "start", -ENOMEM);
  // A call through another ABI (32-bit, x32) dies as well.
  if (const int code = seccomp_attr_set(
          filter.get(), SCMP_FLTATR_ACT_BADARCH,
          WATTLE_LOOSENED(seal_other_abi) ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
      code != 0)
    return filter_error(policy.program, "other architectures", code);
  // A binary tree instead of a list: the data path pays for every call.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);

  std::vector<AllowedCall> calls = base_calls();
  const auto extra = sanitizer_calls();
  calls.insert(calls.end(), extra.begin(), extra.end());
  calls.insert(calls.end(), policy.calls.begin(), policy.calls.end());
  loosen(calls);
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

// Sanitizers have shadow memory of terabytes, and read files for their reports.
bool is_sanitized() { return !sanitizer_calls().empty(); }

Result<void> lock_memory(const Policy& policy) {
  if (!policy.lock_memory || is_sanitized() || WATTLE_LOOSENED(seal_lock_memory)) return {};
  rlimit allowed{};
  if (getrlimit(RLIMIT_MEMLOCK, &allowed) != 0) return system_error("cannot read RLIMIT_MEMLOCK");
  if (allowed.rlim_cur != RLIM_INFINITY) {
    log::notice("its memory is not locked and may be swapped out: RLIMIT_MEMLOCK is not unlimited");
    return {};
  }
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
    return system_error(std::string(policy.program) + ": cannot lock its memory");
  return {};
}

Result<void> enter_landlock(const Policy& policy) {
  if (is_sanitized() || WATTLE_LOOSENED(seal_landlock)) return {};
  const auto entered = restrict_self(policy.folders, policy.tcp_connect);
  if (entered || entered.error().code != Errc::Unsupported) return entered;
  log::notice(entered.error().text() + "; its seccomp filter and its user remain");
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
  if (!WATTLE_LOOSENED(seal_core_limit)) WATTLE_TRY(limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  if (!WATTLE_LOOSENED(seal_descriptor_limit))
    WATTLE_TRY(limit(RLIMIT_NOFILE, policy.max_descriptors, "RLIMIT_NOFILE"));
  // LeakSanitizer traces the process at its end, which a process that is not dumpable refuses.
  const bool dumpable = is_sanitized() || WATTLE_LOOSENED(seal_dumpable);
  if (!dumpable && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return system_error("cannot make the process undumpable");
  if (!WATTLE_LOOSENED(seal_capabilities)) WATTLE_TRY(drop_capabilities(policy));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("cannot set no_new_privs");
  WATTLE_TRY(lock_memory(policy));
  WATTLE_TRY(enter_landlock(policy));
  return load_filter(policy);
}

}  // namespace wattle::os
