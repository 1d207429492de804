// Package format writes numbers, durations and sizes for people, and splits
// texts from people into words.
package format
