// A world of its own for tests with real daemons: new mount and network namespaces for this
// process, an overlay over /etc, an empty /run and /var/lib, users of a network. Nothing of it
// reaches the host; all is gone with the process.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace wattle::test {

// False (with the reason) if this process may not make one: not root, no namespaces.
bool enter_world(std::string& why_not);

// Adds user and group `name` with that id to the world's /etc/passwd and /etc/group.
void add_user(const std::string& name, unsigned id);

void write_text(const std::string& path, const std::string& text, unsigned mode = 0644);
std::string read_all(const std::string& path);  // empty if it is not there

// Standard output of a shell command.
std::string run_shell(const std::string& command);

// Waits until the condition holds; false after the limit. For things that happen soon.
bool wait_until(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(20));

// One line of /proc/PID/status, e.g. "CapEff"; empty if there is none.
std::string status_of(int pid, const std::string& key);

}  // namespace wattle::test
