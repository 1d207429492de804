// Package plantest holds the tests of infra/ that Terraform cannot hold itself:
// they run Terraform against a stand-in for its provider, check plans and states,
// and change the configuration to see that the assertions notice. It has no other
// code. Where Terraform or the stand-in is missing, the tests are skipped.
package plantest
