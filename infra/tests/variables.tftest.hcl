mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

# Each validation refuses a value that AWS would refuse later, or accept and then fail with.

run "image_without_a_digest" {
  command = plan

  variables {
    image = "ghcr.io/you/gistdeal:1.0.0"
  }

  expect_failures = [var.image]
}

run "image_empty" {
  command = plan

  variables {
    image = ""
  }

  expect_failures = [var.image]
}

run "domain_a_url" {
  command = plan

  variables {
    domain = "https://example.com"
  }

  expect_failures = [var.domain]
}

run "domain_too_long_for_a_certificate" {
  command = plan

  variables {
    domain = "a-domain-that-is-longer-than-certificates-take-it.com"
  }

  expect_failures = [var.domain]
}

run "domain_a_dot_at_its_end" {
  command = plan

  variables {
    domain = "example.com."
  }

  expect_failures = [var.domain]
}

run "region_a_zone" {
  command = plan

  variables {
    region = "us-east-1a"
  }

  expect_failures = [var.region]
}

run "name_too_long" {
  command = plan

  variables {
    name = "gistdeal-of-the-sales-team"
  }

  expect_failures = [var.name]
}

run "name_capitals" {
  command = plan

  variables {
    name = "Gistdeal"
  }

  expect_failures = [var.name]
}

run "tags_of_amazon" {
  command = plan

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}

run "pipedrive_api_key_short" {
  command = plan

  variables {
    pipedrive_api_key = "short"
  }

  expect_failures = [var.pipedrive_api_key]
}

run "pipedrive_api_key_with_a_space" {
  command = plan

  variables {
    pipedrive_api_key = "01234567890123456789 0123456789"
  }

  expect_failures = [var.pipedrive_api_key]
}

run "admin_token_guessable" {
  command = plan

  variables {
    admin_token = "letmein"
  }

  expect_failures = [var.admin_token]
}

run "database_password_missing" {
  command = plan

  variables {
    database_password = ""
  }

  expect_failures = [var.database_password]
}

run "database_password_guessable" {
  command = plan

  variables {
    database_password      = "letmein"
    database_url_parameter = "/crm/database"
    database_cidr          = "192.0.2.10/32"
  }

  expect_failures = [var.database_password]
}

run "github_token_short" {
  command = plan

  variables {
    github_token    = "short"
    secret_versions = { github_token = 1 }
  }

  expect_failures = [var.github_token]
}

run "github_token_without_a_version" {
  command = plan

  variables {
    github_token = "0123456789012345678901234567890123456789"
  }

  expect_failures = [var.github_token]
}

run "github_token_missing" {
  command = plan

  variables {
    secret_versions = { github_token = 1 }
  }

  expect_failures = [var.github_token]
}

run "secret_versions_zero" {
  command = plan

  variables {
    secret_versions = { admin_token = 0 }
  }

  expect_failures = [var.secret_versions]
}

run "secret_versions_without_a_database_password" {
  command = plan

  variables {
    secret_versions = { database_password = 0 }
  }

  expect_failures = [var.secret_versions]
}

run "secret_versions_half" {
  command = plan

  variables {
    secret_versions = { admin_token = 1.5 }
  }

  expect_failures = [var.secret_versions]
}

run "instance_type_of_another_processor" {
  command = plan

  variables {
    instance_type = "t4g.small"
  }

  expect_failures = [var.instance_type]
}

run "instance_type_too_small" {
  command = plan

  variables {
    instance_type = "t3.nano"
  }

  expect_failures = [var.instance_type]
}

run "instance_type_no_type" {
  command = plan

  variables {
    instance_type = "small"
  }

  expect_failures = [var.instance_type]
}

run "ami_of_another_region" {
  command = plan

  variables {
    ami = { id = "ami-04b70fa74e45c3917", region = "eu-north-1" }
  }

  expect_failures = [var.ami]
}

run "ami_no_id" {
  command = plan

  variables {
    ami = { id = "ubuntu-24.04", region = "us-east-1" }
  }

  expect_failures = [var.ami]
}

run "machines_max_below_desired" {
  command = plan

  variables {
    machines = { min = 1, desired = 4, max = 3 }
  }

  expect_failures = [var.machines]
}

run "machines_none" {
  command = plan

  variables {
    machines = { min = 0, desired = 1, max = 3 }
  }

  expect_failures = [var.machines]
}

run "machines_half" {
  command = plan

  variables {
    machines = { min = 1, desired = 1.5, max = 3 }
  }

  expect_failures = [var.machines]
}

run "machines_without_shared_files" {
  command = plan

  variables {
    shared_file_system = false
  }

  expect_failures = [var.machines]
}

run "wait_for_load_balancer_too_short" {
  command = plan

  variables {
    wait_for_load_balancer = 1
  }

  expect_failures = [var.wait_for_load_balancer]
}

run "acme_email_no_address" {
  command = plan

  variables {
    acme_email = "me"
  }

  expect_failures = [var.acme_email]
}

run "acme_server_in_the_clear" {
  command = plan

  variables {
    acme_server = "http://acme.example.com/directory"
  }

  expect_failures = [var.acme_server]
}

run "settings_open" {
  command = plan

  variables {
    settings = { GISTDEAL_AUTH = "none" }
  }

  expect_failures = [var.settings]
}

run "settings_foreign" {
  command = plan

  variables {
    settings = { PATH = "/tmp" }
  }

  expect_failures = [var.settings]
}

run "settings_a_secret_file" {
  command = plan

  variables {
    settings = { GISTDEAL_ADMIN_TOKEN_FILE = "/tmp/x" }
  }

  expect_failures = [var.settings]
}

run "settings_of_two_lines" {
  command = plan

  variables {
    settings = { GISTDEAL_PIPELINE = "a\nGISTDEAL_AUTH=none" }
  }

  expect_failures = [var.settings]
}

run "tls_policy_old" {
  command = plan

  variables {
    tls_policy = "ELBSecurityPolicy-2016-08"
  }

  expect_failures = [var.tls_policy]
}

run "database_url_parameter_a_url" {
  command = plan

  variables {
    database_url_parameter = "postgres://u:p@h/d"
    database_cidr          = "192.0.2.10/32"
  }

  expect_failures = [var.database_url_parameter]
}

run "database_cidr_missing" {
  command = plan

  variables {
    database_url_parameter = "/crm/database"
  }

  expect_failures = [var.database_cidr]
}

run "database_cidr_everybody" {
  command = plan

  variables {
    database_url_parameter = "/crm/database"
    database_cidr          = "0.0.0.0/0"
  }

  expect_failures = [var.database_cidr]
}

run "database_instance_class_no_class" {
  command = plan

  variables {
    database_instance_class = "t4g.micro"
  }

  expect_failures = [var.database_instance_class]
}

run "database_storage_too_small" {
  command = plan

  variables {
    database_storage = 5
  }

  expect_failures = [var.database_storage]
}

run "database_backup_days_none" {
  command = plan

  variables {
    database_backup_days = 0
  }

  expect_failures = [var.database_backup_days]
}

run "alarm_email_no_address" {
  command = plan

  variables {
    alarm_email = "you"
  }

  expect_failures = [var.alarm_email]
}

run "log_days_unknown" {
  command = plan

  variables {
    log_days = 31
  }

  expect_failures = [var.log_days]
}

run "monthly_budget_nothing" {
  command = plan

  variables {
    monthly_budget = 0
  }

  expect_failures = [var.monthly_budget]
}
