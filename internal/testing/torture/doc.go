// Package torture is the kill harness: it proves that each gist gets exactly one
// deal, none lost and none doubled, whatever dies when.
//
// It builds the real program with its fail points (internal/testing/failpoint), runs it
// against simulators that drop answers after the work, answer late, fail, limit
// and show new deals late, and kills it with SIGKILL or freezes it with SIGSTOP
// for longer than every time that the program reckons with: at each named step
// and at random moments. Databases get lost, or replaced by older copies; the
// power is cut under SQLite's files; PostgreSQL's connections are cut. In the
// end the faults cease, and it counts.
//
// The parts: plan.go draws what shall happen from a seed, process.go is one life
// of the program, world.go carries out a plan, count.go counts, database.go
// reads what the program left in sqlite.go or postgres.go, power.go is the disk
// that loses its power, and torture.go runs many worlds and adds up.
package torture
