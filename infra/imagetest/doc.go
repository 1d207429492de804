// Package imagetest holds tests of the ways to run gistdeal as a service: the
// image, under an engine that the tests start in namespaces of their own, the
// compose file, the objects for Kubernetes, the systemd unit, and the workflows that publish. It owns no
// code of the program.
package imagetest
