// Package operate does the work of the commands that operators use beside a
// running gistdeal: it examines, plans and backs up. It reads GitHub, Pipedrive
// and the database and changes none of them. It returns values with texts and
// JSON names of their own; how they are shown is left to the command line.
package operate
