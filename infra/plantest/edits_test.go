package plantest_test

import (
	"fmt"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// edit is a mistake that somebody could make, and what has to tell of it.
type edit struct {
	file     string
	old, new string
	by       string // the file of tests/, or "waits" for what shows in no value
	says     string
}

// TestNoPromiseCanBeBrokenUnnoticed makes one mistake at a time. Terraform finds
// each configuration valid; the promise that it breaks does not hold any more.
func TestNoPromiseCanBeBrokenUnnoticed(t *testing.T) {
	t.Parallel()
	for i, e := range edits {
		t.Run(fmt.Sprintf("%02d %s %s", i, e.file, e.says), func(t *testing.T) {
			t.Parallel()
			f := offline.Copy(t)
			text := f.Read(e.file)
			if !strings.Contains(text, e.old) {
				t.Fatalf("%s has no %q: the edit is out of date", e.file, e.old)
			}
			f.Write(e.file, strings.Replace(text, e.old, e.new, 1))
			f.Must("validate", "-no-color")
			if said, ok := told(t, f, e.by); ok || !strings.Contains(said, e.says) {
				t.Errorf("%q became %q; want to be told %q, was told:\n%s", e.old, e.new, e.says, said)
			}
		})
	}
}

// told returns, in one line, what a test says of the configuration, and
// whether it is content.
func told(t *testing.T, f offline.Folder, by string) (said string, ok bool) {
	t.Helper()
	if by == "waits" {
		problems := unwired(planned(t, f.With(installation...).With(secrets...)))
		return strings.Join(problems, " "), len(problems) == 0
	}
	said, ok = f.Run("test", "-no-color", "-filter=tests/"+by+".tftest.hcl")
	// Terraform breaks lines, and shows failures behind a bar.
	return strings.Join(strings.Fields(strings.ReplaceAll(said, "\u2502", " ")), " "), ok
}

// edits are the mistakes.
var edits = []edit{
	{
		"groups.tf", `resource "aws_vpc_security_group_ingress_rule" "machines" {
  for_each = { http = 80, https = 443 }`, `resource "aws_vpc_security_group_ingress_rule" "machines" {
  for_each = { http = 80, https = 443, ssh = 22 }`,
		"groups", "no port 22 and no others",
	},
	{
		"groups.tf", "referenced_security_group_id = aws_security_group.balancer.id", `cidr_ipv4 = "0.0.0.0/0"`,
		"groups", "Machines are reached from the load balancer only.",
	},
	{
		"groups.tf", `resource "aws_vpc_security_group_egress_rule" "machines" {
  for_each = { http = 80, https = 443 }`, `resource "aws_vpc_security_group_egress_rule" "machines" {
  for_each = { https = 443 }`,
		"groups", "Both ports are open on each side.",
	},
	{
		"groups.tf", `security_group_id            = aws_security_group.database[0].id
  description                  = "Machines"
  referenced_security_group_id = aws_security_group.machines.id`, `security_group_id = aws_security_group.database[0].id
  description = "All"
  cidr_ipv4 = "10.0.0.0/16"`,
		"groups", "The database is reached from machines only.",
	},
	{
		"groups.tf", "from_port                    = 2049", "from_port                    = 0",
		"groups", "file system",
	},
	{
		"network.tf", `["us-east-1a", "us-east-1b"]`, `["us-east-1a", "us-east-1c"]`,
		"network", "us-east-1a and us-east-1b",
	},
	{
		"network.tf", "enable_dns_hostnames = true", "enable_dns_hostnames = false",
		"network", "DNS and host names",
	},
	{
		"network.tf", `subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private.id`, `subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.public.id`,
		"network", "without a way out",
	},
	{
		"network.tf", "map_public_ip_on_launch = true", "map_public_ip_on_launch = false",
		"network", "public address",
	},
	{
		"network.tf", `route_table_id         = aws_route_table.public.id
  destination_cidr_block`, `route_table_id         = aws_route_table.private.id
  destination_cidr_block`,
		"network", "leads to the internet",
	},
	{
		"acl.tf", `    answers = { number = 120, from = local.answers.from, to = local.answers.to }
`, "",
		"network", "answers, and nothing else",
	},
	{
		"acl.tf", "https   = { number = 110, from = 443, to = 443 }", "https   = { number = 110, from = 22, to = 443 }",
		"network", "answers, and nothing else",
	},
	{
		"acl.tf", "from_port      = local.answers.from", "from_port      = 5432",
		"network", "The private list lets out answers",
	},
	{
		"certificates.tf", `  provider = aws.us_east_1

  domain_name`, "  domain_name",
		"certificates", "is made in us-east-1",
	},
	{
		"certificates.tf", "domain_name       = local.api_domain", "domain_name       = local.page_domain",
		"certificates", "is for api-challenge.<domain>",
	},
	{
		"certificates.tf", "[aws_route53_record.proof_page.fqdn]", "[aws_route53_record.proof_api.fqdn]",
		"certificates", "CloudFront's certificate is validated by its own record.",
	},
	{
		"balancer.tf", "aws_acm_certificate_validation.api.certificate_arn", "aws_acm_certificate.api.arn",
		"waits", "aws_lb_listener.https does not take",
	},
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
		"balancer.tf", "drop_invalid_header_fields = true", "drop_invalid_header_fields = false",
		"balancer", "Invalid headers are dropped.",
	},
	{
		"balancer.tf", `path                = "/readyz"`, `path                = "/"`,
		"balancer", "asked whether it is ready",
	},
	{
		"balancer.tf", `path                = "/healthz"`, `path                = "/"`,
		"balancer", "nginx itself",
	},
	{
		"balancer.tf", "unhealthy_threshold = 10", "unhealthy_threshold = 2",
		"balancer", "does not replace every machine",
	},
	{
		"balancer.tf", `["/.well-known/acme-challenge/*"]`, `["/acme/*"]`,
		"balancer", "certificate authority asks for",
	},
	{
		"balancer.tf", "ssl_policy        = var.tls_policy", `ssl_policy        = "ELBSecurityPolicy-2016-08"`,
		"balancer", "TLS 1.2 or newer",
	},
	{
		"balancer.tf", `    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
`, `    type             = "forward"
    target_group_arn = aws_lb_target_group.http.arn
`,
		"balancer", "Port 80 redirects to HTTPS.",
	},
	{
		"limits.tf", "idle        = 75", "idle        = 55",
		"limits", "gives up first",
	},
	{
		"limits.tf", "stop        = 60", "stop        = 20",
		"limits", "drained before it is stopped",
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
		"machines.tf", "settings                    = var.settings", `settings                    = merge(var.settings, { GISTDEAL_OPEN = "1" })`,
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
		"filesystem.tf", "encrypted      = true", "encrypted      = false",
		"filesystem", "share an encrypted file system",
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
		"groups.tf", `  description = "Machines"
  vpc_id      = aws_vpc.main.id
`, `  description = "Machines"
  vpc_id      = aws_vpc.main.id

  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
`,
		"waits", "aws_security_group.machines has ingress",
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
		"versions.tf", `provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
`, `provider "aws" {
  region = var.region
`,
		"waits", "provider aws does not take local.tags",
	},
	{
		"versions.tf", "region = var.region", `region = "us-east-1"`,
		"waits", "provider aws does not take var.region",
	},
	{
		"secrets.tf", "value_wo         = var.github_token", "value_wo         = var.admin_token",
		"waits", "aws_ssm_parameter.github_token does not take var.github_token",
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
		"balancer.tf", `matcher             = "200"
    interval            = 30`, `matcher             = "200-499"
    interval            = 30`,
		"balancer", "asked whether it is ready",
	},
	{
		"balancer.tf", "listener_arn = aws_lb_listener.http.arn", "listener_arn = aws_lb_listener.https.arn",
		"balancer", "certificate authority asks for",
	},
	{
		"dns.tf", "private_zone = false", "private_zone = true",
		"dns", "The public zone that exists",
	},
	{
		"filesystem.tf", "security_groups = [aws_security_group.file_system[0].id]", "security_groups = [aws_security_group.machines.id]",
		"groups", "the group of its own",
	},
}
