// Package web is the page: static files that are embedded in the binary and the
// handler that serves them with the headers that keep a page safe. It owns what
// people see in a browser. It knows nothing of gists, deals or the database:
// the scripts in static ask the server's API like any other client.
//
// The scripts are plain modules, and nothing builds them: app.js decides what is
// shown, view.js draws it, api.js asks the server.
package web
