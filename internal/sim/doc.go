// Package sim simulates the two remote services that gistdeal talks to, GitHub's
// REST API and Pipedrive's API, in one http.Handler, with faults on demand and a
// report of what each gist got. It is written from the services' documents and
// imports nothing of gistdeal, so a mistake of a client is not repeated here.
// Where the documents are silent, Options lets a test try both answers. Besides
// the two APIs it serves /_sim/ (control) and /deals (a page for people). It
// keeps everything in memory, listens nowhere itself and does not simulate
// GraphQL, webhooks, search, persons or notes.
package sim
