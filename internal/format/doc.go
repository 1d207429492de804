// Package format writes numbers, durations and sizes for people, escapes texts from
// outside, and splits texts from people into words.
package format
