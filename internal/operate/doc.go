// Package operate does the work of the commands that need the configuration: it
// examines, plans, copies, backs up, and opens the desk. It reads the remotes
// and changes nothing there, and decides nothing about gists or deals. It returns
// values with texts and JSON names of their own; how they are shown is left to
// the command line.
package operate
