// Package retention deletes the history that is older than it has to be kept. It owns when
// and how fast that happens, and shows how much is left. Which rows may go is the store's to
// say.
package retention
