# The machines: made from one template, replaced one after the other when the
# template changes, and never changed by hand.

locals {
  canonical_ami = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
  image         = replace(var.image, "/:[^/@:]+@/", "@") # the digest decides; Docker takes no tag beside it
  ami_id        = var.ami == null ? data.aws_ssm_parameter.ubuntu[0].insecure_value : var.ami.id

  # Variables that the start-up script sets: var.settings may not contain them.
  given = [
    "GISTDEAL_ADDR", "GISTDEAL_ADMIN_TOKEN", "GISTDEAL_REQUEST_WAIT", "GISTDEAL_DATABASE_PASSWORD", "GISTDEAL_DATABASE_URL",
    "GISTDEAL_DRAIN", "GISTDEAL_LOG", "GISTDEAL_AUTH", "GISTDEAL_PUBLIC_URL", "GISTDEAL_TRUSTED_PROXIES",
  ]

  startup = {
    region                      = var.region
    log_group                   = aws_cloudwatch_log_group.log.name
    image                       = local.image
    registry                    = local.registry
    pipedrive_api_key_parameter = aws_ssm_parameter.pipedrive_api_key.name
    github_token_parameter      = join("", aws_ssm_parameter.github_token[*].name)
    admin_token_parameter       = aws_ssm_parameter.admin_token.name
    database_url                = local.database_url
    database_url_parameter      = var.database_url_parameter
    database_password_parameter = join("", aws_ssm_parameter.database_password[*].name)
    database_secret_arn         = join("", local.database_secret_arns)
    file_system_id              = join("", aws_efs_file_system.shared[*].id)
    file_system_dns             = join("", aws_efs_file_system.shared[*].dns_name)
    api_domain                  = local.api_domain
    public_url                  = "https://${local.page_domain}"
    origin_secret_parameter     = aws_ssm_parameter.origin_secret.name
    vpc_cidr                    = local.vpc_cidr
    acme_email                  = coalesce(var.acme_email, var.alarm_email)
    acme_server                 = var.acme_server
    wait_for_load_balancer      = var.wait_for_load_balancer
    settings                    = var.settings
    limits                      = local.limits
  }

  # As it will be at its longest, known before anything is made.
  longest = merge(local.startup, {
    database_url        = format("%0200d", 0)
    database_secret_arn = format("%0150d", 0)
    file_system_id      = format("%020d", 0)
    file_system_dns     = format("%060d", 0)
  })

  # AWS takes 16 KiB: machines need neither comments nor indents.
  comment_lines = "/(?m)^[ \t]*((#[^!\n][^\n]*|#)?\n)?/"
  user_data     = base64encode(replace(templatefile("${path.module}/startup.sh.tftpl", local.startup), local.comment_lines, ""))
  user_data_max = base64encode(replace(templatefile("${path.module}/startup.sh.tftpl", local.longest), local.comment_lines, ""))
}

data "aws_ssm_parameter" "ubuntu" {
  count = var.ami == null ? 1 : 0

  name = local.canonical_ami
}

resource "aws_launch_template" "machine" {
  name                   = "${var.name}-machine"
  description            = "A machine of ${var.name}"
  image_id               = local.ami_id
  instance_type          = var.instance_type
  vpc_security_group_ids = [aws_security_group.machines.id]
  user_data              = local.user_data
  update_default_version = true

  iam_instance_profile {
    arn = aws_iam_instance_profile.machine.arn
  }

  # Containers are one hop further away, and have no business with the role.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/sda1"

    ebs {
      volume_type           = "gp3"
      volume_size           = 20
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = var.name })
  }

  tags = local.tags

  lifecycle {
    precondition {
      condition     = length(local.user_data_max) * 3 / 4 <= 16384
      error_message = "The start-up script is longer than the 16 KiB that AWS takes: shorten infra/startup.sh.tftpl or the settings."
    }
  }
}

resource "aws_autoscaling_group" "machines" {
  name                = var.name
  min_size            = var.machines.min
  desired_capacity    = var.machines.desired
  max_size            = var.machines.max
  vpc_zone_identifier = aws_subnet.public[*].id
  target_group_arns   = [aws_lb_target_group.http.arn, aws_lb_target_group.app.arn]

  # A first boot installs packages and takes minutes.
  health_check_type         = "ELB"
  health_check_grace_period = 600
  default_instance_warmup   = 300
  min_elb_capacity          = var.machines.min
  wait_for_capacity_timeout = "20m"

  # A number and not "$Latest", which would change nothing in a plan.
  launch_template {
    id      = aws_launch_template.machine.id
    version = aws_launch_template.machine.latest_version
  }

  # A new machine serves before an old one goes.
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 150
      instance_warmup        = 300
      auto_rollback          = true
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = var.name })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # Its machines drain first.
  timeouts {
    update = "20m"
    delete = "20m"
  }

  lifecycle {
    ignore_changes = [desired_capacity] # the policy below has the last word on it
  }

  # All that a first boot needs.
  depends_on = [
    aws_cloudfront_distribution.page,
    aws_efs_mount_target.shared,
    aws_iam_role_policy_attachment.machine,
    aws_lb_listener.http,
    aws_lb_listener.https,
    aws_lb_listener_rule.acme,
    aws_network_acl_rule.private_in,
    aws_network_acl_rule.private_out,
    aws_network_acl_rule.public_in,
    aws_network_acl_rule.public_out,
    aws_route.out,
    aws_route53_record.api,
    aws_route_table_association.private,
    aws_route_table_association.public,
    aws_vpc_security_group_egress_rule.balancer,
    aws_vpc_security_group_egress_rule.machines,
    aws_vpc_security_group_egress_rule.machines_database,
    aws_vpc_security_group_egress_rule.machines_existing_database,
    aws_vpc_security_group_egress_rule.machines_file_system,
    aws_vpc_security_group_ingress_rule.balancer,
    aws_vpc_security_group_ingress_rule.database,
    aws_vpc_security_group_ingress_rule.file_system,
    aws_vpc_security_group_ingress_rule.machines,
  ]
}

resource "aws_autoscaling_policy" "load" {
  name                   = "${var.name}-load"
  autoscaling_group_name = aws_autoscaling_group.machines.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = 60

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}
