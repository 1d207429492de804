package sim

import "strconv"

// overQuota returns the refusal of a request over the burst limit or the daily quota.
// Pipedrive docs, "Rate limiting"; the Retry-After of a spent day is from other
// people's live answers.
func (p *pipedrive) overQuota(spent bool) response {
	p.refused++
	p.inARow++
	a := overLimit()
	if spent && p.o.SpentRetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(p.o.SpentRetryAfter))
	}
	return a
}

// banned reports whether the gateway refuses the key because too many requests in a
// row came in spite of a refusal.
func (p *pipedrive) banned() bool { return p.o.BanAfter > 0 && p.inARow >= p.o.BanAfter }

// spend counts the cost of a request.
func (p *pipedrive) spend(c *call) {
	p.tokens += c.route.cost
	p.everSpent += c.route.cost
}

// ReleaseWaitlist creates the deals on the waiting list, as after an upgrade of the plan.
func (s *Sim) ReleaseWaitlist() {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pipedrive
	for _, d := range p.waiting {
		now := s.o.Now()
		d.id, d.createdAt = int64(len(p.deals)+1), now
		d.added, d.updated, d.stageMoved = seconds(now), seconds(now), seconds(now)
		p.deals = append(p.deals, d)
	}
	p.waiting, s.o.Waitlist = nil, false
}
