// Package web is the page: static files embedded in the binary, and the handler that
// serves them with security headers. It does not know gists, deals or the database:
// the scripts in static use the server's API like any other client.
//
// The scripts are plain modules without a build step: app.js selects the view, each
// view is a module of its own, api.js sends requests, live.js follows events, pulse.js
// checks that the page is up to date, and dom.js, parts.js and words.js are shared by the
// views. They are joined into one file when the program starts, and the views of rare.js
// into a second one, which later.js loads. style.css has the design;
// views.css and work.css have the rules of single views.
package web
