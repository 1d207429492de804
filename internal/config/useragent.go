package config

// documentation is the URL of the documentation. The project has no site yet: names in
// .example are reserved and lead nowhere.
const documentation = "https://gistdeal.example/docs"

// UserAgent returns the name by which the program of that version introduces itself to
// GitHub and Pipedrive.
func UserAgent(version string) string { return "gistdeal/" + version + " (+" + documentation + ")" }
