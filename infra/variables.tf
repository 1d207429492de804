variable "image" {
  description = "The container image to run, with its digest: all machines run the same one, whatever a tag means later. You build and push it: infra/README.md, step 3. Machines pull without a log-in, but from ECR."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must name a digest, as in ghcr.io/you/gistdeal:1.0.0@sha256:0123...: docker push prints it. Build and push one first: infra/README.md, step 3."
  }
}

variable "domain" {
  description = "The domain under which the names challenge.<domain> (page) and api-challenge.<domain> (load balancer) are made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain)) && length(var.domain) <= 50
    error_message = "domain must be a domain in lower case without a protocol and without a dot at its end, as in example.com, and of up to 50 characters: certificates take names of 64."
  }
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

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, as in us-east-1 or eu-north-1, not of a zone in it."
  }
}

variable "name" {
  description = "The beginning of the names of all that is made; two of them can live in one account."
  type        = string
  default     = "gistdeal"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must be 1 to 20 lower-case letters, digits and single hyphens, and begin with a letter: load balancers and databases take no other."
  }
}

variable "tags" {
  description = "Further tags of everything but the page's files."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.tags : length(key) <= 128 && length(value) <= 256 && !startswith(lower(key), "aws:")])
    error_message = "tags must have keys of up to 128 and values of up to 256 characters, and keys must not begin with aws:, which is Amazon's."
  }
}

# Secrets. They are needed at each plan and apply, and sent only when their
# version below is raised. They are in no plan and no state.

variable "pipedrive_api_key" {
  description = "The API token of the Pipedrive user who makes the deals. Set it as TF_VAR_pipedrive_api_key, not in a file."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = can(regex("^[!-~]{20,200}$", var.pipedrive_api_key))
    error_message = "pipedrive_api_key must be 20 to 200 characters without spaces: copy it from Pipedrive, Settings > Personal preferences > API."
  }
}

variable "admin_token" {
  description = "The first log-in at the page, of your own making: openssl rand -hex 24. Set it as TF_VAR_admin_token."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = can(regex("^[!-~]{24,200}$", var.admin_token))
    error_message = "admin_token must be 24 to 200 characters without spaces, which nobody can guess: make one with openssl rand -hex 24."
  }
}

variable "github_token" {
  description = "A GitHub token without any scope: 5,000 requests an hour instead of 60. Set it as TF_VAR_github_token, and secret_versions.github_token to 1."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = var.github_token == "" || can(regex("^[!-~]{20,255}$", var.github_token))
    error_message = "github_token must be empty, or 20 to 255 characters without spaces: copy it from GitHub, Settings > Developer settings."
  }

  validation {
    condition     = (var.github_token == "") == (var.secret_versions.github_token == 0)
    error_message = "github_token and secret_versions.github_token go together: a token with a version of 1 or more, or neither of them."
  }
}

variable "database_password" {
  description = "The password of the program's role in the database that is made, of your own making: openssl rand -hex 24. Set it as TF_VAR_database_password."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = can(regex("^[!-~]{24,200}$", var.database_password)) || (var.database_password == "" && var.database_url_parameter != "")
    error_message = "database_password must be 24 to 200 characters without spaces, which nobody can guess: make one with openssl rand -hex 24. Only with database_url_parameter there is none."
  }
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

  validation {
    condition = alltrue([for version in values(var.secret_versions) : version == floor(version) && version >= 0]) && (
    var.secret_versions.pipedrive_api_key >= 1 && var.secret_versions.admin_token >= 1 && var.secret_versions.database_password >= 1)
    error_message = "secret_versions must be whole numbers from 1 on (github_token: from 0 on); raise one by 1 to send that secret anew."
  }
}

# Machines

variable "instance_type" {
  description = "The machines' type. t3.small costs less than the default and is faster; newer regions have no t2."
  type        = string
  default     = "t2.small"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type)) && !can(regex("^([a-z]+[0-9]+g|a1)[a-z]*\\.", var.instance_type))
    error_message = "instance_type must be a type with an Intel or AMD processor, as in t3.small: the machines' image is of that kind, and those with a g after their number are not."
  }

  validation {
    condition     = !can(regex("^t[0-9][a-z]*\\.nano$", var.instance_type))
    error_message = "instance_type must have at least 1 GiB of memory: take t3.small, not a nano."
  }
}

variable "ami" {
  description = "The machines' own image and its region; null for Canonical's current Ubuntu 24.04."
  type        = object({ id = string, region = string })
  default     = null

  validation {
    condition     = var.ami == null || can(regex("^ami-([0-9a-f]{8}|[0-9a-f]{17})$", var.ami.id))
    error_message = "ami.id must be the id of a machine image, as in ami-04b70fa74e45c3917."
  }

  validation {
    condition     = var.ami == null || try(var.ami.region, "") == var.region
    error_message = "ami.region must be the region of this installation: an image's id is valid in one region only. Set region to it, or ami to null for the current image of any region."
  }
}

variable "machines" {
  description = "How many machines there are at least, at first and at most."
  type        = object({ min = number, desired = number, max = number })
  default     = { min = 1, desired = 2, max = 3 }
  nullable    = false

  validation {
    condition     = var.machines.min >= 1 && var.machines.min <= var.machines.desired && var.machines.desired <= var.machines.max && var.machines.max <= 10
    error_message = "machines must be numbers with 1 <= min <= desired <= max <= 10."
  }

  validation {
    condition     = alltrue([for number in values(var.machines) : number == floor(number)])
    error_message = "machines must be whole numbers."
  }

  validation {
    condition     = var.shared_file_system || var.machines.max == 1
    error_message = "machines.max must be 1 without shared_file_system: several machines can have a certificate only if they share its files."
  }
}

