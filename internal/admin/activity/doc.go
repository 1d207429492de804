// Package activity reports the work of gistdeal: the overview, the quotas, runs,
// failures and events. It also pauses and resumes pushes. Like
// package admin it works on the database alone.
package activity
