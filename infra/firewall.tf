# A firewall before CloudFront, for those who want one: the program limits requests
# itself. It counts what one address asks, and refuses addresses and requests that
# Amazon knows for bad. Amazon's common rules are not among its own: they refuse
# bodies of more than 8 KB, which an import has.
resource "aws_wafv2_web_acl" "page" {
  count = var.firewall ? 1 : 0

  region      = "us-east-1" # CloudFront takes firewalls from there only
  name        = "${var.name}-page"
  description = "Requests to the page and its API"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "too-many-requests"
    priority = 1

    action {
      block {}
    }

    statement {
      rate_based_statement {
        aggregate_key_type = "IP"
        limit              = 3000 # in five minutes
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "too-many-requests"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = { AWSManagedRulesAmazonIpReputationList = 2, AWSManagedRulesKnownBadInputsRuleSet = 3 }

    content {
      name     = rule.key
      priority = rule.value

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.key
          vendor_name = "AWS"
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-page"
    sampled_requests_enabled   = true
  }

  tags = local.tags
}
