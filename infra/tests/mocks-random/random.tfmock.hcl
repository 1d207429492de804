mock_resource "random_password" {
  defaults = { result = "abcdefghijklmnopqrstuvwxyz012345" }
}
