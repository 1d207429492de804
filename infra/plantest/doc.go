// Package plantest holds the tests of infra/ that Terraform cannot hold itself:
// they run Terraform against a stand-in for its provider, ask plans and states
// what they promise, and change the configuration to see that this is noticed.
// It has no other code. Where Terraform or the stand-in is missing, what needs
// them is skipped.
package plantest
