mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "secrets" {
  command = plan

  variables {
    pipedrive_api_key = "canary-pipedrive-0123456789"
    admin_token       = "canary-admin-0123456789abcdef"
    github_token      = "canary-github-0123456789"
    database_password = "canary-database-0123456789abcdef"
    secret_versions   = { pipedrive_api_key = 3, admin_token = 2, github_token = 1, database_password = 4 }
  }

  assert {
    condition     = alltrue([for parameter in concat([aws_ssm_parameter.pipedrive_api_key, aws_ssm_parameter.admin_token], aws_ssm_parameter.github_token, aws_ssm_parameter.database_password) : parameter.type == "SecureString"])
    error_message = "Secrets are SecureStrings."
  }

  assert {
    condition     = alltrue([for parameter in concat([aws_ssm_parameter.pipedrive_api_key, aws_ssm_parameter.admin_token], aws_ssm_parameter.github_token, aws_ssm_parameter.database_password) : parameter.value_wo_version >= 1])
    error_message = "Secrets are written by value_wo and a version, so that no state holds them."
  }

  assert {
    condition     = aws_ssm_parameter.pipedrive_api_key.value_wo_version == 3 && aws_ssm_parameter.admin_token.value_wo_version == 2 && aws_ssm_parameter.github_token[0].value_wo_version == 1 && aws_ssm_parameter.database_password[0].value_wo_version == 4
    error_message = "A raised version sends the secret that it belongs to."
  }

  assert {
    condition     = length(toset([aws_ssm_parameter.pipedrive_api_key.name, aws_ssm_parameter.admin_token.name, aws_ssm_parameter.github_token[0].name, aws_ssm_parameter.database_password[0].name])) == 4 && aws_ssm_parameter.pipedrive_api_key.name == "/gistdeal/pipedrive-api-key" && aws_ssm_parameter.admin_token.name == "/gistdeal/admin-token"
    error_message = "Each secret has a parameter of its own."
  }

  assert {
    condition     = !anytrue([for secret in ["canary-pipedrive", "canary-admin", "canary-github", "canary-database"] : strcontains(base64decode(aws_launch_template.machine.user_data), secret)])
    error_message = "User data holds no secret."
  }

  assert {
    condition     = nonsensitive(aws_ssm_parameter.origin_secret.value == random_password.origin.result) && aws_ssm_parameter.origin_secret.type == "SecureString" && random_password.origin.length >= 32 && !random_password.origin.special && !random_password.origin.upper
    error_message = "Machines are given a word that nobody guesses, in small letters and digits."
  }

  assert {
    condition     = nonsensitive(toset(flatten([for o in aws_cloudfront_distribution.page.origin : [for h in o.custom_header : [o.origin_id, h.name, h.value]]])) == toset(["api", "X-Origin-Verify", random_password.origin.result]))
    error_message = "CloudFront shows the word to the load balancer, and to nobody else."
  }

  assert {
    condition     = nonsensitive(!strcontains(base64decode(aws_launch_template.machine.user_data), random_password.origin.result))
    error_message = "The word is not in user data."
  }

  assert {
    condition     = alltrue([for parameter in [aws_ssm_parameter.pipedrive_api_key.name, aws_ssm_parameter.admin_token.name, aws_ssm_parameter.github_token[0].name, aws_ssm_parameter.database_password[0].name] : strcontains(base64decode(aws_launch_template.machine.user_data), parameter)])
    error_message = "Machines are told the names of their secrets."
  }
}

run "without_a_github_token" {
  command = plan

  assert {
    condition     = length(aws_ssm_parameter.github_token) == 0
    error_message = "Without a GitHub token there is no parameter for it."
  }
}
