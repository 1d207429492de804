// Package settings reads and changes the settings: values that an operator can
// change while gistdeal runs, where the configuration leaves them open. It knows
// the pipelines, stages and owners of the account, as the leader last saw them.
package settings
