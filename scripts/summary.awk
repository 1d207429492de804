# Reads gotestsum's output. Its list of skipped tests becomes one line each,
# "skipped: TestX: reason", and its closing line is held back to stay the last.
# With all=1 the exit status is 1 if a test was skipped that nobody declined.

function flush() {
  if (name == "") return
  if (reason == "") reason = "no reason given"
  if (reason !~ /^declined: /) refused++
  skipped[++n] = "skipped: " name ": " reason
  name = reason = ""
}
/^=== Skipped/            { inside = 1; next }
/^=== (Failed|Errors)/    { flush(); inside = 0 }
/^DONE /                  { flush(); inside = 0; if (closing != "") print closing; closing = $0; next }
!inside                   { print; next }
/^=== SKIP: /             { flush(); name = $4; next }
/^ +[^ ]+\.go:[0-9]+: /   { sub(/^ +[^ ]+ /, ""); reason = $0; next }
NF                        { sub(/^ +/, ""); if (reason != "") reason = reason " " $0 }
END {
  for (i = 1; i <= n; i++) print skipped[i]
  fail = all == 1 && refused > 0
  if (fail) print "REQUIRE_ALL=1: " refused " of these must not be skipped"
  if (closing != "") print closing
  exit fail
}
