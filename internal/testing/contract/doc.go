// Package contract checks requests of the clients and answers of the simulators
// against the official descriptions of the APIs of GitHub and Pipedrive. It loads
// the descriptions from an optional folder beside the checkout, keeps no copy of
// them, and owns the list of known mistakes in them. Only tests import it.
package contract
