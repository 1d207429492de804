package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// languages are GitHub's names for what a file's ending says; others it does not know.
var languages = map[string]string{
	".go": "Go", ".py": "Python", ".js": "JavaScript", ".md": "Markdown", ".rb": "Ruby",
	".sh": "Shell", ".sql": "SQL", ".yml": "YAML", ".txt": "Text", ".tf": "HCL",
}

var fileNames = []string{
	"main.go", "gistfile1.txt", "notes.md", "deploy.sh", "query.sql", "build.yml", "scrape.py", "widget.js",
	"README.md", "core.rb", "vpc.tf", "Makefile", "data.xyzzy", "résumé.md", "semi;colon & space.txt", ".bashrc",
}

var topics = []string{
	"rotate logs on a small server", "parse dates in awk", "a shader that draws rain", "fix for the printer", "notes from the meetup",
	"backup to a second disk", "why this loop deadlocks", "colours of the terminal", "keyboard layout", "benchmark of three maps",
}

// tellings are the ways in which people describe gists, or don't. Most
// answers of GitHub have a few of each.
var tellings = []func(r *rand.Rand, g *Gist){
	func(r *rand.Rand, g *Gist) { g.Description = topic(r) },
	func(_ *rand.Rand, g *Gist) { g.NullDescription = true },
	func(_ *rand.Rand, g *Gist) { g.EmptyDescription = true },
	func(_ *rand.Rand, g *Gist) { g.Description = "test" },
	func(r *rand.Rand, g *Gist) { g.Description = topic(r) + " 🦉🚀 👩‍💻" },
	func(r *rand.Rand, g *Gist) { g.Description = topic(r) + "\n\n- first\n- second\r\n\tthird" },
	func(r *rand.Rand, g *Gist) { g.Description = long(r, 256+r.IntN(300)) },
	func(_ *rand.Rand, g *Gist) { g.Description = "مثال على الكود مع English في الوسط" },
	func(r *rand.Rand, g *Gist) {
		g.Description = "<b>" + topic(r) + "</b> & \"quotes\" 'n' <script>alert(1)</script>"
	},
	func(r *rand.Rand, g *Gist) { g.Description = long(r, 1001+r.IntN(2000)) },
	func(r *rand.Rand, g *Gist) { g.Description, g.NoFiles = topic(r), true },
	func(r *rand.Rand, g *Gist) { g.Description, g.Files = topic(r), files(r, 12) },
	func(_ *rand.Rand, g *Gist) { g.Description = "  \t " },
	func(r *rand.Rand, g *Gist) { g.Description, g.Comments = topic(r), 1+r.IntN(40) },
}

func topic(r *rand.Rand) string { return topics[r.IntN(len(topics))] }

// long is a text of so many runes, not all of one byte.
func long(r *rand.Rand, runes int) string {
	var b strings.Builder
	for b.Len() < 4*runes {
		b.WriteString(topic(r) + ", naïve – 日本語 – ")
	}
	return string([]rune(b.String())[:runes])
}

func files(r *rand.Rand, n int) []File {
	list := make([]File, 0, n)
	for i := range n {
		name := fileNames[r.IntN(len(fileNames))]
		if slices.ContainsFunc(list, func(f File) bool { return f.Name == name }) {
			name = strconv.Itoa(i) + "-" + name
		}
		list = append(list, File{Name: name, Size: 1 + r.IntN(20_000)})
	}
	return list
}

// fill fills in what a gist leaves open.
func (h *hub) fill(g *Gist) {
	if g.ID == "" {
		g.ID = h.hex(32)
	}
	if g.Description == "" && !g.NullDescription && !g.EmptyDescription {
		g.Description = topic(h.rng)
	}
	if len(g.Files) == 0 && !g.NoFiles {
		g.Files = files(h.rng, 1+h.rng.IntN(3))
	}
	for i, f := range g.Files {
		if f.Language == "" {
			g.Files[i].Language = languages[path.Ext(f.Name)]
		}
	}
	if g.CreatedAt.IsZero() {
		g.CreatedAt = h.o.Now()
	}
	if g.UpdatedAt.Before(g.CreatedAt) {
		g.UpdatedAt = g.CreatedAt
	}
}

// lifelike is the i-th of a user's n gists, counted from the oldest.
func (h *hub) lifelike(i, n int) Gist {
	g := Gist{ID: h.oldID(i, n)}
	tellings[(i+h.rng.IntN(3))%len(tellings)](h.rng, &g)
	const years = 12
	age := time.Duration(n-i) * (years * 365 * 24 * time.Hour / time.Duration(n+1))
	g.CreatedAt = h.o.Now().Add(-age - time.Duration(h.rng.Int64N(int64(time.Minute)))).Truncate(time.Second)
	if h.rng.IntN(4) == 0 {
		g.UpdatedAt = g.CreatedAt.Add(time.Duration(h.rng.Int64N(int64(age)))).Truncate(time.Second)
	}
	return g
}

// oldID is an id as GitHub gave them at that time: first numbers, then 20 digits, today 32.
func (h *hub) oldID(i, n int) string {
	id := h.hex(32)
	switch {
	case i*10 < n && n > 1:
		id = strconv.Itoa(100_000 + h.rng.IntN(9_900_000))
	case i*4 < n && n > 1:
		id = h.hex(20)
	}
	if h.posts[id] != nil {
		return h.oldID(i, n)
	}
	return id
}

// MakeGists posts n life-like gists of a user, made if it does not exist, over
// the past twelve years.
func (s *Sim) MakeGists(login string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.hub.account(User{Login: login})
	for i := range n {
		s.hub.post(a, s.hub.lifelike(i, n))
	}
}

// Demo makes users of all sizes, from none to more than 2,000 gists, and an organisation.
func (s *Sim) Demo() {
	s.AddUser(User{Login: "quiet-quokka"})
	s.AddUser(User{Login: "acme-labs", Type: "Organization"})
	sizes := []struct {
		login string
		gists int
	}{{"lonelyloon", 1}, {"seven-swans", 7}, {"FortyFoxes", 40}, {"BusyBadger", 250}, {"millermoth", 2_345}}
	for _, size := range sizes {
		s.MakeGists(size.login, size.gists)
	}
}

// Run posts a life-like gist of some user every so often, until ctx ends.
func (s *Sim) Run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.postSomething()
		}
	}
}

func (s *Sim) postSomething() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []int64
	for id, a := range s.hub.accounts {
		if a.kind == "User" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	slices.Sort(ids)
	var g Gist
	tellings[s.hub.rng.IntN(len(tellings))](s.hub.rng, &g)
	s.hub.post(s.hub.accounts[ids[s.hub.rng.IntN(len(ids))]], g)
}

// text is what a file of that size says.
func (f File) text() string {
	line := fmt.Sprintf("# %s\n", f.Name)
	return strings.Repeat(line, f.Size/len(line)+1)[:f.Size]
}
