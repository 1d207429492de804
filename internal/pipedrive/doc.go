// Package pipedrive is a client of the few calls of Pipedrive's API that gistdeal
// needs: create and list deals, find or create the custom fields, find a stage, and
// read the account of the key. It uses API v2, and v1 only for calls that v2 lacks.
// It owns the limits of Pipedrive and the kind of each error, above all whether a
// POST certainly did nothing. It does not access the database or decide about gists.
package pipedrive
