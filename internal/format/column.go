package format

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// loginHeader matches the names of a column of logins. The page has the same pattern.
var loginHeader = regexp.MustCompile(`(?i)^(login|username|user|github|github[ _-]?(login|user|username|url)|profile|url|link)$`)

// Column returns the logins in a CSV text (RFC 4180). They are in the column that the
// header names; a text with one column needs no header. The cells are separated by the
// first comma, semicolon or tab in the text. Errors name the line.
func Column(text string) ([]string, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	if i := strings.IndexAny(text, ",;\t\r\n"); i >= 0 && !strings.ContainsRune("\r\n", rune(text[i])) {
		r.Comma = rune(text[i])
	}
	var logins []string
	column := -1
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return logins, nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		line, _ := r.FieldPos(0)
		if column < 0 {
			column = loginColumn(record)
			if column >= 0 {
				continue
			}
			if len(record) > 1 {
				return nil, fmt.Errorf("line %d has %d columns, and none is named login: name the columns in the first line", line, len(record))
			}
			column = 0
		}
		if column >= len(record) || strings.TrimSpace(record[column]) == "" {
			return nil, fmt.Errorf("line %d has no login", line)
		}
		logins = append(logins, strings.TrimSpace(record[column]))
	}
}

// loginColumn returns the column of logins in a header, -1 if the record is none. One that
// is named login goes before others, such as the URL of a company.
func loginColumn(record []string) int {
	named := func(name func(string) bool) int {
		return slices.IndexFunc(record, func(cell string) bool { return name(strings.TrimSpace(cell)) })
	}
	if column := named(func(cell string) bool { return strings.EqualFold(cell, "login") }); column >= 0 {
		return column
	}
	return named(loginHeader.MatchString)
}

// csvError returns an error of the CSV reader with its line in front.
func csvError(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d: %w", p.Line, p.Err)
	}
	return err
}
