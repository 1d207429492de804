// Package goldentest holds the tests that compare infra/ with its reviewed texts
// in infra/golden: the configuration, the plans of typical installations and the
// machines' user data. It also checks the plans against rules of AWS that no plan
// reports. It has no other code.
package goldentest
