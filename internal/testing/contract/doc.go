// Package contract is test support: it holds what clients send and what
// simulators answer against the official descriptions of GitHub's and
// Pipedrive's APIs. It owns the reading of those descriptions and the list of
// places where they are known to be wrong. It is imported by tests only, knows
// nothing of ours, and keeps no copy of the descriptions: they lie in an
// optional folder beside the checkout.
package contract
