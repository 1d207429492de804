package config

// renamed maps each variable of an earlier version to the hint on its successor.
var renamed = []struct{ old, hint string }{
	{"GISTDEAL_ABSENCE", "GISTDEAL_RESEND_AFTER, with the same value"},
	{"GISTDEAL_ANSWER_WAIT", "GISTDEAL_REQUEST_WAIT, with the same value"},
	{"GISTDEAL_DAY_RESERVE", "GISTDEAL_QUOTA_RESERVE, with the same value"},
	{"GISTDEAL_FIRST_SCAN", "GISTDEAL_BACKFILL: all stays all, new becomes none, and a date such as 2026-01-31 is possible too"},
	{"GISTDEAL_FIRST_SCAN_MAX", "GISTDEAL_APPROVAL_THRESHOLD, with the same value"},
	{"GISTDEAL_OPEN", "GISTDEAL_AUTH: 0 becomes auto, 1 becomes none, and token asks for a token on this machine too"},
}

// renamed reports variables of an earlier version. An empty one is a mistake
// too: the name is wrong, and nothing reads it.
func (p *parser) renamed() {
	for _, r := range renamed {
		if _, set := p.env[r.old]; set {
			p.used[r.old] = true
			p.mistake("%s has a new name: use %s", r.old, r.hint)
		}
	}
}
