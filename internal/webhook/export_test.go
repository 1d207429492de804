package webhook

// Private is private.
var Private = private
