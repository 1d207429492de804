# Values of the right form that only AWS knows, so that plans need no account.
# Resources that a test distinguishes have different values.

mock_data "aws_route53_zone" {
  defaults = { id = "ZEXISTING0000" }
}

mock_data "aws_availability_zones" {
  defaults = { names = ["eu-north-1a", "eu-north-1b", "eu-north-1c"] }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_region" {
  defaults = { region = "us-east-1" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_ssm_parameter" {
  defaults = { insecure_value = "ami-0123456789abcdef0" }
}

override_resource {
  target = aws_acm_certificate.api
  values = {
    arn    = "arn:aws:acm:us-east-1:123456789012:certificate/api"
    region = "the provider's"
    domain_validation_options = [{
      domain_name           = "x.example.com"
      resource_record_name  = "_proof.x.example.com."
      resource_record_type  = "CNAME"
      resource_record_value = "_value.acm-validations.aws."
    }]
  }
}

override_resource {
  target = aws_acm_certificate.page
  values = {
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/page"
    domain_validation_options = [{
      domain_name           = "x.example.com"
      resource_record_name  = "_proof.x.example.com."
      resource_record_type  = "CNAME"
      resource_record_value = "_value.acm-validations.aws."
    }]
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/gistdeal-page/1" }
}

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/gistdeal/0123456789abcdef"
    arn_suffix = "app/gistdeal/0123456789abcdef"
    dns_name   = "gistdeal-1.us-east-1.elb.amazonaws.com"
    zone_id    = "ZBALANCER0000"
  }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/gistdeal-machine" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::123456789012:policy/gistdeal-machine" }
}

mock_resource "aws_iam_instance_profile" {
  defaults = { arn = "arn:aws:iam::123456789012:instance-profile/gistdeal-machine" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/gistdeal" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:us-east-1:123456789012:gistdeal-alarms" }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    id                          = "gistdeal-page-1"
    arn                         = "arn:aws:s3:::gistdeal-page-1"
    bucket_regional_domain_name = "gistdeal-page-1.s3.us-east-1.amazonaws.com"
  }
}

override_resource {
  target = aws_s3_bucket.logs
  values = { id = "gistdeal-logs-1", arn = "arn:aws:s3:::gistdeal-logs-1" }
}

mock_resource "aws_cloudfront_distribution" {
  defaults = {
    arn            = "arn:aws:cloudfront::123456789012:distribution/E1"
    domain_name    = "d1.cloudfront.net"
    hosted_zone_id = "Z2FDTNDATAQYW2"
  }
}

mock_resource "aws_db_instance" {
  defaults = {
    address            = "gistdeal.abc.us-east-1.rds.amazonaws.com"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1", kms_key_id = "", secret_status = "active" }]
  }
}

mock_resource "aws_efs_file_system" {
  defaults = {
    id       = "fs-0123456789abcdef0"
    dns_name = "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com"
  }
}

mock_resource "aws_launch_template" {
  defaults = {
    id             = "lt-0123456789abcdef0"
    latest_version = 7
  }
}

override_resource {
  target = aws_lb_target_group.http
  values = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/http/1", arn_suffix = "targetgroup/http/1" }
}

override_resource {
  target = aws_lb_target_group.app
  values = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/app/1", arn_suffix = "targetgroup/app/1" }
}

override_resource {
  target = aws_lb_listener.http
  values = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/gistdeal/1/http" }
}

override_resource {
  target = aws_lb_listener.https
  values = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/gistdeal/1/https" }
}

override_data {
  target = data.aws_cloudfront_cache_policy.optimized
  values = { id = "cache-optimized" }
}

override_data {
  target = data.aws_cloudfront_cache_policy.disabled
  values = { id = "cache-disabled" }
}

override_data {
  target = data.aws_cloudfront_origin_request_policy.all_but_host
  values = { id = "all-but-host" }
}

override_resource {
  target = aws_ssm_parameter.pipedrive_api_key
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/gistdeal/pipedrive-api-key" }
}

override_resource {
  target = aws_ssm_parameter.github_token
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/gistdeal/github-token" }
}

override_resource {
  target = aws_ssm_parameter.database_password
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/gistdeal/database-password" }
}

override_resource {
  target = aws_ssm_parameter.origin_secret
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/gistdeal/origin-secret" }
}

override_resource {
  target = aws_ssm_parameter.admin_token
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/gistdeal/admin-token" }
}

# A type that is named is decided while planning, with values of its own for
# each resource; one that is not stays unknown.

override_resource {
  target = aws_acm_certificate_validation.api
  values = { region = "the provider's" }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = {}
}

mock_resource "aws_autoscaling_group" {
  defaults = {}
}

mock_resource "aws_autoscaling_policy" {
  defaults = {}
}

mock_resource "aws_budgets_budget" {
  defaults = {}
}

mock_resource "aws_cloudfront_origin_access_control" {
  defaults = {}
}

mock_resource "aws_cloudfront_response_headers_policy" {
  defaults = {}
}

mock_resource "aws_cloudwatch_dashboard" {
  defaults = {}
}

mock_resource "aws_cloudwatch_log_metric_filter" {
  defaults = {}
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = {}
}

mock_resource "aws_db_subnet_group" {
  defaults = {}
}

mock_resource "aws_default_security_group" {
  defaults = {}
}

mock_resource "aws_efs_mount_target" {
  defaults = {}
}

mock_resource "aws_iam_role_policy_attachment" {
  defaults = {}
}

mock_resource "aws_internet_gateway" {
  defaults = {}
}

mock_resource "aws_lb_listener" {
  defaults = {}
}

mock_resource "aws_lb_listener_rule" {
  defaults = {}
}

mock_resource "aws_lb_target_group" {
  defaults = {}
}

mock_resource "aws_network_acl" {
  defaults = {}
}

mock_resource "aws_network_acl_rule" {
  defaults = {}
}

mock_resource "aws_route" {
  defaults = {}
}

mock_resource "aws_route53_record" {
  defaults = {}
}

mock_resource "aws_route53_zone" {
  defaults = {}
}

mock_resource "aws_route_table" {
  defaults = {}
}

mock_resource "aws_route_table_association" {
  defaults = {}
}

mock_resource "aws_s3_bucket_lifecycle_configuration" {
  defaults = {}
}

mock_resource "aws_s3_bucket_ownership_controls" {
  defaults = {}
}

mock_resource "aws_s3_bucket_policy" {
  defaults = {}
}

mock_resource "aws_s3_bucket_public_access_block" {
  defaults = {}
}

mock_resource "aws_s3_bucket_server_side_encryption_configuration" {
  defaults = {}
}

mock_resource "aws_s3_object" {
  defaults = {}
}

mock_resource "aws_security_group" {
  defaults = {}
}

mock_resource "aws_sns_topic_subscription" {
  defaults = {}
}

mock_resource "aws_ssm_parameter" {
  defaults = {}
}

mock_resource "aws_subnet" {
  defaults = {}
}

mock_resource "aws_vpc" {
  defaults = {}
}

mock_resource "aws_vpc_security_group_egress_rule" {
  defaults = {}
}

mock_resource "aws_vpc_security_group_ingress_rule" {
  defaults = {}
}
