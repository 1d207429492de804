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

// languages maps file extensions to GitHub's names of languages. GitHub reports
// no language for other extensions.
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

// descriptions set descriptions and other properties in the ways that occur in
// most of GitHub's responses.
var descriptions = []func(r *rand.Rand, g *Gist){
	func(r *rand.Rand, g *Gist) { g.Description = topic(r) },
	func(_ *rand.Rand, g *Gist) { g.NullDescription = true },
	func(_ *rand.Rand, g *Gist) { g.EmptyDescription = true },
	func(_ *rand.Rand, g *Gist) { g.Description = "test" },
	func(r *rand.Rand, g *Gist) { g.Description = topic(r) + " 🦉🚀 👩‍💻" },
	func(r *rand.Rand, g *Gist) { g.Description = topic(r) + "\n\n- first\n- second\r\n\tthird" },
	func(r *rand.Rand, g *Gist) { g.Description = longText(r, 256+r.IntN(300)) },
	func(_ *rand.Rand, g *Gist) { g.Description = "مثال على الكود مع English في الوسط" },
	func(r *rand.Rand, g *Gist) {
		g.Description = "<b>" + topic(r) + "</b> & \"quotes\" 'n' <script>alert(1)</script>"
	},
	func(r *rand.Rand, g *Gist) { g.Description = longText(r, 1001+r.IntN(2000)) },
	func(r *rand.Rand, g *Gist) { g.Description, g.NoFiles = topic(r), true },
	func(r *rand.Rand, g *Gist) { g.Description, g.Files = topic(r), files(r, 12) },
	func(_ *rand.Rand, g *Gist) { g.Description = "  \t " },
	func(r *rand.Rand, g *Gist) { g.Description, g.Comments = topic(r), 1+r.IntN(40) },
}

func topic(r *rand.Rand) string { return topics[r.IntN(len(topics))] }

// longText returns a text of that many runes, some of them longer than a byte.
func longText(r *rand.Rand, runes int) string {
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

// fill sets the unset fields of a gist.
func (h *gitHub) fill(g *Gist) {
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
	g.measure()
	if g.CreatedAt.IsZero() {
		g.CreatedAt = h.o.Now()
	}
	if g.UpdatedAt.Before(g.CreatedAt) {
		g.UpdatedAt = g.CreatedAt
	}
}

// measure sets the sizes of files with a text.
func (g *Gist) measure() {
	for i, f := range g.Files {
		if f.Text != "" {
			g.Files[i].Size = len(f.Text)
		}
	}
}

// sampleGist returns the i-th of a user's n gists, counted from the oldest.
func (h *gitHub) sampleGist(i, n int) Gist {
	g := Gist{ID: h.oldID(i, n)}
	descriptions[(i+h.rng.IntN(3))%len(descriptions)](h.rng, &g)
	const years = 12
	age := time.Duration(n-i) * (years * 365 * 24 * time.Hour / time.Duration(n+1))
	g.CreatedAt = h.o.Now().Add(-age - time.Duration(h.rng.Int64N(int64(time.Minute)))).Truncate(time.Second)
	if h.rng.IntN(4) == 0 {
		g.UpdatedAt = g.CreatedAt.Add(time.Duration(h.rng.Int64N(int64(age)))).Truncate(time.Second)
	}
	return g
}

// oldID returns an id in GitHub's format at the time of the gist: first decimal
// numbers, later 20 hexadecimal digits, today 32.
func (h *gitHub) oldID(i, n int) string {
	id := h.hex(32)
	switch {
	case i*10 < n && n > 1:
		id = strconv.Itoa(100_000 + h.rng.IntN(9_900_000))
	case i*4 < n && n > 1:
		id = h.hex(20)
	}
	if h.gists[id] != nil {
		return h.oldID(i, n)
	}
	return id
}

// MakeGists adds n realistic gists of a user, spread over the past twelve years.
// It adds the user if it does not exist.
func (s *Sim) MakeGists(login string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.gitHub.account(User{Login: login})
	for i := range n {
		s.gitHub.addGist(a, s.gitHub.sampleGist(i, n))
	}
}

// Demo adds an organization and users with between zero and more than 2,000 gists.
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

// Run adds a realistic gist of a random user at each interval until ctx ends.
func (s *Sim) Run(ctx context.Context, every time.Duration) {
	repeat(ctx, every, s.postSomething)
}

// RunStrangers fills the feed with older gists of strangers, and adds one at each
// interval until ctx ends.
func (s *Sim) RunStrangers(ctx context.Context, every time.Duration) {
	s.PostStrangers(maxPublic, maxPublic*every)
	repeat(ctx, every, func() { s.PostStrangers(1, 0) })
}

// repeat calls do at each interval until ctx ends.
func repeat(ctx context.Context, every time.Duration, do func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

func (s *Sim) postSomething() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []int64
	for id, a := range s.gitHub.accounts {
		if a.kind == "User" && !a.stranger {
			ids = append(ids, id)
		}
	}
	total := len(ids) + int(s.gitHub.synthetic.count)
	if total == 0 {
		return
	}
	slices.Sort(ids)
	// The order of random numbers is part of the data of a seed: first the description.
	var g Gist
	descriptions[s.gitHub.rng.IntN(len(descriptions))](s.gitHub.rng, &g)
	n := s.gitHub.rng.IntN(total)
	a := s.gitHub.generate(int64(n - len(ids)))
	if n < len(ids) {
		a = s.gitHub.accounts[ids[n]]
	}
	if a != nil {
		s.gitHub.addGist(s.gitHub.touch(a), g)
	}
}

// text returns the content of the file. Its length is f.Size.
func (f File) text() string {
	if f.Text != "" {
		return f.Text
	}
	line := fmt.Sprintf("# %s\n", f.Name)
	return strings.Repeat(line, f.Size/len(line)+1)[:f.Size]
}
