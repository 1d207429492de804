# Machines read these at their start, the database's password every two minutes. value_wo is sent and kept nowhere else,
# not in the state either; value with ignore_changes would be read back into it.

resource "aws_ssm_parameter" "pipedrive_api_key" {
  name             = "/${var.name}/pipedrive-api-key"
  description      = "API token of the Pipedrive user who makes the deals"
  type             = "SecureString"
  value_wo         = var.pipedrive_api_key
  value_wo_version = var.secret_versions.pipedrive_api_key

  tags = local.tags
}

resource "aws_ssm_parameter" "github_token" {
  count = var.secret_versions.github_token > 0 ? 1 : 0

  name             = "/${var.name}/github-token"
  description      = "GitHub token without any scope"
  type             = "SecureString"
  value_wo         = var.github_token
  value_wo_version = var.secret_versions.github_token

  tags = local.tags
}

resource "aws_ssm_parameter" "admin_token" {
  name             = "/${var.name}/admin-token"
  description      = "The first log-in at the page"
  type             = "SecureString"
  value_wo         = var.admin_token
  value_wo_version = var.secret_versions.admin_token

  tags = local.tags
}

resource "aws_ssm_parameter" "database_password" {
  count = var.database_url_parameter == "" ? 1 : 0

  name             = "/${var.name}/database-password"
  description      = "Password of the program's role in the database"
  type             = "SecureString"
  value_wo         = var.database_password
  value_wo_version = var.secret_versions.database_password

  tags = local.tags
}

# By this word machines know this installation's CloudFront, and believe it about the
# viewer's address: everybody can have a CloudFront. It is in the state, since CloudFront
# takes none that is only sent; with it, a client can pretend to have another address.
resource "random_password" "origin" {
  length  = 32
  special = false
  upper   = false # nginx would take both for the same
}

resource "aws_ssm_parameter" "origin_secret" {
  name        = "/${var.name}/origin-secret"
  description = "By which machines know CloudFront"
  type        = "SecureString"
  value       = random_password.origin.result

  tags = local.tags
}
