// Package estimate estimates the cost of tracking users: deals, requests,
// tokens and time. It asks GitHub once for each user and Pipedrive for its
// quotas, and writes nothing anywhere.
package estimate
