mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "machines" {
  command = plan

  variables {
    settings = { GISTDEAL_PIPELINE = "Gists" }
  }

  assert {
    condition     = aws_launch_template.machine.instance_type == "t2.small"
    error_message = "A machine is a t2.small unless told otherwise."
  }

  assert {
    condition     = aws_launch_template.machine.image_id == "ami-0123456789abcdef0" && data.aws_ssm_parameter.ubuntu[0].name == "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    error_message = "Machines run Canonical's current Ubuntu 24.04."
  }

  assert {
    condition     = aws_launch_template.machine.metadata_options[0].http_tokens == "required" && aws_launch_template.machine.metadata_options[0].http_put_response_hop_limit == 1 && coalesce(aws_launch_template.machine.metadata_options[0].http_endpoint, "enabled") == "enabled"
    error_message = "Only IMDSv2 tells credentials, and to no container."
  }

  assert {
    condition     = alltrue([for d in aws_launch_template.machine.block_device_mappings : tobool(d.ebs[0].encrypted) && d.ebs[0].volume_type == "gp3" && d.device_name == "/dev/sda1" && d.ebs[0].kms_key_id == null]) && length(aws_launch_template.machine.block_device_mappings) == 1
    error_message = "Disks are gp3, encrypted with Amazon's key."
  }

  assert {
    condition     = alltrue([for d in aws_launch_template.machine.block_device_mappings : tobool(d.ebs[0].delete_on_termination)])
    error_message = "A machine takes its disk along when it goes."
  }

  assert {
    condition     = aws_launch_template.machine.key_name == null || aws_launch_template.machine.key_name == ""
    error_message = "Machines have no key pair."
  }

  assert {
    condition     = length(aws_launch_template.machine.network_interfaces) == 0
    error_message = "Machines take network and group from the scaling group and the template."
  }

  assert {
    condition     = startswith(base64decode(aws_launch_template.machine.user_data), "#!")
    error_message = "User data is a script."
  }

  assert {
    condition     = length(aws_launch_template.machine.user_data) * 3 / 4 <= 16384
    error_message = "User data is not longer than AWS takes."
  }

  assert {
    condition     = !strcontains(base64decode(aws_launch_template.machine.user_data), "GISTDEAL_AUTH")
    error_message = "The service is never open to everybody."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.machine.user_data), "\nGISTDEAL_TRUSTED_PROXIES=127.0.0.1\n") && strcontains(base64decode(aws_launch_template.machine.user_data), "\norigin_secret=$(parameter '/gistdeal/origin-secret')\n")
    error_message = "nginx alone says who the client is, and knows CloudFront by a secret."
  }

  assert {
    condition     = alltrue([for text in ["'ghcr.io/you/gistdeal@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'", "api-challenge.example.com", "https://challenge.example.com", "fs-0123456789abcdef0", "you@example.com", "https://acme-v02.api.letsencrypt.org/directory", "/gistdeal", "GISTDEAL_PIPELINE", "10.0.0.0/16"] : strcontains(base64decode(aws_launch_template.machine.user_data), text)])
    error_message = "Machines are told what they need to know."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.machine.user_data), "postgres://gistdeal@gistdeal.abc.us-east-1.rds.amazonaws.com:5432/gistdeal?sslmode=verify-full&sslrootcert=/etc/gistdeal/rds.pem")
    error_message = "The database is spoken to only if its certificate is right, and its URL holds no password."
  }

  assert {
    condition     = [aws_autoscaling_group.machines.min_size, aws_autoscaling_group.machines.desired_capacity, aws_autoscaling_group.machines.max_size] == [1, 2, 3]
    error_message = "There are one to three machines, at first two."
  }

  assert {
    condition     = aws_autoscaling_group.machines.vpc_zone_identifier == toset(aws_subnet.public[*].id)
    error_message = "Machines are in both zones."
  }

  assert {
    condition     = aws_autoscaling_group.machines.target_group_arns == toset([aws_lb_target_group.http.arn, aws_lb_target_group.app.arn])
    error_message = "Machines are in both target groups."
  }

  assert {
    condition     = aws_autoscaling_group.machines.health_check_type == "ELB" && aws_autoscaling_group.machines.health_check_grace_period >= 300
    error_message = "A machine that the load balancer finds unhealthy is replaced, but not during its first boot."
  }

  assert {
    condition     = try(aws_autoscaling_group.machines.launch_template[0].id, "") == aws_launch_template.machine.id && aws_autoscaling_group.machines.launch_template[0].version == "7"
    error_message = "The group names the template's newest version by its number, so that a change shows in a plan."
  }

  assert {
    condition     = try(aws_autoscaling_group.machines.instance_refresh[0].strategy, "") == "Rolling" && try(aws_autoscaling_group.machines.instance_refresh[0].preferences[0].min_healthy_percentage, 0) >= 100 && try(aws_autoscaling_group.machines.instance_refresh[0].preferences[0].max_healthy_percentage, 0) > 100 && try(aws_autoscaling_group.machines.instance_refresh[0].preferences[0].auto_rollback, false)
    error_message = "A new template replaces machines one after the other, never are there fewer, and one that does not work is taken back."
  }

  assert {
    condition     = aws_autoscaling_policy.load.policy_type == "TargetTrackingScaling" && aws_autoscaling_policy.load.autoscaling_group_name == aws_autoscaling_group.machines.name && aws_autoscaling_policy.load.target_tracking_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ASGAverageCPUUtilization" && aws_autoscaling_policy.load.target_tracking_configuration[0].target_value >= 40 && aws_autoscaling_policy.load.target_tracking_configuration[0].target_value <= 80
    error_message = "The number of machines follows their load."
  }

  assert {
    condition     = aws_launch_template.machine.iam_instance_profile[0].arn == aws_iam_instance_profile.machine.arn
    error_message = "Machines have the role that may read their secrets."
  }

  assert {
    condition     = anytrue([for t in aws_autoscaling_group.machines.tag : t.key == "Application" && t.value == "gistdeal" && t.propagate_at_launch])
    error_message = "Machines have the tags."
  }
}

