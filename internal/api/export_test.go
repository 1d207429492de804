package api

// StreamsOfClient is how many streams a client may have.
const StreamsOfClient = streamsOfClient
