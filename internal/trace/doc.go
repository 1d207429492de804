// Package trace records spans and sends them to a receiver of OTLP over HTTP. It is a small
// part of OpenTelemetry: its SDK and exporter would add 3 MB to the program, and 2 MiB to its
// memory, for everybody who traces nothing. The context carries the tracer and the
// present span; without a tracer in it, nothing is recorded, and a call costs next to nothing.
//
// A span names work, numbers and states. It has no text of people: no login, no address
// of a request, no error.
package trace
