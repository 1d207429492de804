# A small installation, as most of the tests plan it. The secrets are none.
image             = "ghcr.io/you/gistdeal:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
domain            = "example.com"
alarm_email       = "you@example.com"
pipedrive_api_key = "0123456789012345678901234567890123456789"
admin_token       = "0123456789abcdef0123456789abcdef"
database_password = "fedcba9876543210fedcba9876543210"
