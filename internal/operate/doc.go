// Package operate does the work of the commands that operators use beside a
// running gistdeal: it examines, plans, backs up, and writes rows that the
// gistdeal at work carries out. It reads the remotes and changes nothing there,
// and decides nothing about gists or deals. It returns values with texts and
// JSON names of their own; how they are shown is left to the command line.
package operate
