// Package pipedrive is a client of the few calls of Pipedrive's API that
// gistdeal needs: create a deal, list deals, find or make the custom fields,
// find a stage, tell whose key it is. It uses API v2, and v1 only where v2 has
// no twin. It knows nothing of the database and decides nothing about gists;
// it sets the kind of each error, above all whether a POST surely did nothing.
package pipedrive
