// Package web is the page: static files that are embedded in the binary and the
// handler that serves them with the headers that keep a page safe. It owns what
// people see in a browser. It knows nothing of gists, deals or the database:
// the scripts in static ask the server's API like any other client.
//
// The scripts are plain modules, and nothing builds them: app.js decides which
// view is shown, each view is a module of its own, api.js asks the server,
// live.js follows its events, dom.js, parts.js and words.js are what views are
// made of. style.css has the design, views.css and work.css what single
// views add.
package web
