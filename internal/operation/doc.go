// Package operation does bulk work: changes of many users or deals that outlast the request
// for them. Every process may begin, show and cancel operations. The leader works them off,
// in small transactions that take turns, so that no operation waits for the end of another.
package operation
