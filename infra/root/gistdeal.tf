# `make golden` writes this file from ../variables.tf and ../outputs.tf.

variable "image" {
  description = "The container image to run, with its digest: all machines run the same one, whatever a tag means later. You build and push it: infra/README.md, step 3. Machines pull without a log-in, but from ECR."
  type        = string
  nullable    = false
}

variable "domain" {
  description = "The domain under which the names challenge.<domain> (page) and api-challenge.<domain> (load balancer) are made."
  type        = string
  nullable    = false
}

variable "make_zone" {
  description = "Make the hosted zone of the domain. Otherwise one that exists already is used."
  type        = bool
  default     = false
  nullable    = false
}

variable "region" {
  description = "The provider's region. Everything is made there, but the certificate and the firewall that CloudFront wants in us-east-1."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "name" {
  description = "The beginning of the names of all that is made; two of them can live in one account."
  type        = string
  default     = "gistdeal"
  nullable    = false
}

variable "tags" {
  description = "Further tags of everything but the page's files."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "pipedrive_api_key" {
  description = "The API token of the Pipedrive user who makes the deals. Set it as TF_VAR_pipedrive_api_key, not in a file."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false
}

variable "admin_token" {
  description = "The first log-in at the page, of your own making: openssl rand -hex 24. Set it as TF_VAR_admin_token."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false
}

variable "github_token" {
  description = "A GitHub token without any scope: 5,000 requests an hour instead of 60. Set it as TF_VAR_github_token, and secret_versions.github_token to 1."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
  nullable    = false
}

variable "database_password" {
  description = "The password of the program's role in the database that is made, of your own making: openssl rand -hex 24. Set it as TF_VAR_database_password."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
  nullable    = false
}

variable "secret_versions" {
  description = "Raise a number to send that secret anew. A github_token of version 0 is none."
  type = object({
    pipedrive_api_key = optional(number, 1)
    admin_token       = optional(number, 1)
    github_token      = optional(number, 0)
    database_password = optional(number, 1)
  })
  default  = {}
  nullable = false
}

variable "instance_type" {
  description = "The machines' type. t3.small costs less than the default and is faster; newer regions have no t2."
  type        = string
  default     = "t2.small"
  nullable    = false
}

variable "ami" {
  description = "The machines' own image and its region; null for Canonical's current Ubuntu 24.04."
  type        = object({ id = string, region = string })
  default     = null
}

variable "machines" {
  description = "How many machines there are at least, at first and at most."
  type        = object({ min = number, desired = number, max = number })
  default     = { min = 1, desired = 2, max = 3 }
  nullable    = false
}

variable "wait_for_load_balancer" {
  description = "For how many seconds a starting machine waits for the load balancer to reach it, before it asks for its certificate."
  type        = number
  default     = 90
  nullable    = false
}

variable "acme_email" {
  description = "Whom the certificate authority writes to; null for alarm_email."
  type        = string
  default     = null
}

variable "acme_server" {
  description = "The certificate authority's directory. While you try things out, take https://acme-staging-v02.api.letsencrypt.org/directory: five certificates a week is the real one's limit."
  type        = string
  default     = "https://acme-v02.api.letsencrypt.org/directory"
  nullable    = false
}

variable "shared_file_system" {
  description = "Make a file system on which the machines share their certificate. One machine alone can do without."
  type        = bool
  default     = true
  nullable    = false
}

variable "settings" {
  description = "Further GISTDEAL_ variables of the program, as in { GISTDEAL_BACKFILL = \"none\" }; docs/configuration.md lists them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "tls_policy" {
  description = "What the load balancer speaks with clients: TLS 1.2 and newer."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
  nullable    = false
}

variable "firewall" {
  description = "Put a firewall of AWS WAF before CloudFront. It costs about 8 US dollars a month; the program limits requests without it too."
  type        = bool
  default     = false
  nullable    = false
}

variable "database_url_parameter" {
  description = "The name of a SecureString with the URL of a PostgreSQL that exists, password included. Empty: one is made."
  type        = string
  default     = ""
  nullable    = false
}

variable "database_cidr" {
  description = "Where the database of database_url_parameter is, so that the machines may reach its port 5432."
  type        = string
  default     = ""
  nullable    = false
}

variable "database_instance_class" {
  description = "The size of the database that is made."
  type        = string
  default     = "db.t4g.micro"
  nullable    = false
}

variable "database_storage" {
  description = "GiB of the database at first; it grows by itself to five times that."
  type        = number
  default     = 20
  nullable    = false
}

variable "database_backup_days" {
  description = "For how many days the database can be set back to any second."
  type        = number
  default     = 7
  nullable    = false
}

variable "database_standby" {
  description = "Keep a second database in the other zone, which takes over when the first fails. It doubles the database's price."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_email" {
  description = "Who gets alarms and the budget's warnings; Amazon asks that address to confirm."
  type        = string
  nullable    = false
}

variable "log_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "monthly_budget" {
  description = "US dollars a month above which a warning is sent."
  type        = number
  default     = 120
  nullable    = false
}

module "gistdeal" {
  source = "../"

  image                   = var.image
  domain                  = var.domain
  make_zone               = var.make_zone
  region                  = var.region
  name                    = var.name
  tags                    = var.tags
  pipedrive_api_key       = var.pipedrive_api_key
  admin_token             = var.admin_token
  github_token            = var.github_token
  database_password       = var.database_password
  secret_versions         = var.secret_versions
  instance_type           = var.instance_type
  ami                     = var.ami
  machines                = var.machines
  wait_for_load_balancer  = var.wait_for_load_balancer
  acme_email              = var.acme_email
  acme_server             = var.acme_server
  shared_file_system      = var.shared_file_system
  settings                = var.settings
  tls_policy              = var.tls_policy
  firewall                = var.firewall
  database_url_parameter  = var.database_url_parameter
  database_cidr           = var.database_cidr
  database_instance_class = var.database_instance_class
  database_storage        = var.database_storage
  database_backup_days    = var.database_backup_days
  database_standby        = var.database_standby
  alarm_email             = var.alarm_email
  log_days                = var.log_days
  monthly_budget          = var.monthly_budget
}

output "page" {
  description = "The page; log in with the admin token."
  value       = module.gistdeal.page
}

output "api" {
  description = "The API for programs; the page's name answers it too."
  value       = module.gistdeal.api
}

output "name_servers" {
  description = "What the domain has to be delegated to, if the zone was made here."
  value       = module.gistdeal.name_servers
}

output "log_group" {
  description = "Where logs are: aws logs tail --follow <this>"
  value       = module.gistdeal.log_group
}

output "machines" {
  description = "The auto scaling group: aws autoscaling describe-instance-refreshes --auto-scaling-group-name <this>"
  value       = module.gistdeal.machines
}

output "database" {
  description = "The database's address; empty if it is one that existed."
  value       = module.gistdeal.database
}

output "dashboard" {
  description = "The dashboard with all alarms."
  value       = module.gistdeal.dashboard
}
