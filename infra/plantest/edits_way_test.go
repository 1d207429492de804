package plantest_test

// editsOfTheWay are mistakes on the network paths to and from a machine.
var editsOfTheWay = []edit{
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
		"certificates.tf", `region            = "us-east-1" #`, `region            = "us-east-2" #`,
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
      host        = "#{host}"
      port        = "443"
      path        = "/#{path}"
      query       = "#{query}"
      status_code = "HTTP_301"
    }
`, `    type             = "forward"
    target_group_arn = aws_lb_target_group.http.arn
`,
		"balancer", "Port 80 redirects to HTTPS.",
	},
	{
		"limits.tf", "idle         = 75", "idle         = 55",
		"limits", "gives up first",
	},
	{
		"limits.tf", "stop         = 60", "stop         = 20",
		"limits", "drained before it is stopped",
	},
	{
		"filesystem.tf", "encrypted      = true", "encrypted      = false",
		"filesystem", "share an encrypted file system",
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
		"filesystem.tf", "merge(local.tags, { Name = var.name })", "{ Name = var.name }",
		"waits", "aws_efs_file_system.shared[0] has not the tags",
	},
	{
		"secrets.tf", "  tags = local.tags\n", "",
		"waits", "aws_ssm_parameter.pipedrive_api_key has not the tags",
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
