// Package boottest holds tests of the script that makes a new machine serve
// gistdeal, infra/startup.sh.tftpl. It owns no code of the program.
package boottest
