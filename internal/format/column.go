package format

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// loginHeader matches the names of a column of logins. The page has the same pattern.
var loginHeader = regexp.MustCompile(`(?i)^(login|username|user|github|github[ _-]?(login|user|username|url)|profile|url|link)$`)

// soleHeader matches those that can be above the only column. The others are logins there,
// because people are named user or github.
var soleHeader = regexp.MustCompile(`(?i)^(login|username|github[ _](login|user|username|url))$`)

// Column returns the logins in a CSV text (RFC 4180), and by login the tags in its column
// tags. The logins are in the column that the header names; a text with one column needs no
// header. The cells are separated by the first comma, semicolon or tab in the text, and tags by
// spaces, commas or semicolons. Errors name the line.
func Column(text string) (logins []string, tags map[string][]string, err error) {
	text = strings.TrimPrefix(text, "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	if i := strings.IndexAny(text, ",;\t\r\n"); i >= 0 && !strings.ContainsRune("\r\n", rune(text[i])) {
		r.Comma = rune(text[i])
	}
	column, tagColumn := -1, -1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return logins, tags, nil
		}
		if err != nil {
			return nil, nil, csvError(err)
		}
		line, _ := r.FieldPos(0)
		if column < 0 {
			if column = loginColumn(record); column >= 0 {
				tagColumn = indexNamed(record, func(cell string) bool { return strings.EqualFold(cell, "tags") })
				continue
			}
			if len(record) > 1 {
				return nil, nil, fmt.Errorf("line %d has %d columns, and none is named login: name the columns in the first line", line, len(record))
			}
			column = 0
		}
		if column >= len(record) || strings.TrimSpace(record[column]) == "" {
			return nil, nil, fmt.Errorf("line %d has no login", line)
		}
		login := strings.TrimSpace(record[column])
		logins = append(logins, login)
		if tagColumn >= 0 && tagColumn < len(record) {
			tags = addTags(tags, login, record[tagColumn])
		}
	}
}

// addTags adds the tags in a cell to those of a login.
func addTags(tags map[string][]string, login, cell string) map[string][]string {
	some := strings.FieldsFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
	if len(some) == 0 {
		return tags
	}
	if tags == nil {
		tags = map[string][]string{}
	}
	tags[login] = append(tags[login], some...)
	return tags
}

// loginColumn returns the column of logins in a header, -1 if the record is none. One that
// is named login goes before others, such as the URL of a company.
func loginColumn(record []string) int {
	if len(record) == 1 {
		return indexNamed(record, soleHeader.MatchString)
	}
	if column := indexNamed(record, func(cell string) bool { return strings.EqualFold(cell, "login") }); column >= 0 {
		return column
	}
	return indexNamed(record, loginHeader.MatchString)
}

// indexNamed returns the first column whose name is wanted, -1 if there is none.
func indexNamed(header []string, wanted func(string) bool) int {
	return slices.IndexFunc(header, func(cell string) bool { return wanted(strings.TrimSpace(cell)) })
}

// csvError returns an error of the CSV reader with its line in front.
func csvError(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d: %w", p.Line, p.Err)
	}
	return err
}
