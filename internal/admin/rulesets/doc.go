// Package rulesets keeps the rules of a database: it reads and saves them, previews a draft
// over the stored gists, and applies the rules again to deals that were not sent.
package rulesets
