# gistdeal as a module of a configuration of your own, with everything that one may
# want to choose. The provider is yours: its region is the module's.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

provider "aws" {
  region = "eu-north-1"
}

variable "pipedrive_api_key" {
  description = "The API token of the Pipedrive user who makes the deals."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "admin_token" {
  description = "The first log-in at the page: openssl rand -hex 24."
  type        = string
  ephemeral   = true
  sensitive   = true
}

variable "database_password" {
  description = "The password of the program's role in the database: openssl rand -hex 24."
  type        = string
  ephemeral   = true
  sensitive   = true
}

module "gistdeal" {
  source = "../.."

  # The digest is the one that docker push prints.
  image       = "ghcr.io/you/gistdeal:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  domain      = "example.com"
  alarm_email = "you@example.com"

  pipedrive_api_key = var.pipedrive_api_key
  admin_token       = var.admin_token
  database_password = var.database_password

  region        = "eu-north-1"
  instance_type = "t3.small"
  machines      = { min = 2, desired = 2, max = 4 }
  make_zone     = true
  firewall      = true
  settings      = { GISTDEAL_BACKFILL = "none" }
  tags          = { Owner = "sales" }

  database_standby     = true
  database_backup_days = 14
  log_days             = 90
  monthly_budget       = 200
}

output "page" {
  description = "The page; log in with the admin token."
  value       = module.gistdeal.page
}

output "name_servers" {
  description = "The domain has to be delegated to them."
  value       = module.gistdeal.name_servers
}
