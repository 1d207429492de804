package goldentest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// configuration has the texts of infra/, by their names; those of its folder root are
// named as in root/main.tf.
type configuration map[string]string

// module and root are the folders of infra/ that have configurations.
const (
	module = "."
	root   = "root"
)

// written reads the files of folders that an apply depends on: also of the kinds that
// Terraform or OpenTofu would read if there were any.
func written(in string, folders ...string) (configuration, error) {
	c := configuration{}
	for _, folder := range folders {
		for _, pattern := range []string{"*.tf", "*.tf.json", "*.tofu", "*.tofu.json", "*.tfvars", "*.tfvars.json", "*.tftpl"} {
			names, err := filepath.Glob(filepath.Join(in, folder, pattern))
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				text, err := os.ReadFile(name)
				if err != nil {
					return nil, err
				}
				c[filepath.Join(folder, filepath.Base(name))] = string(text)
			}
		}
	}
	return c, nil
}

// normal returns the configuration of a folder as one text that depends on nothing but
// its meaning: without comments, in one layout, and with blocks and arguments sorted.
// It parses the files themselves, since a plan does not show lifecycles.
func (c configuration) normal(folder string) (string, error) {
	var blocks []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if ending := filepath.Ext(name); filepath.Dir(name) != folder || ending == ".tftpl" {
			continue // The text of a template is rendered and reviewed by itself.
		} else if ending != ".tf" && ending != ".tfvars" {
			blocks = append(blocks, fmt.Sprintf("file %q {\n%s\n}\n", name, c[name]))
			continue
		}
		of, err := dumped(name, c[name])
		if err != nil {
			return "", err
		}
		blocks = append(blocks, of...)
	}
	slices.Sort(blocks)
	return strings.Join(blocks, "\n"), nil
}

// dumps has the blocks of each text that was dumped: an edit changes one file.
var dumps sync.Map

// dumped returns the blocks of a file.
func dumped(name, text string) (blocks []string, err error) {
	if done, ok := dumps.Load(name + "\n" + text); ok {
		return done.([]string), nil //nolint:forcetypeassert // It holds nothing else.
	}
	src := []byte(text)
	file, problems := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if problems.HasErrors() {
		return nil, problems
	}
	tokens, problems := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if problems.HasErrors() {
		return nil, problems
	}
	body := file.Body.(*hclsyntax.Body) //nolint:forcetypeassert // The native syntax has no other.
	d := dump{src, tokens}
	// A file of values is one block; blocks can move from one .tf file to another.
	if strings.HasSuffix(name, ".tfvars") {
		blocks = []string{fmt.Sprintf("values %q {\n%s}\n", name, d.body(body))}
	}
	for _, block := range body.Blocks {
		blocks = append(blocks, d.block(block)...)
	}
	for i, block := range blocks {
		blocks[i] = string(hclwrite.Format([]byte(block)))
	}
	dumps.Store(name+"\n"+text, blocks)
	return blocks, nil
}

// dump writes the blocks of a file.
type dump struct {
	src    []byte
	tokens hclsyntax.Tokens
}

// block returns the text of a block. Each local value counts as a block: it can
// stand in any of them.
func (d dump) block(block *hclsyntax.Block) (texts []string) {
	if block.Type == "locals" {
		for name, attribute := range block.Body.Attributes {
			texts = append(texts, fmt.Sprintf("locals {\n%s = %s\n}\n", name, d.expression(attribute)))
		}
		return texts
	}
	head := block.Type
	for _, label := range block.Labels {
		head += fmt.Sprintf(" %q", label)
	}
	return []string{head + " {\n" + d.body(block.Body) + "}\n"}
}

// body returns sorted arguments, then blocks by their types. Blocks of one type keep
// their order, which can have a meaning.
func (d dump) body(body *hclsyntax.Body) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(body.Attributes)) {
		fmt.Fprintf(&text, "%s = %s\n", name, d.expression(body.Attributes[name]))
	}
	blocks := slices.Clone(body.Blocks)
	slices.SortStableFunc(blocks, func(a, b *hclsyntax.Block) int { return strings.Compare(a.Type, b.Type) })
	for _, block := range blocks {
		text.WriteString(strings.Join(d.block(block), ""))
	}
	return text.String()
}

// expression returns an argument's expression in one layout.
func (d dump) expression(attribute *hclsyntax.Attribute) string {
	from, to := attribute.EqualsRange.End.Byte, attribute.SrcRange.End.Byte
	p := parser{src: d.src, tokens: d.tokens[d.first(from):d.first(to)]}
	return p.group(hclsyntax.TokenEOF).text()
}

// first returns the index of the first token that begins at a byte or after it.
func (d dump) first(at int) int {
	i, _ := slices.BinarySearchFunc(d.tokens, at, func(token hclsyntax.Token, at int) int { return token.Range.Start.Byte - at })
	return i
}

// group is what stands between two brackets, split at commas and, in an object, at
// the ends of lines.
type group struct {
	before, after string
	object, loop  bool
	items         []string
}

// widest is the length of a line above which a group is written line by line.
const widest = 100

func (g group) text() string {
	one := strings.Join(g.items, ", ")
	switch {
	case g.before == "", len(one) <= widest && !strings.Contains(one, "\n"):
		return strings.TrimSpace(g.before + " " + one + " " + g.after)
	case g.loop:
		return g.before + "\n" + one + "\n" + g.after
	case g.object:
		return g.before + "\n" + strings.Join(g.items, "\n") + "\n" + g.after
	}
	return g.before + "\n" + strings.Join(g.items, ",\n") + "\n" + g.after
}

// parser groups the tokens of an expression.
type parser struct {
	src    []byte
	tokens hclsyntax.Tokens
	at     int
}

var closing = map[hclsyntax.TokenType]hclsyntax.TokenType{
	hclsyntax.TokenOBrace: hclsyntax.TokenCBrace, hclsyntax.TokenOBrack: hclsyntax.TokenCBrack, hclsyntax.TokenOParen: hclsyntax.TokenCParen,
}

// group reads up to the closing token. The caller writes the brackets.
func (p *parser) group(end hclsyntax.TokenType) group {
	g := group{object: end == hclsyntax.TokenCBrace}
	var item []string
	next := func() {
		if len(item) > 0 {
			g.items = append(g.items, strings.Join(item, " "))
		}
		item = nil
	}
	for ; p.at < len(p.tokens); p.at++ {
		token := p.tokens[p.at]
		if token.Type == end {
			break
		}
		switch text := string(token.Bytes); token.Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
			if g.object && !g.loop {
				next()
			}
		case hclsyntax.TokenComma:
			next()
		case hclsyntax.TokenOQuote:
			item = append(item, p.quoted())
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen:
			p.at++
			inner := p.group(closing[token.Type])
			inner.before, inner.after = text, string(p.tokens[p.at].Bytes)
			item = append(item, inner.text())
		default:
			g.loop = g.loop || text == "for" && len(g.items)+len(item) == 0
			item = append(item, text)
		}
	}
	next()
	return g
}

// quoted returns a text in quotes, byte for byte.
func (p *parser) quoted() string {
	from, depth := p.tokens[p.at].Range.Start.Byte, 0
	for ; ; p.at++ {
		switch p.tokens[p.at].Type {
		case hclsyntax.TokenOQuote:
			depth++
		case hclsyntax.TokenCQuote:
			depth--
		}
		if depth == 0 {
			return string(p.src[from:p.tokens[p.at].Range.End.Byte])
		}
	}
}
