// Package remote does the work of the commands at a server, through its HTTP API. Its
// methods have the names, arguments and results of those in admin, admin/activity and
// admin/settings, so that a command is the same at a server and at a database.
package remote