run "asked_otherwise" {
  command = plan

  variables {
    instance_type          = "t3.medium"
    machines               = { min = 2, desired = 3, max = 4 }
    wait_for_load_balancer = 137
    acme_email             = "certificates@example.com"
    acme_server            = "https://acme.example.com/directory"
    tags                   = { Owner = "sales" }
    name                   = "crm"
  }

  assert {
    condition     = aws_launch_template.machine.instance_type == "t3.medium" && [aws_autoscaling_group.machines.min_size, aws_autoscaling_group.machines.desired_capacity, aws_autoscaling_group.machines.max_size] == [2, 3, 4]
    error_message = "Type and number of machines are those that are asked for."
  }

  assert {
    condition     = alltrue([for text in ["-ge 137 ]", "--email 'certificates@example.com'", "--server 'https://acme.example.com/directory'", "/crm/pipedrive-api-key", "/crm/admin-token", "--log-group-name '/crm'"] : strcontains(base64decode(aws_launch_template.machine.user_data), text)])
    error_message = "Machines are told what was asked for."
  }

  assert {
    condition     = aws_autoscaling_group.machines.min_elb_capacity == 2
    error_message = "An apply ends when so many machines serve as there are at the least."
  }

  assert {
    condition     = anytrue([for t in aws_autoscaling_group.machines.tag : t.key == "Owner" && t.value == "sales"]) && alltrue([for t in aws_launch_template.machine.tag_specifications : t.tags["Owner"] == "sales"])
    error_message = "Machines and their disks have the tags that are asked for."
  }
}

run "the_seed" {
  command = plan

  variables {
    ami = { id = "ami-04b70fa74e45c3917", region = "us-east-1" }
  }

  assert {
    condition     = aws_launch_template.machine.image_id == "ami-04b70fa74e45c3917" && length(data.aws_ssm_parameter.ubuntu) == 0
    error_message = "A fixed image is taken as it is."
  }
}

run "a_script_that_is_too_long" {
  command = plan

  variables {
    settings = { for i in range(200) : "GISTDEAL_PIPELINE${join("_", [for c in split("", tostring(i)) : substr("ABCDEFGHIJ", tonumber(c), 1)])}" => format("%0100d", i) }
  }

  expect_failures = [aws_launch_template.machine]
}
