package plantest_test

// editsOfTheRest are mistakes in machines, secrets, database, page and watching.
var editsOfTheRest = []edit{
	{
		"page.tf", "aws_acm_certificate_validation.page.certificate_arn", "aws_acm_certificate.page.arn",
		"waits", "aws_cloudfront_distribution.page does not take",
	},
	{
		"machines.tf", `    aws_lb_listener.https,
`, "",
		"waits", "does not wait for aws_lb_listener.https",
	},
	{
		"machines.tf", `    aws_efs_mount_target.shared,
`, "",
		"waits", "does not wait for aws_efs_mount_target.shared",
	},
	{
		"iam.tf", `Action   = ["ssm:GetParameter"]`, `Action   = ["ssm:*"]`,
		"iam", "nine things",
	},
	{
		"iam.tf", "Resource = local.parameter_arns", `Resource = ["*"]`,
		"iam", "own parameters only",
	},
	{
		"iam.tf", `Resource = ["${aws_cloudwatch_log_group.log.arn}:log-stream:*"]`, `Resource = ["*"]`,
		"iam", "its own log only",
	},
	{
		"iam.tf", "Resource = [local.repository_arn]", `Resource = ["*"]`,
		"iam", "pull its own image only",
	},
	{
		"iam.tf", `["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]`, `["ecr:*"]`,
		"iam", "pull its own image only",
	},
	{
		"iam.tf", `local.registry == "" ? [] : [`, `true ? [] : [`,
		"iam", "may log in to the registry",
	},
	{
		"iam.tf", "policy_arn = aws_iam_policy.machine.arn", `policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"`,
		"iam", "not one of Amazon's",
	},
	{
		"iam.tf", `Principal = { Service = "ec2.amazonaws.com" }`, `Principal = { AWS = "*" }`,
		"iam", "Only EC2 may take the role.",
	},
	{
		"secrets.tf", `  type             = "SecureString"
  value_wo         = var.pipedrive_api_key`, `  type             = "String"
  value_wo         = var.pipedrive_api_key`,
		"secrets", "Secrets are SecureStrings.",
	},
	{
		"secrets.tf", `  value_wo         = var.admin_token
  value_wo_version = var.secret_versions.admin_token`, `  value_wo         = var.admin_token
  value_wo_version = var.secret_versions.pipedrive_api_key`,
		"secrets", "A raised version",
	},
	{
		"machines.tf", `http_tokens                 = "required"`, `http_tokens                 = "optional"`,
		"machines", "Only IMDSv2",
	},
	{
		"machines.tf", "encrypted             = true", "encrypted             = false",
		"machines", "Disks are gp3, encrypted",
	},
	{
		"machines.tf", `health_check_type         = "ELB"`, `health_check_type         = "EC2"`,
		"machines", "finds unhealthy is replaced",
	},
	{
		"machines.tf", "min_healthy_percentage = 100", "min_healthy_percentage = 50",
		"machines", "never are there fewer",
	},
	{
		"machines.tf", "version = aws_launch_template.machine.latest_version", `version = "$Latest"`,
		"machines", "newest version by its number",
	},
	{
		"machines.tf", "vpc_zone_identifier = aws_subnet.public[*].id", "vpc_zone_identifier = [aws_subnet.public[0].id]",
		"machines", "both zones",
	},
	{
		"machines.tf", "[aws_lb_target_group.http.arn, aws_lb_target_group.app.arn]", "[aws_lb_target_group.app.arn]",
		"machines", "both target groups",
	},
	{
		"machines.tf", "settings                    = var.settings", `settings                    = merge(var.settings, { GISTDEAL_AUTH = "none" })`,
		"machines", "never open to everybody",
	},
	{
		"variables.tf", " && var.machines.desired <= var.machines.max", "",
		"variables", "machines_max_below_desired",
	},
	{
		"variables.tf", `default     = "t2.small"`, `default     = "t2.micro"`,
		"machines", "t2.small unless told otherwise",
	},
	{
		"database.tf", "storage_encrypted     = true", "storage_encrypted     = false",
		"database", "The database is encrypted.",
	},
	{
		"database.tf", "publicly_accessible    = false", "publicly_accessible    = true",
		"database", "no public address",
	},
	{
		"database.tf", "sslmode=verify-full", "sslmode=require",
		"machines", "only if its certificate is right",
	},
	{
		"database.tf", "manage_master_user_password = true", `password = "gistdeal"`,
		"database", "RDS's own, in no state",
	},
	{
		"page.tf", "block_public_policy     = true", "block_public_policy     = false",
		"page", "The bucket is private.",
	},
	{
		"page.tf", `Principal = { Service = "cloudfront.amazonaws.com" }`, `Principal = "*"`,
		"page", "Only this distribution reads the bucket.",
	},
	{
		"page.tf", `"/trackedusers", `, "",
		"page", "goes to the program",
	},
	{
		"page.tf", "cache_policy_id          = data.aws_cloudfront_cache_policy.disabled.id", "cache_policy_id          = data.aws_cloudfront_cache_policy.optimized.id",
		"page", "are not cached",
	},
	{
		"page.tf", `origin_protocol_policy   = "https-only"`, `origin_protocol_policy   = "http-only"`,
		"page", "by HTTPS under the name",
	},
	{
		"page.tf", `cache_control = "no-cache"`, `cache_control = "max-age=86400"`,
		"page", "newer page each time",
	},
	{
		"watch.tf", `compare = "LessThanThreshold", threshold = 1, missing = "breaching"
    }
    day-spent`, `compare = "LessThanThreshold", threshold = 1, missing = "notBreaching"
    }
    day-spent`,
		"watch", "A missing heartbeat is an alarm.",
	},
	{
		"watch.tf", "retention_in_days = var.log_days", "retention_in_days = 0",
		"watch", "kept for a month",
	},
	{
		"machines.tf", "min_elb_capacity          = var.machines.min", "min_elb_capacity          = 0",
		"machines", "An apply ends when so many machines serve",
	},
	{
		"machines.tf", "auto_rollback          = true", "auto_rollback          = false",
		"machines", "one that does not work is taken back",
	},
	{
		"machines.tf", "target_value = 60", "target_value = 100",
		"machines", "The number of machines follows their load.",
	},
	{
		"machines.tf", "= var.wait_for_load_balancer", "= 90",
		"machines", "Machines are told what was asked for.",
	},
	{
		"machines.tf", "coalesce(var.acme_email, var.alarm_email)", "var.alarm_email",
		"machines", "Machines are told what was asked for.",
	},
	{
		"machines.tf", "instance_type          = var.instance_type", `instance_type          = "t2.small"`,
		"machines", "Type and number of machines are those that are asked for.",
	},
	{
		"database.tf", "multi_az               = var.database_standby", "multi_az               = false",
		"database", "backups and standby are those that are asked for",
	},
	{
		"iam.tf", `resource "aws_iam_instance_profile" "machine" {`, `resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.machine.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "machine" {`,
		"waits", "nothing is promised of aws_iam_role_policy_attachment.managed",
	},
	{
		"iam.tf", `  description = "Machines of ${var.name}"
`, `  description = "Machines of ${var.name}"

  managed_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
`,
		"waits", "aws_iam_role.machine has managed_policy_arns",
	},
	{
		"secrets.tf", "value_wo         = var.github_token", "value_wo         = var.admin_token",
		"waits", "aws_ssm_parameter.github_token does not take var.github_token",
	},
	{
		"secrets.tf", "value_wo         = var.database_password", "value_wo         = var.admin_token",
		"waits", "aws_ssm_parameter.database_password does not take var.database_password",
	},
	{
		"database.tf", `username                    = "postgres"`, `username                    = "gistdeal"`,
		"database", "but not as its master",
	},
	{
		"secrets.tf", "special = false", "special = true",
		"secrets", "a word that nobody guesses",
	},
	{
		"page.tf", "value = random_password.origin.result", `value = "gistdeal"`,
		"secrets", "CloudFront shows the word",
	},
	{
		"secrets.tf", `"/${var.name}/admin-token"`, `"/gistdeal/admin-token"`,
		"machines", "Machines are told what was asked for.",
	},
	{
		"watch.tf", `comparison_operator        = "GREATER_THAN"`, `comparison_operator        = "LESS_THAN"`,
		"watch", "before a month gets too expensive",
	},
	{
		"page.tf", `    content_type_options {
      override = true`, `    content_type_options {
      override = false`,
		"page", "No file has other security headers.",
	},
	{
		"page.tf", `"PATCH", "POST", "PUT"]`, `"PATCH", "PUT"]`,
		"page", "by all methods",
	},
	{
		"page.tf", `signing_behavior                  = "always"`, `signing_behavior                  = "never"`,
		"page", "by its origin access control",
	},
	{
		"startup.sh.tftpl", "aws ecr get-login-password", "true",
		"iam", "logs in to the registry",
	},
	{
		"machines.tf", "arn = aws_iam_instance_profile.machine.arn", `name = "other"`,
		"machines", "the role that may read their secrets",
	},
	{
		"page.tf", `  viewer_certificate {`, `  custom_error_response {
    error_code         = 404
    response_code      = 200
    response_page_path = "/index.html"
  }

  viewer_certificate {`,
		"page", "errors reach the reader as they are",
	},
	{
		"accesslogs.tf", "      days = var.log_days", "      days = 3650",
		"accesslogs", "kept as long as other logs",
	},
	{
		"accesslogs.tf", `Action    = "s3:PutObject"`, `Action    = "s3:*"`,
		"accesslogs", "nobody reads it by its policy",
	},
	{
		"firewall.tf", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet",
		"firewall", "no large body",
	},
	{
		"filesystem.tf", `"aws:SecureTransport" = "false"`, `"aws:SecureTransport" = "true"`,
		"filesystem", "Nobody mounts the file system without TLS.",
	},
	{
		"filesystem.tf", `"elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess"`, `"elasticfilesystem:*"`,
		"filesystem", "nobody changes the file system by its policy",
	},
	{
		"filesystem.tf", "  depends_on = [aws_efs_file_system_policy.shared]\n", "",
		"waits", "does not wait for aws_efs_file_system_policy.shared",
	},
	{
		"database.tf", "subnet_ids  = aws_subnet.private[*].id", "subnet_ids  = aws_subnet.public[*].id",
		"database", "in the private subnets",
	},
}
