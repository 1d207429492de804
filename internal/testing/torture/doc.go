// Package torture is the kill harness: it checks that each gist gets exactly one
// deal, whenever the program is killed or frozen.
//
// It builds the real program with its fail points (internal/testing/failpoint), runs it
// against simulators that drop answers after the work, answer late, fail, limit
// and list new deals late. It kills the program with SIGKILL or freezes it with
// SIGSTOP, for longer than all timeouts of the program, at each fail point and at
// random moments. Databases are lost or replaced by older copies, SQLite's files
// lose power, and PostgreSQL's connections are cut. At the end the faults stop and
// the harness counts. With Options.Outbox it also checks that webhooks get all events,
// from receivers that fail.
//
// The parts: plan.go draws a plan from a seed, process.go runs the program once,
// world.go executes a plan, count.go counts, database.go with sqlite.go and
// postgres.go reads the program's database, outbox.go has the webhooks, power.go simulates a disk that loses
// power, and torture.go runs many worlds and sums up.
package torture