variable "wait_for_load_balancer" {
  description = "For how many seconds a starting machine waits for the load balancer to reach it, before it asks for its certificate."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.wait_for_load_balancer >= 10 && var.wait_for_load_balancer <= 600 && var.wait_for_load_balancer == floor(var.wait_for_load_balancer)
    error_message = "wait_for_load_balancer must be 10 to 600 whole seconds."
  }
}

variable "acme_email" {
  description = "Whom the certificate authority writes to; null for alarm_email."
  type        = string
  default     = null

  validation {
    condition     = var.acme_email == null || can(regex("^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[a-z]{2,}$", var.acme_email))
    error_message = "acme_email must be one e-mail address, or null for that of alarm_email."
  }
}

variable "acme_server" {
  description = "The certificate authority's directory. While you try things out, take https://acme-staging-v02.api.letsencrypt.org/directory: five certificates a week is the real one's limit."
  type        = string
  default     = "https://acme-v02.api.letsencrypt.org/directory"
  nullable    = false

  validation {
    condition     = can(regex("^https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~/-]*$", var.acme_server))
    error_message = "acme_server must be the https:// address of an ACME directory."
  }
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

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^GISTDEAL_[A-Z_]+$", name))])
    error_message = "settings must be variables that begin with GISTDEAL_, as in GISTDEAL_PIPELINE."
  }

  validation {
    condition     = alltrue([for name in keys(var.settings) : !contains(local.given, trimsuffix(name, "_FILE"))])
    error_message = "settings must not hold what follows from the rest (addresses, database, secrets, time limits, the log), and never GISTDEAL_AUTH, which would let everybody in."
  }

  validation {
    condition     = alltrue([for value in values(var.settings) : can(regex("^[ -~]+$", value)) && trimspace(value) == value])
    error_message = "settings must have values of one line of ASCII, not empty and without spaces around them."
  }
}

variable "tls_policy" {
  description = "What the load balancer speaks with clients: TLS 1.2 and newer."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
  nullable    = false

  validation {
    condition     = can(regex("^ELBSecurityPolicy-TLS13-1-[23]-([A-Za-z0-9]+-)*20[0-9]{2}-[0-9]{2}$", var.tls_policy)) && !can(regex("Ext", var.tls_policy))
    error_message = "tls_policy must be one of Amazon's for TLS 1.3 with at least TLS 1.2 and without old ciphers, as in ELBSecurityPolicy-TLS13-1-2-2021-06."
  }
}

variable "firewall" {
  description = "Put a firewall of AWS WAF before CloudFront. It costs about 8 US dollars a month; the program limits requests without it too."
  type        = bool
  default     = false
  nullable    = false
}

# Database

variable "database_url_parameter" {
  description = "The name of a SecureString with the URL of a PostgreSQL that exists, password included. Empty: one is made."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.database_url_parameter == "" || can(regex("^/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", var.database_url_parameter))
    error_message = "database_url_parameter must be the name of a parameter in Parameter Store, as in /crm/gistdeal-database. It is never the URL itself."
  }
}

variable "database_cidr" {
  description = "Where the database of database_url_parameter is, so that the machines may reach its port 5432."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = (var.database_cidr == "") == (var.database_url_parameter == "")
    error_message = "database_cidr and database_url_parameter go together: set both for a database that exists, or neither."
  }

  validation {
    condition     = var.database_cidr == "" || (can(cidrnetmask(var.database_cidr)) && !endswith(var.database_cidr, "/0"))
    error_message = "database_cidr must be the range of IPv4 addresses of your database, as in 192.0.2.10/32, not the whole internet."
  }
}

variable "database_instance_class" {
  description = "The size of the database that is made."
  type        = string
  default     = "db.t4g.micro"
  nullable    = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_instance_class))
    error_message = "database_instance_class must be a class of RDS, as in db.t4g.micro."
  }
}

variable "database_storage" {
  description = "GiB of the database at first; it grows by itself to five times that."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.database_storage >= 20 && var.database_storage <= 10000 && var.database_storage == floor(var.database_storage)
    error_message = "database_storage must be 20 to 10000 whole GiB; RDS gives no less than 20."
  }
}

variable "database_backup_days" {
  description = "For how many days the database can be set back to any second."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.database_backup_days >= 1 && var.database_backup_days <= 35 && var.database_backup_days == floor(var.database_backup_days)
    error_message = "database_backup_days must be 1 to 35 whole days: without backups a lost database is lost."
  }
}

variable "database_standby" {
  description = "Keep a second database in the other zone, which takes over when the first fails. It doubles the database's price."
  type        = bool
  default     = false
  nullable    = false
}

# Watching

variable "alarm_email" {
  description = "Who gets alarms and the budget's warnings; Amazon asks that address to confirm."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[a-z]{2,}$", var.alarm_email))
    error_message = "alarm_email must be one e-mail address that somebody reads."
  }
}

variable "log_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "log_days must be a number that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "monthly_budget" {
  description = "US dollars a month above which a warning is sent."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.monthly_budget >= 1
    error_message = "monthly_budget must be at least 1 US dollar; infra/README.md says what all this costs."
  }
}
